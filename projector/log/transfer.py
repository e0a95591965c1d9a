"""Export the log to a file and import from one: NDJSON, each line an envelope or a bare body."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import BinaryIO, Final, Protocol, TypeVar

import asyncpg

from projector.database import UNAVAILABLE, Database, retrying
from projector.database_reasons import went_away
from projector.errors import AppendRefused
from projector.log.append import OWN_SOURCES, Appended, Source, append
from projector.log.documents import opened
from projector.log.envelope import LONGEST_LINE, BadLine, Line, decode, encode
from projector.log.read import read_head
from projector.statements import queries
from projector.zoom.delivery import Delivery
from projector.zoom.redaction import Redactor

T = TypeVar("T")

_SQL: Final = queries("log")

# A page of an export, and an append of an import.
BATCH_ROWS: Final = 500
BATCH_BYTES: Final = 4 * 1024 * 1024

# An append waits 1.5 s for its lock; after so many attempts we stop waiting for others or for a restart.
_ATTEMPTS: Final = 6
_PASSING: Final = (asyncpg.LockNotAvailableError, *UNAVAILABLE)

_SKIPPED_AT_ONCE: Final = 1024 * 1024

Progress = Callable[[int, int], None]
ReportBad = Callable[[int, str], None]


@dataclass(frozen=True)
class ExportSummary:
    """Lines written; events left out as erased, or because their bytes come earlier in the log.

    `unreadable`: left out of a redacted export because their bodies are no JSON objects.
    """

    exported: int
    erased: int
    repeated: int
    unreadable: int = 0


@dataclass(frozen=True)
class ImportSummary:
    """Lines appended, lines whose bytes were in the log already, and bad lines."""

    appended: int
    duplicates: int
    bad: int


class Writable(Protocol):
    """What an export is written to."""

    def write(self, data: bytes, /) -> object:
        """Write it all."""

    def flush(self) -> object:
        """Hand on what was written."""


async def export_log(
    database: Database,
    out: Writable,
    progress: Progress | None = None,
    redactor: Redactor | None = None,
) -> ExportSummary:
    """Write every event up to the head at the call, in the order of positions, a page in memory at a time.

    `progress` is called with the position reached and that head; `redactor` makes the bodies, where given.
    Raises DatabaseUnavailable, and what `out` raises where it cannot be written.
    """
    exported = erased = repeated = unreadable = 0
    head = await _patiently(lambda: read_head(database))
    async for rows in _pages(database, head):
        for row in rows:
            if row["body"] is None:
                erased += 1
            elif row["repeated"]:
                repeated += 1
            elif (line := _line(row, redactor)) is None:
                unreadable += 1
            else:
                out.write(line)
                exported += 1
        if progress is not None:
            progress(rows[-1]["position"], head)
    out.flush()
    return ExportSummary(exported, erased, repeated, unreadable)


def _line(row: asyncpg.Record, redactor: Redactor | None) -> bytes | None:
    """The line of an event, or None where its body cannot be redacted."""
    received_at, request_id, source = row["received_at"], row["request_id"], row["source"]
    if redactor is None:
        return encode(received_at, request_id, source, row["body"])
    body = redactor.body(row["body"])
    if body is None:
        return None
    return encode(received_at, redactor.identifier(request_id), source, body, redacted=True)


async def _pages(database: Database, head: int) -> AsyncIterator[list[asyncpg.Record]]:
    position = 0

    async def page() -> list[asyncpg.Record]:
        return await database.fetch(_SQL["export"], position, BATCH_ROWS, head, BATCH_BYTES)

    while rows := await _patiently(page):
        yield rows
        position = rows[-1]["position"]


async def import_file(
    database: Database,
    source: BinaryIO,
    progress: Progress | None = None,
    report_bad: ReportBad | None = None,
) -> ImportSummary:
    """Append the deliveries of a file that the log does not hold already.

    The file is NDJSON, or up to 64 MiB of JSON over many lines: objects, or an array of them.
    An envelope keeps its time of receipt and request id; a bare body is kept byte for byte (a
    carriage return too) and counts as received now. `progress` is called with the lines and bytes
    read, `report_bad` with a line's number, from 1, and what is wrong with it. Raises
    DatabaseUnavailable, AppendRefused or ImportRefused; what was appended until then stays, and importing
    again continues.
    """
    importer = _Importer(database)
    bad = size = number = 0
    for number, line, length in _lines(source):
        size += length
        try:
            importer.add(line)
        except BadLine as error:
            bad += 1
            if report_bad is not None:
                report_bad(number, str(error))
        if importer.is_full:
            await importer.append()
            if progress is not None:
                progress(number, size)
    await importer.append()
    if progress is not None:
        progress(number, size)
    return ImportSummary(importer.appended, importer.duplicates, bad)


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None, int]]:
    """Yield each line without its newline, or None where it is too long for memory; its number and length.

    Of a file of JSON over many lines, each document in place of a line.
    """
    file = opened(source, LONGEST_LINE)
    if isinstance(file, list):
        yield from file
        return
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if line.endswith(b"\n") or len(line) <= LONGEST_LINE:
            yield number, line.removesuffix(b"\n"), len(line)
            continue
        length = len(line)
        while line and not line.endswith(b"\n"):
            line = file.readline(_SKIPPED_AT_ONCE)
            length += len(line)
        yield number, None, length


class _Importer:
    """Gathers deliveries, and appends them a batch at a time."""

    def __init__(self, database: Database) -> None:
        self.appended = 0
        self.duplicates = 0
        self._database = database
        self._batch: list[Line] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self._batch) >= BATCH_ROWS or self._bytes >= BATCH_BYTES

    def add(self, line: bytes | None) -> None:
        """Add the delivery of a line, if it is not blank. Raises BadLine."""
        if line is None:
            raise BadLine("it is longer than 64 MiB")
        if line.isspace() or not line:
            return
        decoded = decode(line, datetime.now(UTC))
        self._batch.append(decoded)
        self._bytes += len(decoded.delivery.body)

    async def append(self) -> None:
        """Append what was added since."""
        batch, self._batch, self._bytes = self._batch, [], 0
        new = await self._absent(batch) if batch else []
        appended = 0
        for source, lines in groupby(new, attrgetter("source")):
            results = await self._append([line.delivery for line in lines], source)
            appended += sum(not result.duplicate for result in results)
        self.appended += appended
        self.duplicates += len(batch) - appended

    async def _append(self, deliveries: list[Delivery], source: Source) -> list[Appended]:
        return await _patiently(lambda: append(self._database, deliveries, source=source))

    async def _absent(self, batch: list[Line]) -> list[Line]:
        """Return those that are not in the log: an append by itself forgets old digests."""
        times, digests, own = zip(
            *((d.event_ts, d.digest, source in OWN_SOURCES) for d, source in batch), strict=True
        )
        rows = await _patiently(lambda: self._database.fetch(_SQL["present"], times, digests, own))
        present = {row["ord"] for row in rows}
        return [line for place, line in enumerate(batch, 1) if place not in present]


async def _patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Call what may safely run twice; again where others hold the lock or the server restarts."""
    try:
        return await retrying(attempt, on=_PASSING, times=_ATTEMPTS)
    except asyncpg.LockNotAvailableError:
        raise AppendRefused(
            "another session holds the log's append lock; `projector status` names it: end that "
            "session and run the same command again"
        ) from None
    except UNAVAILABLE as error:
        raise went_away(error, "once that is mended, run the same command again") from None
