"""What an address asks for, read from its path and its query."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

from projector.console.errors import Misasked
from projector.history.timeline import parsed_moment

LARGEST_POSITION: Final = 2**63 - 1
LONGEST_TEXT: Final = 400


class Asked:
    """The parts of an address by name. A part that is there and blank is not there.

    What the path names is an id, and taken as it is: spaces around it belong to it.
    """

    def __init__(
        self, query: Mapping[str, str], path: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._parts = {name: value for name, text in query.items() if (value := text.strip())}
        self._parts |= path

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Return a text, or None. Raises Misasked for one that no value of the directory can be."""
        value = self._parts.get(name)
        if value is not None and (len(value) > longest or "\0" in value):
            raise Misasked(f"{name} takes a text of at most {longest} characters")
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
            return parsed_moment(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Misasked(
                f"{name} takes a date or a time such as 2026-03-03 or 2026-03-03T12:00Z"
            ) from None

    def key(self, name: str, parts: int) -> tuple[str, ...] | None:
        """Return the key after which a page of a list begins, as `written_key` wrote it. Raises Misasked."""
        value = self._parts.get(name)
        if value is None:
            return None
        key = tuple(unquote(part) for part in value.split("/"))
        if len(key) != parts or any("\0" in part for part in key):
            raise Misasked(f"{name} takes a place in the list, as the links to its pages give it")
        return key

    def choice(self, name: str, among: Mapping[str, object] | tuple[str, ...]) -> str | None:
        """Return one of some words, or None. Raises Misasked."""
        value = self.text(name)
        if value is not None and value not in among:
            raise Misasked(f"{name} takes one of: {', '.join(among)}")
        return value

    def filters(self, *names: str) -> dict[str, str]:
        """Return those of the named parts that are there, as they were written."""
        return {name: self._parts[name] for name in names if name in self._parts}


def written_key(*parts: str) -> str:
    """Return the key of a row of a list as one text, whatever is in its parts."""
    return "/".join(quote(part, safe="") for part in parts)
