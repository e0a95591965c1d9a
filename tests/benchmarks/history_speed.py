"""History: what it takes in bytes and in a rebuild, and how quick its answers are."""

import asyncio
import time
from typing import Final

import asyncpg

from tests.benchmarks import processes
from tests.benchmarks.bench import Bench
from tests.benchmarks.databases import settle
from tests.benchmarks.figures import Row, Target, ratios, spread
from tests.benchmarks.folding_speed import logged

REPEATED: Final = 20

# Everything that is kept for the past alone, and the log with what append keeps beside it.
HISTORY: Final = """
    SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
    WHERE c.relnamespace = 'state'::regnamespace AND c.relkind = 'r'
      AND (c.relname LIKE '%\\_versions' OR c.relname = 'sign_in_moments')
"""
LOG: Final = """
    SELECT pg_total_relation_size('log.events') + pg_total_relation_size('log.digests')
"""
EXAMPLES: Final = """
    SELECT
        (SELECT state.time_of(folded) FROM state.user_versions ORDER BY folded
         OFFSET (SELECT count(*) / 2 FROM state.user_versions) LIMIT 1) AS at,
        (SELECT user_id FROM state.user_versions GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS "user",
        (SELECT group_id FROM state.memberships WHERE added
         GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS "group"
"""
# What is asked; the same of the present, or nothing; milliseconds to reach, and to aim at.
LOOK_UPS: Final = (
    ("a person at t", "users_at('{at}') WHERE user_id = '{user}'",
     "users WHERE user_id = '{user}'", 5.0, 1.0),
    ("everybody at t", "users_at('{at}')", "users", 2000.0, 1000.0),
    ("who was in a group at t", "memberships_at('{at}') WHERE group_id = '{group}'",
     "memberships WHERE group_id = '{group}'", 20.0, 10.0),
    ("a person's timeline", "changes WHERE user_id = '{user}'", "", 20.0, 10.0),
    ("a group's timeline", "changes WHERE group_id = '{group}'", "", 50.0, 20.0),
)  # fmt: skip


async def history(bench: Bench) -> list[Row]:
    """Bytes of the history of a mixed log, and its look-ups beside those of the present."""
    events = bench.scale.events
    async with logged(bench, events, bench.scale.users) as url:
        await _project(bench, url, events)
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("VACUUM ANALYZE", timeout=3600)
            taken, log = [float(await connection.fetchval(size)) / 1e6 for size in (HISTORY, LOG)]
            rows = [
                Row(
                    "history-bytes", f"history of {events:,} mixed events", "MB", spread([taken]),
                    "the log", spread([log]), ratios([taken], [log]), Target(1, 0.5, "lower"),
                )
            ]  # fmt: skip
            example = await connection.fetchrow(EXAMPLES)
            assert example is not None
            for what, past, present, reach, aim in LOOK_UPS:
                ours = await _times(connection, past.format(**example))
                theirs = await _times(connection, present.format(**example)) if present else None
                rows.append(
                    Row(
                        f"history: {what}", f"{what}, {events:,} events", "ms", spread(ours),
                        "the same now" if theirs else "", spread(theirs) if theirs else None,
                        target=Target(reach, aim, "lower"),
                    )
                )  # fmt: skip
        finally:
            await connection.close()
    return rows


async def _times(connection: asyncpg.Connection, query: str) -> list[float]:
    """Milliseconds of the same query again and again, each time planned anew."""
    taken = []
    for number in range(REPEATED + 1):
        started = time.perf_counter()
        await connection.fetch(f"SELECT * FROM directory.{query} /* {number} */")
        taken.append((time.perf_counter() - started) * 1000)
    return taken[1:]


async def _project(bench: Bench, url: str, events: int) -> None:
    async with processes.held_back(url, "state.replicas") as gate:
        with processes.projector("project", url, bench.folder) as process:
            await gate.open(process)
            while (
                await gate.onlooker.fetchval("SELECT min(position) FROM state.checkpoints") < events
            ):
                process.check()
                await asyncio.sleep(0.1)


async def rebuild_history(bench: Bench) -> list[Row]:
    """A rebuild of everything in one process, with and without the history."""
    events = bench.scale.events
    speeds: dict[str, list[float]] = {"with": [], "without": []}
    async with logged(bench, events, bench.scale.users) as url:
        for _, turn in bench.rounds("with", "without"):
            for side in turn:
                await settle(url)
                speeds[side].append(events / await _rebuild(bench, url, side))
    return [
        Row(
            "rebuild-history", f"rebuild of everything, {events:,} mixed events, one process",
            "events/s", spread(speeds["with"]), "without history", spread(speeds["without"]),
            ratios(speeds["with"], speeds["without"]), Target(0.6, 0.8),
        )
    ]  # fmt: skip


async def _rebuild(bench: Bench, url: str, how: str) -> float:
    arguments = ["tests.benchmarks.rebuild_with_or_without", url, how]
    with processes.running(arguments, bench.folder) as process:
        assert process.process.stdout is not None
        said = await asyncio.to_thread(process.process.stdout.read)
        process.process.wait()
        if not said:
            process.check()
        return float(said.split()[-1])
