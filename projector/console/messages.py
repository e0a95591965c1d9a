"""What came of an action, told once on the next page that its visitor opens."""

from typing import Final, NamedTuple

MOST_VISITORS: Final = 1000
MOST_EACH: Final = 5


class Message(NamedTuple):
    """A sentence; `bad`: it tells of a failure."""

    text: str
    bad: bool = False


class Messages:
    """Messages by visitor; the oldest of very many are forgotten."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Message]] = {}

    def add(self, subject: str, message: Message) -> None:
        """Keep a message for a visitor."""
        before = self._waiting.pop(subject, [])
        if len(self._waiting) >= MOST_VISITORS:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[subject] = [*before, message][-MOST_EACH:]

    def take(self, subject: str) -> list[Message]:
        """Return a visitor's messages, which are told by that."""
        return self._waiting.pop(subject, [])
