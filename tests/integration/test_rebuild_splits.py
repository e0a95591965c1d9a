"""A rebuild gives the live rows, however its tasks are cut and distributed.

Each seed is a log with late and duplicate events, dead letters of every kind and large bodies, and some
verifications of it, whose tasks go at random to workers in this process, each with its own scanner.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from projector.database import Database, open_database
from projector.folding.tables import Projection
from projector.log.read import read_head, repeated
from projector.projections import PROJECTIONS
from projector.rebuild import fill, scan, states, tasks
from projector.rebuild.side_process import CONNECTIONS
from projector.rebuild.tasks import Task
from projector.rebuild.verify import verify
from projector.rebuild.worker import LocalWorker, Worker
from projector.state.dead_letters import list_dead_letters
from projector.state.shadow import Shadow
from projector.tasks import side_by_side
from tests.integration.stepping import Stepper
from tests.oracle.story import event
from tests.runtime_rig import append_bodies, append_story, no_progress, rebuild_leftovers, story

SEEDS = range(7)
DEALS = 2
LARGE = 70 * 1024
BODIES = "SELECT body FROM log.events WHERE event_ts >= 0 ORDER BY position"


def unfoldable() -> Iterator[bytes]:
    """One event for each reason for which an event becomes a dead letter."""
    yield event("user.updated", 1, {"dept": "x"})
    yield event("user.created", 1, {"id": "u", "dept": "x"}, account=None)
    yield event("user.deleted", 1, {"id": "u"}, account="")
    yield event("user.presence_status_updated", 1, {"id": "i" * 101})
    yield event("user.signed_in", 1, {"id": "u"}, account="a" * 101)
    yield event("user.personal_notes_updated", 1, {"personal_notes": "x"})
    yield event("group.created", 1, {"name": "x"})
    yield event("group.member_added", 1, {"id": "g", "members": "all"})
    yield event("group.member_deleted", 1, {"id": "g", "members": [{}, {"id": "u"}, 7]})
    yield event("group.admin_added", 1, {"id": "g", "admins": [{"id": "i" * 101}]})
    yield event("group.settings_updated", 1, {"settings": {"a": 1}})
    deep: object = "x"
    for _ in range(150):
        deep = [deep]
    yield event("user.settings_updated", 1, {"id": "u", "settings": {"deep": deep}})
    yield event("user.updated", 1, {"id": "u", "deep": deep}, operation="sign_out_from_all_devices")


def large(chance: random.Random) -> Iterator[bytes]:
    """Bodies so large that a slice reads them one by one, of entities that have other events too."""
    for number in range(3):
        user, at = chance.choice(["Ann-9Q", "u"]), chance.randint(0, 50)
        settings = {f"k{n}": "x" * 1000 for n in range(LARGE // 1000)}
        yield event("user.settings_updated", at, {"id": user, "settings": settings})
        yield event("user.updated", at, {"id": user, "dept": f"{number}", "more": "y" * LARGE})
        yield event("group.created", at, {"id": "G-3", "name": f"{number}", "more": "y" * LARGE})


async def fill_log(database: Database, chance: random.Random, seed: int) -> None:
    """A disorderly log in which some events stand at up to three positions, and some are erased."""
    await append_story(database, story(seed, 140), chance.randint(10, 60))
    await append_bodies(database, [*unfoldable(), *large(chance)])
    for _ in range(2):
        await database.fetch("DELETE FROM log.digests WHERE event_ts >= 0")
        bodies = [row[0] for row in await database.fetch(BODIES)]
        await append_bodies(database, [*chance.sample(bodies, 30), *large(chance)])
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE log.events DISABLE TRIGGER events_are_append_only")
        await connection.execute(
            "UPDATE log.events SET body = NULL WHERE position = ANY ($1)",
            chance.sample(range(1, 200), 10),
        )
        await connection.execute(
            "ALTER TABLE log.events ENABLE ALWAYS TRIGGER events_are_append_only"
        )


@pytest.fixture
def dealing(monkeypatch: pytest.MonkeyPatch) -> Callable[[random.Random], None]:
    """Cut and distribute the tasks of the next rebuilds at random among workers in this process."""

    @asynccontextmanager
    async def beside(
        number: int, url: str, shadows: Sequence[Shadow], memory: int
    ) -> AsyncIterator[list[Worker]]:
        workers: list[Worker] = []
        async with AsyncExitStack() as stack:
            for _ in range(number):
                # As a side process has it: tasks that wait for connections of one pool may wait for ever.
                database = await open_database(url, size=CONNECTIONS)
                stack.callback(database.terminate)
                own = [replace(shadow, database=database) for shadow in shadows]
                workers.append(LocalWorker(database, own, memory))
            yield workers

    def deal(chance: random.Random) -> None:
        async def share_out(
            workers: Sequence[Worker], some: Iterable[Task], done: Callable[[Task], None]
        ) -> None:
            shuffled = list(some)
            chance.shuffle(shuffled)
            hands: list[list[Task]] = [[] for _ in workers]
            for task in shuffled:
                chance.choice(hands).append(task)

            async def work(worker: Worker, hand: list[Task]) -> None:
                for task in hand:
                    await worker.do(task)
                    done(task)

            await side_by_side(*map(work, workers, hands))

        def cut(projections: Sequence[Projection], _parts: int) -> Iterator[list[Task]]:
            return tasks.stages(projections, chance.randint(1, 5))

        monkeypatch.setattr(fill, "side_workers", beside)
        monkeypatch.setattr(fill, "_share_out", share_out)
        monkeypatch.setattr(fill, "stages", cut)
        monkeypatch.setattr(fill, "POSITIONS_A_PROCESS", 1)
        monkeypatch.setattr(fill, "MEMORY", chance.choice([1, 10_000, 40_000, 10_000_000]))
        monkeypatch.setattr(tasks, "SCAN_POSITIONS", chance.choice([17, 40, 90, 1000]))
        monkeypatch.setattr(scan, "READ_ROWS", chance.choice([7, 20, 400]))
        monkeypatch.setattr(scan, "READ_BYTES", chance.choice([20_000, 200_000]))
        monkeypatch.setattr(scan, "MOST_ENTRIES", chance.choice([5, 30, 1000]))
        monkeypatch.setattr(states, "EVENTS_AT_ONCE", chance.choice([1, 9, 500]))
        monkeypatch.setattr(states, "MOST_LETTERS", chance.choice([0, 3, 1000]))

    return deal


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_cut_and_deal_gives_the_live_rows(
    database: Database, dealing: Callable[[random.Random], None], seed: int
) -> None:
    chance = random.Random(seed)
    await fill_log(database, chance, seed)
    await Stepper(database, chance, faults=0).run(most=100)
    head = await read_head(database)
    assert len(await repeated(database, head, timeout=60)) > 30
    reasons = {letter.error for letter in await list_dead_letters(database)}
    assert len(reasons) > 6, reasons
    for _ in range(DEALS):
        dealing(chance)
        processes = chance.randint(1, 4)
        verdicts = await verify(database, PROJECTIONS, no_progress, processes=processes)
        assert [verdict for verdict in verdicts if verdict.differences] == []
        # A few observations may tell nothing of an account or a section.
        assert sum(verdict.rows > 0 for verdict in verdicts) >= len(PROJECTIONS) - 2
    assert await rebuild_leftovers(database) == 0
