"""Appending, folding and comparing for tests of the runtime."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import asyncpg

from projector.database import Appendable, Database, Queryable
from projector.live.replica import Replica
from projector.log.append import Appended, Within, append
from projector.log.read import read_head
from projector.projections import PROJECTIONS
from projector.rebuild.verify import verify
from projector.statements import queries
from projector.zoom.delivery import Delivery, delivery_of, head_of
from tests.directory_rows import deliveries, shown
from tests.oracle.histories import as_log, history, source_of
from tests.oracle.naive_fold import fold
from tests.oracle.story import event

RECEIVED = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def no_progress(_position: int, _target: int) -> None:
    """Ignore progress."""


def delivery(body: bytes, received_at: datetime = RECEIVED) -> Delivery:
    """One delivery, ready to append."""
    return delivery_of(body, head_of(body), received_at=received_at)


def appendable(database: Queryable) -> Appendable:
    """What appends to it."""
    return database if isinstance(database, Database) else Within(database)


async def append_bodies(database: Queryable, bodies: Sequence[bytes]) -> list[Appended]:
    """Append bodies in one call."""
    return await append(appendable(database), [delivery(body) for body in bodies])


def renamed(number: int, user: str = "u") -> bytes:
    """A change of a user's display name, `number` milliseconds into the story."""
    return event("user.updated", number, {"id": user, "display_name": f"name {number}"})


def story(seed: int, count: int, *, disorder: bool = True) -> list[Delivery]:
    """A simulated account's history, with every event, in order or not."""
    some = as_log(history(seed, count))
    if disorder:
        random.Random(seed).shuffle(some)
    return [delivery(d.body, d.received_at) for d in some if d.body is not None]


async def append_story(database: Database, some: Sequence[Delivery], size: int = 200) -> None:
    """Append deliveries, at most `size` per call, and observations as such."""
    for start in range(0, len(some), size):
        await append_told(database, some[start : start + size])


async def append_told(database: Queryable, some: Sequence[Delivery]) -> None:
    """Append deliveries in their order, and facts of our own as such."""
    for source, told in groupby(some, lambda one: source_of(one.body)):
        await append(appendable(database), list(told), source=source)


@asynccontextmanager
async def replica(database: Database, **options: Any) -> AsyncIterator[Replica]:
    """A projector replica in the test's process, stopped cleanly at the end."""
    running = Replica(database, **options)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def positions(database: Database) -> dict[str, int]:
    """The position of each projection."""
    rows = await database.fetch("SELECT projection, position FROM state.checkpoints")
    return {row[0]: row[1] for row in rows}


async def owners(database: Database) -> dict[str, str | None]:
    """The replica that holds the lease on each projection."""
    rows = await database.fetch("SELECT projection, owner FROM state.checkpoints")
    return {row[0]: row[1] for row in rows}


async def until(condition: Any, seconds: float = 10, *, pause: float = 0.02) -> float:
    """Wait until an asynchronous condition holds; returns the seconds waited."""
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        await asyncio.sleep(pause)
    return time.monotonic() - started


async def until_folded(
    database: Database, seconds: float = 20, names: Iterable[str] | None = None
) -> float:
    """Wait until projections are at the head; returns the seconds waited."""
    wanted = set(names or (projection.name for projection in PROJECTIONS))

    async def folded() -> bool:
        head = await read_head(database)
        return all(at >= head for name, at in (await positions(database)).items() if name in wanted)

    return await until(folded, seconds)


async def assert_oracle_agrees(database: Database) -> None:
    """Assert that the views show what the naive fold of the log gives."""
    rows = await shown(database)
    for view, expected in fold(await deliveries(database)).items():
        assert rows[view] == expected, view


async def assert_verified(database: Database) -> None:
    """Assert that a new fold gives exactly the live rows."""
    verdicts = await verify(database, PROJECTIONS, no_progress)
    assert [verdict for verdict in verdicts if verdict.differences] == []


async def counted(database: Database) -> int:
    """How many events freshness has counted; it shows events folded twice or not at all."""
    return int(await database.fetchval("SELECT coalesce(sum(events), 0)::int FROM state.freshness"))


async def rebuild_leftovers(database: Database) -> int:
    """How many schemas and claims of rebuilds are left."""
    return int(
        await database.fetchval(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%')"
            " + (SELECT count(*) FROM state.rebuilds)"
        )
    )


STATE = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'state'::regnamespace "
    "AND c.relkind = 'r' ORDER BY 1"
)


async def raw(database: Database) -> dict[str, Any]:
    """Every row of every table of state, except when and by whom it was written."""
    tables = [row[0] for row in await database.fetch(STATE)]
    found = {}
    for table in set(tables) - {"replicas", "checkpoints", "rebuilds"}:
        rows = await database.fetch(f"SELECT to_jsonb(t) - 'failed_at' FROM state.{table} t")
        found[table] = sorted(row[0] for row in rows)
    return found


async def live(database: Database, seed: int = 4, count: int = 800) -> None:
    """Fold an out-of-order story with dead letters, batch by batch."""
    some = story(seed, count)
    async with replica(database, batch_events=37):
        await append_story(database, some, 50)
        await append_bodies(database, [b'{"event": "user.updated", "payload": {}}'])
        await append_bodies(
            database, [event("group.member_added", 5, {"id": "g", "members": [{}]})]
        )
        await until_folded(database)


def kind_of(statement: str) -> str:
    """The kind of a statement of the runtime."""
    signs = {
        "log.read(": "read",
        "hold_leases": "lease",
        "release_leases": "lease",
        "max(position)": "poll",
        "WITH moved": "write",
        "_history WHERE": "histories",
        "UNION ALL": "load",
        "unnest(": "load",
        "FROM state.checkpoints": "settle",
        "SELECT digest": "settle",
    }
    return next((kind for sign, kind in signs.items() if sign in statement), statement)


class Counting(Database):
    """A database that counts statements by kind: each is one round trip."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.pool, database.url, pooled=database.pooled)
        self.counts: Counter[str] = Counter()

    async def fetch(
        self, statement: str, *arguments: Any, timeout: float | None = None
    ) -> list[asyncpg.Record]:
        self.counts[kind_of(statement)] += 1
        return await super().fetch(statement, *arguments, timeout=timeout)


async def trusts(running: Any) -> bool:
    """Whether a replica trusts its LISTEN connection."""
    return bool(running._watch.trusted)


async def states(database: Database) -> dict[str, tuple[str, str | None]]:
    rows = await database.fetch(queries("status")["projections"])
    return {row["projection"]: (row["state"], row["error"]) for row in rows}


async def all_live(database: Database) -> bool:
    return set((await states(database)).values()) == {("live", None)}
