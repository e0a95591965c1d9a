"""Secrets are only in the log: put at every depth of every event, they are in no view or state table."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from projector.database import Database
from projector.log.append import append
from projector.zoom.delivery import delivery_of, head_of
from tests.integration.stepping import Stepper

MARK = "PLANTED-7fd1"
PAYLOADS = sorted((Path(__file__).parents[1] / "payloads").glob("*.json"))


def planted(value: Any) -> Any:
    """The value with both secrets in each of its objects."""
    if isinstance(value, dict):
        inside = {key: planted(item) for key, item in value.items()}
        return inside | {"host_key": f"{MARK}-h", "pmi_password": {"now": f"{MARK}-p"}}
    if isinstance(value, list):
        return [planted(item) for item in value]
    return value


def bodies() -> list[bytes]:
    """Each event with the secrets, and with settings and attributes if it has none."""
    found = []
    for path in PAYLOADS:
        body = json.loads(path.read_text(encoding="utf-8"))
        entity = body["payload"]["object"]
        entity.setdefault("settings", {"deep": {"deeper": {"on": True}}, "list": [{"on": True}]})
        entity.setdefault("custom_attributes", [{"key": "k", "name": "n", "value": "v"}])
        body["payload"].setdefault("old_object", {"settings": {"deep": {"off": [{}]}}})
        found.append(json.dumps(planted(body)).encode())
    return found


@pytest.fixture
async def folded(database: Database) -> Database:
    await append(
        database,
        [delivery_of(body, head_of(body), received_at=datetime.now(UTC)) for body in bodies()],
    )
    await Stepper(database, random.Random(1), faults=0).run()
    return database


async def _holding(database: Database, schema: str) -> tuple[set[str], int]:
    """The relations of a schema with a secret in some row, and the number of all rows."""
    relations = await database.fetch(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm')",
        schema,
    )
    holding, count = set(), 0
    for (relation,) in relations:
        rows = await database.fetch(f"SELECT r::text FROM {relation} r")
        count += len(rows)
        if any(MARK in row[0] for row in rows):
            holding.add(relation)
    return holding, count


@pytest.mark.parametrize("schema", ["directory", "state"])
async def test_no_view_and_no_table_of_state_shows_a_secret(folded: Database, schema: str) -> None:
    holding, rows = await _holding(folded, schema)
    assert rows > len(PAYLOADS)
    assert holding == set()


async def test_the_log_keeps_them(folded: Database) -> None:
    holding, _ = await _holding(folded, "log")
    assert holding == {"log.deliveries"}  # in log.events they are bytea
