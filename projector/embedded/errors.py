"""The errors of the embedded server; every message says what to do next."""

from projector.errors import ProjectorError


class EmbeddedNotInstalled(ProjectorError):
    """The wheel with PostgreSQL's programs is not installed, or has no release that we use."""


class DataDirectoryInUse(ProjectorError):
    """Another process holds the data directory."""


class DataDirectoryUnusable(ProjectorError):
    """The data directory cannot be created, entered or trusted."""


class DataDirectoryVersion(ProjectorError):
    """The data directory was initialised by another major release of PostgreSQL."""


class EmbeddedStartFailed(ProjectorError):
    """The server, or its initialisation, ended before it took connections."""
