"""What a page cannot answer; each becomes a page of its own, with a status."""

from projector.errors import ProjectorError


class Misasked(ProjectorError):
    """The address asks for something that cannot be: 400."""


class NotThere(ProjectorError):
    """There is no such person, group or page: 404."""


class Elsewhere(ProjectorError):
    """Another page answers what was asked: 303. The text is its address."""
