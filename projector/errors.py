"""The error tree. Every message is one sentence for a person, and says what to do next.

ProjectorError
├── ConfigurationError      a setting is missing or makes no sense
├── DatabaseUnavailable     no connection to PostgreSQL
├── SchemaMismatch          the schema and this code do not serve each other
├── AppendRefused           the log took nothing now; the sender should try again
├── Fenced                  this replica's lease on a projection is over
├── RebuildRefused          another rebuild of the projection is under way
└── (embedded/)             what can go wrong with the embedded server
"""


class ProjectorError(Exception):
    """Something went wrong that a person can do something about.

    `exit_code` is what the command line exits with.
    """

    exit_code = 1


class ConfigurationError(ProjectorError):
    """A setting is missing, malformed or contradicts another one."""

    exit_code = 2


class DatabaseUnavailable(ProjectorError):
    """PostgreSQL does not answer, or refuses the connection."""

    exit_code = 3


class SchemaMismatch(ProjectorError):
    """The database's schema lacks what this code needs, or no longer serves it."""

    exit_code = 4


class AppendRefused(ProjectorError):
    """The append did not commit in time; nothing was acknowledged."""


class Fenced(ProjectorError):
    """The checkpoint moved under another owner: nothing of the batch was written."""


class RebuildRefused(ProjectorError):
    """Another rebuild of the same projection is under way."""
