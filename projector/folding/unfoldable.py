"""The one exception that folds raise."""


class Unfoldable(Exception):
    """An event, or an entry of it, cannot be folded. The text never contains input."""
