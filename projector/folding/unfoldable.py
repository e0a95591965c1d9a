"""The one exception of the fold."""


class Unfoldable(Exception):
    """The event, or an entry of it, cannot be folded. The text never contains input."""
