"""What is known of a person at a moment, beside the profile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from projector.console.documents import parsed
from projector.console.moments import Moments
from projector.console.sections import Section, sections
from projector.console.snapshot import Snapshot

Rows = Sequence[asyncpg.Record]
_NONE: Final = (None, None)


class Who(NamedTuple):
    """An id of an account: in lower case, and in its spellings."""

    account: str
    key: str
    spellings: Sequence[str]

    @property
    def found(self) -> tuple[str, Sequence[str]]:
        """The first arguments of the statements about somebody."""
        return self.account, self.spellings


class State(NamedTuple):
    """Rows of the views about one person. `presence` is known of now alone."""

    groups: Rows
    administers: Rows
    settings: asyncpg.Record | None
    presence: asyncpg.Record | None
    sign_ins: Rows
    note: Any
    noted_at: datetime | None

    @property
    def sections(self) -> list[Section]:
        """Their own settings."""
        return sections(parsed(self.settings["settings"]) if self.settings else None)

    @property
    def group_names(self) -> dict[str, str | None]:
        """What the groups that the person is in are called."""
        return {row["group_id"]: row["group_name"] for row in self.groups}

    @property
    def seen_in(self) -> list[str]:
        """Where the person is named, in words."""
        found = {
            "groups": self.groups, "admins of groups": self.administers, "settings": self.settings,
            "presence": self.presence, "sign-ins": self.sign_ins,
        }  # fmt: skip
        return [words for words, rows in found.items() if rows]

    @property
    def email(self) -> str | None:
        """An e-mail that names somebody without a profile."""
        rows = (*self.groups, *self.administers, *filter(None, [self.presence]), *self.sign_ins)
        return next((row["email"] for row in rows if row["email"]), None)

    @property
    def last_event_at(self) -> list[datetime]:
        """When the newest events were, of each row."""
        rows = (*self.groups, *self.administers, *self.sign_ins, self.settings, self.presence)
        return [row["last_event_at"] for row in rows if row is not None]


async def state(read: Snapshot, who: Who, moments: Moments, then: Sequence[str]) -> State:
    """Read what is known of somebody at a moment. `then`: the spellings that the id may have then."""
    administers = await read.rows("person_administers", *who.found, moments.until)
    settings = await read.row("person_settings", *who.found, moments.until)
    if moments.at is None:
        groups = await read.rows("person_groups", *who.found)
        presence = await read.row("person_presence", *who.found)
        note = (
            (presence["personal_note"], presence["personal_note_changed_at"]) if presence else _NONE
        )
        sign_ins = await read.rows("person_sign_ins", *who.found)
        return State(groups, administers, settings, presence, sign_ins, *note)
    groups = [
        row
        for spelling in then
        for row in await read.rows("person_groups_at", who.account, spelling, moments.at)
    ]
    noted = await read.row("person_note", *who.found, moments.at)
    note = (parsed(noted["after"]), noted["changed_at"]) if noted else _NONE
    return State(groups, administers, settings, None, [], *note)
