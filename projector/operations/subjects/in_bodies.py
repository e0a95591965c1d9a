"""What bodies have about a person: of the log, of the quarantine, and of unfinished readings of REST."""

import zlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any, Final

import asyncpg

from projector.database import Queryable
from projector.folding.documents import ABSENT
from projector.operations.subjects.naming import Naming
from projector.operations.subjects.parts import Parts
from projector.operations.subjects.person import Person
from projector.operations.subjects.place import Place, Record, moment_of
from projector.operations.subjects.tables import LOG, PROGRESS, QUARANTINE, SPECIAL
from projector.statements import queries
from projector.zoom.bodies import decode_json
from projector.zoom.event_time import event_time

_SQL: Final = queries("subjects")

Progress = Callable[[int, int], None]

# Positions that one statement looks at, and bytes of bodies that are read at once.
POSITIONS_AT_ONCE: Final = 10_000
BYTES_AT_ONCE: Final = 4 * 1024 * 1024
QUARANTINED_AT_ONCE: Final = 20
SCAN_SECONDS: Final = 600.0

CANNOT_BE_READ: Final = "the bytes are no JSON, so what is about others in them cannot be left out"


class FoundInLog:
    """The records of the log by position, e-mails that the person's own events tell, and their digests."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}
        self.emails: set[str] = set()
        self.digests: set[str] = set()

    def place(self) -> Place:
        """The log as a place."""
        return Place(LOG, SPECIAL[LOG], [self.records[at] for at in sorted(self.records)])


async def search_log(
    database: Queryable, person: Person, head: int, named: Collection[int], progress: Progress
) -> FoundInLog:
    """Search the log up to a head: the positions that rows of state name, and all that a scan finds."""
    found = FoundInLog()
    naming = Naming(person)
    patterns, parts = naming.patterns(), Parts(naming)
    await _read(database, person, sorted(named), parts, naming, found)
    for start in range(0, head, POSITIONS_AT_ONCE):
        end = min(start + POSITIONS_AT_ONCE, head)
        rows = await database.fetch(_SQL["candidates"], start, end, patterns, timeout=SCAN_SECONDS)
        for some in _chunks(rows):
            await _read(database, person, some, parts, naming, found)
        progress(end, head)
    return found


def _chunks(rows: Sequence[asyncpg.Record]) -> list[list[int]]:
    """Positions in groups of at most so many bytes, but at least one."""
    chunks, size = list[list[int]](), BYTES_AT_ONCE + 1
    for position, length in rows:
        if size + length > BYTES_AT_ONCE:
            chunks.append([])
            size = 0
        chunks[-1].append(position)
        size += length
    return chunks


async def _read(
    database: Queryable,
    person: Person,
    positions: Sequence[int],
    parts: Parts,
    naming: Naming,
    found: FoundInLog,
) -> None:
    for start in range(0, len(positions), POSITIONS_AT_ONCE):
        some = list(positions[start : start + POSITIONS_AT_ONCE])
        for row in await database.fetch(_SQL["events_at"], some):
            if row["body"] is None or row["account_id"] in person.elsewhere:
                continue
            content, why_not, decoded = _content(row["body"], parts, naming)
            if content is ABSENT:
                continue
            found.digests.add(row["digest"].hex())
            found.emails |= set(_own_emails(naming, decoded))
            found.records[row["position"]] = Record(
                {"position": row["position"]}, _event_time(decoded, row), row["received_at"], row["source"],
                content, why_not,
            )  # fmt: skip


def _content(body: bytes, parts: Parts, naming: Naming) -> tuple[Any, str | None, Any]:
    """The part of a body, or ABSENT; why it is not given where it names the person; the decoded body."""
    try:
        decoded = decode_json(body)
    except ValueError:
        return (None, CANNOT_BE_READ, None) if naming.in_raw(body) else (ABSENT, None, None)
    return parts.of_body(decoded), None, decoded


def _event_time(decoded: Any, row: asyncpg.Record) -> Any:
    if not isinstance(decoded, dict):
        return None
    return moment_of(event_time(decoded, int(row["received_at"].timestamp() * 1000)))


def _own_emails(naming: Naming, decoded: Any) -> list[str]:
    """E-mails that an event tells of an object which is the person: its own, and those of before."""
    payload = decoded.get("payload") if isinstance(decoded, dict) else None
    if not isinstance(payload, dict) or not isinstance(entity := payload.get("object"), dict):
        return []
    own = [entity, payload.get("old_object")] if naming.is_them(entity) else []
    for listed in entity.values():
        if isinstance(listed, list):
            own += [one for one in listed if isinstance(one, dict) and naming.is_them(one)]
    emails = [one.get("email") for one in own if isinstance(one, dict)]
    return [email for email in emails if isinstance(email, str) and "@" in email]


async def search_quarantine(database: Queryable, person: Person) -> Place:
    """Search the bodies of the quarantine. What stands there is not verified, so it teaches no e-mail."""
    naming = Naming(person)
    patterns, parts, place = (
        naming.patterns(),
        Parts(naming),
        Place(QUARANTINE, SPECIAL[QUARANTINE]),
    )
    after = 0
    while rows := await database.fetch(
        _SQL["quarantine"], after, QUARANTINED_AT_ONCE, patterns, timeout=SCAN_SECONDS
    ):
        after = rows[-1]["id"]
        for row in rows:
            content, why_not, decoded = _content(row["body"], parts, naming)
            if content is ABSENT or _account(decoded) in person.elsewhere:
                continue
            where = {"id": row["id"], "reason": row["reason"], "signed": row["signed"]}
            place.records.append(
                Record(
                    where,
                    _event_time(decoded, row),
                    row["received_at"],
                    "quarantine",
                    content,
                    why_not,
                )
            )
    return place


def _account(decoded: Any) -> Any:
    payload = decoded.get("payload") if isinstance(decoded, dict) else None
    account = payload.get("account_id") if isinstance(payload, dict) else None
    return account if isinstance(account, str) else None


async def search_progress(database: Queryable, person: Person) -> Place:
    """Search what unfinished readings of REST have done."""
    naming = Naming(person)
    parts, place = Parts(naming), Place(PROGRESS, SPECIAL[PROGRESS])
    async for row in _steps(database):
        if row["account_id"] in person.elsewhere:
            continue
        content = parts.of_body(decode_json(zlib.decompress(row["done"])))
        if content is not ABSENT:
            where = {name: row[name] for name in ("run", "section", "step")}
            place.records.append(
                Record(where, row["started_at"], row["started_at"], "rest", content)
            )
    return place


async def _steps(database: Queryable) -> AsyncIterator[asyncpg.Record]:
    """One step at a time: each may be as large as a listing."""
    after = ("", "", "")
    while rows := await database.fetch(_SQL["progress"], *after):
        yield rows[0]
        after = tuple(rows[0][name] for name in ("run", "section", "step"))
