"""What an address asks for, read from its path and its query."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from projector.console.errors import Misasked

LARGEST_POSITION: Final = 2**63 - 1
LONGEST_TEXT: Final = 400


class Asked:
    """The parts of an address by name. A part that is there and blank is not there."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._parts = {name: value for name, text in parts.items() if (value := text.strip())}

    def text(self, name: str) -> str | None:
        """Return a text, or None. Raises Misasked for one that no value of the directory can be."""
        value = self._parts.get(name)
        if value is not None and (len(value) > LONGEST_TEXT or "\0" in value):
            raise Misasked(f"{name} takes a text of at most {LONGEST_TEXT} characters")
        return value

    def needed(self, name: str) -> str:
        """Return a text that must be there. Raises Misasked."""
        value = self.text(name)
        if value is None:
            raise Misasked(f"the address must name {name}")
        return value

    def position(self, name: str) -> int | None:
        """Return a position in the log, or None. Raises Misasked."""
        value = self.text(name)
        if value is None:
            return None
        if not value.isascii() or not value.isdigit() or int(value) > LARGEST_POSITION:
            raise Misasked(f"{name} takes a position in the log: a whole number")
        return int(value)

    def moment(self, name: str) -> datetime | None:
        """Return a moment, or None: ISO 8601, UTC where no zone is named. Raises Misasked."""
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Misasked(
                f"{name} takes a date or a time such as 2026-03-03 or 2026-03-03T12:00Z"
            ) from None

    def choice(self, name: str, among: Mapping[str, object] | tuple[str, ...]) -> str | None:
        """Return one of some words, or None. Raises Misasked."""
        value = self.text(name)
        if value is not None and value not in among:
            raise Misasked(f"{name} takes one of: {', '.join(among)}")
        return value

    def filters(self, *names: str) -> dict[str, str]:
        """Return those of the named parts that are there, as they were written."""
        return {name: self._parts[name] for name in names if name in self._parts}
