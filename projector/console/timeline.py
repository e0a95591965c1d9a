"""What happened, newest first: rows of one event together, in pages by key."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg

from projector.console.asked import Asked, written_key
from projector.console.documents import parsed
from projector.console.errors import Misasked
from projector.console.moments import FOREVER, Moments, just_before
from projector.console.snapshot import Snapshot

ROWS: Final = 30
_EVENT_ORDER: Final = re.compile(r"(?:[0-9a-f]{2}){8,41}", re.ASCII)
_ORDER: Final = (
    "user", "group", "personal_note", "sign_in", "group_admin", "membership",
    "user_settings", "group_settings", "group_locks",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Change(NamedTuple):
    """One value that an event changed, or one sign-in."""

    entity: str
    group_id: str | None
    group_name: str | None
    user_id: str | None
    user_name: str | None
    path: str
    before: Any
    after: Any
    changed_at: datetime


class Told(NamedTuple):
    """One event with its changes; `goes_on`: those of it that come before are on the page before."""

    at: datetime
    just_before: datetime
    event: str | None
    by: str | None
    position: int
    source: str | None
    late: bool
    received_at: datetime | None
    changes: Sequence[Change]
    goes_on: bool


def order_after(moment: datetime) -> str:
    """An order above those of the events up to a moment, and below all others."""
    if moment == FOREVER:
        return ""
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    return max(ms + 1, 0).to_bytes(8, "big").hex()


class Timeline(NamedTuple):
    """A page of events, newest first. `following`: where the next one begins, or a blank."""

    events: Sequence[Told]
    following: str
    begun: bool


async def timeline(
    asked: Asked, read: Snapshot, statement: str, whose: tuple[Any, ...], moments: Moments
) -> Timeline:
    """Read a page, which begins at `before`, or with the newest event up to a moment. Raises Misasked."""
    before = asked.key("before", 2)
    if before is not None and not _EVENT_ORDER.fullmatch(before[0]):
        raise Misasked("before takes a place in the timeline, as the links to its pages give it")
    order, place = before or (order_after(moments.until), "")
    rows = await read.rows(statement, *whose, order, place, ROWS + 1)
    shown = rows[:ROWS]
    last = shown[-1] if len(rows) > ROWS else None
    following = written_key(last["event_order"], last["place"]) if last else ""
    events = [
        _event(list(some), found == order)
        for found, some in groupby(shown, lambda row: row["event_order"])
    ]
    return Timeline(events, following, before is not None)


class Span(NamedTuple):
    """When something is known to have changed; `first_at`: None where only lists tell."""

    first_at: datetime | None
    last_at: datetime


async def span(
    read: Snapshot, statement: str, whose: tuple[Any, ...], begun: asyncpg.Record | None
) -> Span | None:
    """The span of a timeline; None where nothing is in it. `begun`: the row with its beginning."""
    newest = await read.row(statement, *whose, "", "", 1)
    if newest is None:
        return None
    return Span(begun["first_at"] if begun else None, newest["changed_at"])


def _event(rows: Sequence[asyncpg.Record], goes_on: bool) -> Told:
    first = rows[0]
    return Told(
        first["changed_at"], just_before(first["changed_at"]), first["event"], first["changed_by"],
        first["position"], first["source"], any(row["late"] for row in rows), first["received_at"],
        in_order(changed(row, before=row["before"]) for row in rows), goes_on,
    )  # fmt: skip


def in_order(some: Iterable[Change]) -> list[Change]:
    """Return changed values in the order in which people read them."""
    return sorted(some, key=_place)


def _place(one: Change) -> tuple[int, str, str, str]:
    of_group, of_person = one.group_name or one.group_id, one.user_name or one.user_id
    return _ORDER.index(one.entity), of_group or "", of_person or "", one.path


def changed(row: asyncpg.Record, *, before: str | None) -> Change:
    """Return the changed value of a row of a timeline."""
    return Change(
        row["entity"], row["group_id"], row["group_name"], row["user_id"], row["user_name"],
        row["path"], parsed(before), parsed(row["after"]), row["changed_at"],
    )  # fmt: skip
