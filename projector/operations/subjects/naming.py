"""Whether a text or a decoded value names a person. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from projector.operations.subjects.person import Person
from projector.zoom.events import identifier

# A shorter id is found where it is a whole value alone: within a longer text it could be any word.
LEAST_ID_IN_TEXT: Final = 16

_ASCII_RUN: Final = re.compile(r"[!#-\[\]-~]+")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")
_IDENTIFYING: Final = ("id", "user_id")


class Naming:
    """The ids and e-mails of one person, compared without regard to case."""

    def __init__(self, person: Person) -> None:
        self.ids = person.own_ids
        self.emails = person.own_emails
        self._whole = self.ids | self.emails | person.keys
        self._others = frozenset().union(*person.shared.values())
        emails = "|".join(re.escape(email) for email in sorted(self.emails)) or r"(?!)"
        long = (re.escape(one) for one in sorted(self.ids) if len(one) >= LEAST_ID_IN_TEXT)
        ids = "|".join(long) or r"(?!)"
        self._within = re.compile(
            rf"(?<![\w.%+-])(?:{emails})(?![\w-]|\.\w)|(?<![A-Za-z0-9_-])(?:{ids})(?![A-Za-z0-9_-])"
        )

    def patterns(self) -> list[str]:
        """For LIKE: the longest part of each id and e-mail that is written alike everywhere.

        A wildcard in it finds more, never less.
        """
        runs = {max(_ASCII_RUN.findall(one), key=len, default="") for one in self.ids | self.emails}
        return sorted(f"%{run}%" for run in runs)

    def in_text(self, text: str) -> bool:
        """Whether a text is one of their ids or e-mails, or holds one."""
        lower = text.lower()
        return lower in self._whole or self._within.search(lower) is not None

    def in_raw(self, body: bytes) -> bool:
        """Whether bytes that are no JSON hold one, also where it is written with JSON's escapes."""
        text = body.decode(json.detect_encoding(body), errors="replace")
        return self.in_text(_ESCAPED.sub(_unescaped, text))

    def in_value(self, name: str, value: Any) -> bool:
        """Whether a scalar names them. `name`: of its field; a number is an id in a field of ids alone."""
        if isinstance(value, str):
            return self.in_text(value)
        if type(value) is int and (name == "id" or name.endswith("_id")):
            return str(value) in self.ids
        return False

    def is_them(self, entity: Mapping[str, Any]) -> bool:
        """Whether an object is the person: by its id, or without one by its e-mail."""
        ids = [one.lower() for field in _IDENTIFYING if (one := identifier(entity.get(field)))]
        if ids:
            return any(one in self.ids or one in self._whole for one in ids)
        email = entity.get("email")
        return isinstance(email, str) and email.lower() in self.emails

    def is_other(self, entity: Mapping[str, Any]) -> bool:
        """Whether an object is somebody else who had one of their e-mails: that names the other one."""
        ids = (identifier(entity.get(field)) for field in (*_IDENTIFYING, "user_key", "person_key"))
        return any(one is not None and one.lower() in self._others for one in ids)

    def anywhere_in(self, value: Any) -> bool:
        """Whether any scalar of a document names them, at any depth."""
        return any(self.in_value(name, scalar) for name, scalar in scalars(value))


def scalars(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name of a field, as itself, and every scalar with the name of its field; not recursive."""
    stack = [("", value)]
    while stack:
        name, one = stack.pop()
        if isinstance(one, dict):
            stack += one.items()
            stack += (("", key) for key in one)
        elif isinstance(one, list):
            stack += ((name, item) for item in one)
        else:
            yield name, one


def _unescaped(found: re.Match[str]) -> str:
    return found[2] or chr(int(found[1], 16))
