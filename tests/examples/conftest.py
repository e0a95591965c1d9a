"""Folds the events of all examples at once: in one log, with one account per example."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from projector.database import Database, open_database
from projector.log.append import append
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.zoom.delivery import Delivery, delivery_of, head_of
from tests.conftest import cloned
from tests.directory_rows import Rows, deliveries, shown
from tests.examples.telling import Then, Told, deliveries_of
from tests.oracle.naive_fold import fold
from tests.runtime_rig import no_progress, replica, until_folded

FOLDS = ("naive", "live", "rebuilt")


@dataclass
class Example:
    """The events of one test, and their positions in the log."""

    number: int
    told: list[Told]
    accounts: dict[str, str] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)

    def delivery(self, told: Told) -> Delivery:
        """The delivery as appended: unlike any of another example."""
        body = dict(told.body or {"event": "erased"}, example=self.number)
        payload = body.get("payload")
        if isinstance(payload, dict) and "account_id" in payload:
            account = self._account(payload["account_id"])
            body["payload"] = {**payload, "account_id": account}
        raw = json.dumps(body).encode()
        return delivery_of(raw, head_of(raw), received_at=told.received_at)

    def _account(self, told: Any) -> Any:
        """An account that no other example has; a value that is no account id stays unchanged."""
        if told is None or told == "":
            return told
        own = 1000 * self.number + told if isinstance(told, int) else f"{self.number} {told}"
        self.accounts[str(own)] = str(told)
        return own

    def rows(self, views: Rows) -> Rows:
        """This example's rows, as if the log held only its events."""
        return {
            view: [self._as_told(row) for row in rows if self._owns(row)]
            for view, rows in views.items()
        }

    def _owns(self, row: Mapping[str, Any]) -> bool:
        if "account_id" in row:
            return row["account_id"] in self.accounts
        return row["position"] in self.positions

    def _as_told(self, row: dict[str, Any]) -> dict[str, Any]:
        told = dict(row)
        if "account_id" in row:
            told["account_id"] = self.accounts[row["account_id"]]
        for column in {"position", "last_position"} & row.keys():
            told[column] = self.positions[row[column]]
        return told


def _key(item: pytest.Item) -> tuple[Any, ...]:
    """What the tests of one example share: everything except the fold."""
    assert isinstance(item, pytest.Function)
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    own = sorted((name, index) for name, index in indices.items() if name != "then")
    return (item.path, item.originalname, *own)


def _examples(items: list[pytest.Item]) -> dict[tuple[Any, ...], Example]:
    examples: dict[tuple[Any, ...], Example] = {}
    for item in items:
        if isinstance(item, pytest.Function) and "then" in item.fixturenames:
            told = list(deliveries_of(item.function, item.callspec.params))
            examples.setdefault(_key(item), Example(len(examples) + 1, told))
    return examples


async def _append(database: Database, examples: list[Example]) -> None:
    for example in examples:
        for number, told in enumerate(example.told, start=1):
            if told in example.told[: number - 1]:  # without its digest, it can be in the log twice
                await database.fetch("DELETE FROM log.digests WHERE event_ts >= 0")
            [appended] = await append(database, [example.delivery(told)], source=told.source)
            example.positions[appended.position] = number
            if told.body is None:
                await _erase(database, appended.position)


async def _erase(database: Database, position: int) -> None:
    trigger = "TRIGGER events_are_append_only"
    async with database.transaction() as connection:
        await connection.execute(f"ALTER TABLE log.events DISABLE {trigger}")
        await connection.execute("UPDATE log.events SET body = NULL WHERE position = $1", position)
        await connection.execute(f"ALTER TABLE log.events ENABLE ALWAYS {trigger}")


async def _fold(url: str, examples: list[Example]) -> dict[str, Rows]:
    """Every view, by the naive fold, the live one and a rebuild of one log."""
    database = await open_database(url)
    await _append(database, examples)
    naive = fold(await deliveries(database))
    async with replica(database, batch_events=40):
        await until_folded(database, 60)
    live = await shown(database)
    await rebuild(database, PROJECTIONS, no_progress)
    rebuilt = await shown(database)
    await database.close()
    return {"naive": naive, "live": live, "rebuilt": rebuilt}


@pytest.fixture(scope="session")
def folded(
    request: pytest.FixtureRequest, server: str, template: str
) -> dict[tuple[Any, ...], dict[str, Rows]]:
    """The rows of each example, by fold."""
    examples = _examples(request.session.items)
    with cloned(server, template) as url:
        views = asyncio.run(_fold(url, list(examples.values())))
    return {
        key: {name: example.rows(views[name]) for name in FOLDS}
        for key, example in examples.items()
    }


@pytest.fixture(params=FOLDS)
def then(request: pytest.FixtureRequest, folded: dict[tuple[Any, ...], dict[str, Rows]]) -> Then:
    """The rows of a fold of the test's events."""
    return Then(folded[_key(request.node)][request.param])
