"""The one exception of the fold."""


class Unfoldable(Exception):  # noqa: N818  a verdict on the event, not a failure of ours
    """The event, or an entry of it, cannot be folded. The text never contains input."""
