"""The chain over the log: sealed block by block, and compared with the rows.

A chain is SHA-256 of the chain before and of a block's rows (0008_roles.sql). Whoever owns the schema can
make a new one after changing rows; an anchor, a position and its chain that were kept elsewhere, shows that
alone.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from projector.database import Database, Queryable
from projector.log.read import read_head
from projector.statements import queries

_SQL: Final = queries("log")

BLOCK: Final = 10_000  # positions; log.seal() takes no more
SEALS_AT_ONCE: Final = 1000
# How many positions of a kind are named, block by block.
NAMED: Final = 20
# A block's bodies may be gigabytes.
STATEMENT_SECONDS: Final = 3600.0

_ANCHOR: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})", re.ASCII | re.IGNORECASE)

Progress = Callable[[int, int], None]


class Seal(NamedTuple):
    """The chain after a position."""

    position: int
    chain: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.chain.hex()}"


def parse_anchor(text: str) -> Seal:
    """Return the seal that `POSITION:CHAIN` stands for; raises ValueError."""
    match = _ANCHOR.fullmatch(text.strip())
    if match is None:
        raise ValueError("an anchor is POSITION:CHAIN, with 64 hexadecimal digits")
    return Seal(int(match[1]), bytes.fromhex(match[2]))


_NOTHING: Final = Seal(0, b"")


@dataclass
class ChainVerdict:
    """The result of comparing the log with its seals: one sentence a finding; `sealed`: the newest seal."""

    head: int
    seals: int = 0
    sealed: Seal = _NOTHING
    findings: list[str] = field(default_factory=list)

    @property
    def unsealed(self) -> int:
        """How many positions at the end of the log no seal covers yet."""
        return max(self.head - self.sealed.position, 0)


async def seal_block(database: Queryable, until: int) -> Seal | None:
    """Seal the next block of positions up to `until`.

    None where nothing is to do, or where somebody else seals just now.
    """
    rows = await database.fetch(_SQL["seal"], until)
    return Seal(*rows[0]) if rows else None


async def verify_chain(database: Database, anchor: Seal | None, progress: Progress) -> ChainVerdict:
    """Compare every row of the log with the seals, and the seals with an anchor; stops nothing.

    `progress` is called with (positions, head).
    """
    verdict = ChainVerdict(await read_head(database))
    rows = await database.fetch(_SQL["before_the_first"], NAMED)
    verdict.findings += [f"position {row[0]} has a row: the log begins at 1" for row in rows]
    found: Seal | None = None
    async for seal, count in _seals(database):
        await _verify_block(database, verdict, seal, count)
        if anchor is not None and seal.position == anchor.position:
            found = seal
        progress(min(seal.position, verdict.head), verdict.head)
    for after in range(verdict.sealed.position, verdict.head, BLOCK):
        until = min(after + BLOCK, verdict.head)
        verdict.findings += await _changed_bodies(database, after, until)
        verdict.findings += await _missing_rows(database, after, until)
        progress(until, verdict.head)
    if anchor is not None:
        verdict.findings += _against(anchor, found, verdict.head)
    return verdict


async def _seals(database: Database) -> AsyncIterator[tuple[Seal, int]]:
    """Yield every seal in order, with the number of its block's rows when it was sealed."""
    after = 0
    while rows := await database.fetch(_SQL["seals"], after, SEALS_AT_ONCE):
        for position, chain, count in rows:
            yield Seal(position, chain), count
            after = position


async def _verify_block(
    database: Database, verdict: ChainVerdict, seal: Seal, sealed_rows: int
) -> None:
    """Compare a block with its seal, which hangs on the seal before as that stands in the table."""
    before = verdict.sealed
    (chain, count), bodies = await asyncio.gather(
        _chained(database, before, seal.position),
        _changed_bodies(database, before.position, seal.position),
    )
    where = f"positions {before.position + 1} to {seal.position}"
    if count != sealed_rows:
        verdict.findings.append(f"{where}: {sealed_rows:,} rows were sealed, {count:,} are there")
    if chain != seal.chain:
        verdict.findings.append(
            f"{where}: a row was changed, removed or inserted since it was sealed, or the seal itself "
            "or the one before it was changed"
        )
    verdict.findings += bodies
    if count != seal.position - before.position:
        verdict.findings += await _missing_rows(database, before.position, seal.position)
    verdict.sealed = seal
    verdict.seals += 1


async def _chained(database: Database, before: Seal, until: int) -> tuple[bytes, int]:
    """Return the chain after a block as its rows give it, and how many rows there are."""
    rows = await database.fetch(
        _SQL["chained"], before.chain, before.position, until, timeout=STATEMENT_SECONDS
    )
    return rows[0]["chain"], rows[0]["rows"]


async def _changed_bodies(database: Database, after: int, until: int) -> list[str]:
    """Find the bodies that are not what their digests say."""
    rows = await database.fetch(
        _SQL["bodies_unlike_digests"], after, until, NAMED, timeout=STATEMENT_SECONDS
    )
    return [f"position {row[0]}: the body was changed" for row in rows]


async def _missing_rows(database: Database, after: int, until: int) -> list[str]:
    """Find the positions without a row."""
    rows = await database.fetch(_SQL["missing"], after, until, NAMED, timeout=STATEMENT_SECONDS)
    return [
        f"position {first}: the row is missing"
        if first == last
        else f"positions {first} to {last}: the rows are missing"
        for first, last in rows
    ]


def _against(anchor: Seal, found: Seal | None, head: int) -> list[str]:
    """Compare an anchor with the seal at its position; the rows under that seal are compared already."""
    if found == anchor:
        return []
    if anchor.position > head:
        return [f"the anchor is at position {anchor.position}, and the log ends at {head}"]
    if found is None:
        return [f"there is no seal at the anchor's position {anchor.position} any more"]
    changed = "is not the anchor's: rows up to there were changed, and the seals made anew"
    return [f"the chain at position {anchor.position} {changed}"]
