"""A redacted export: nothing of anybody is in it, and it folds into a directory of the same shape."""

import asyncio
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from projector.database import open_database
from projector.log.append import append
from projector.simulator.account import Account
from projector.zoom.bodies import decode_json
from projector.zoom.catalogue import EVENTS
from projector.zoom.delivery import Head, delivery_of
from tests.command_rig import fold, projector, query
from tests.conftest import cloned
from tests.directory_rows import Rows, shown
from tests.runtime_rig import append_told, delivery

RECEIVED = datetime(2027, 1, 1, tzinfo=UTC)
PAYLOADS = Path(__file__).parent.parent / "payloads"
PERSONAL = {
    "first_name", "last_name", "display_name", "name", "email", "operator", "dept", "company", "timezone",
    "phone_number", "pic_url", "vanity_name", "personal_notes", "host_key", "pmi_password", "pmi", "value",
}  # fmt: skip
# What stays as it was, by view.
KEPT = {
    "users": ["account_id", "user_id", "status", "type", "use_pmi", "created_at"],
    "former_users": ["account_id", "user_id", "status", "removed_at"],
    "groups": ["account_id", "group_id", "member_count", "admin_count"],
    "memberships": ["account_id", "group_id", "user_id", "user_status", "added_at"],
    "presence": ["account_id", "user_id", "presence_status", "app_type", "changed_at"],
    "sign_ins": ["account_id", "user_id", "client_type", "signed_in", "login_type", "version"],
}
ODD = [
    {"id": "odd-1", "first_name": "Zo\x00ë \ud83d", "email": "Zoe.Odd@Example.org", "pmi": 10**25},
    {"id": "odd-2", "dept": "x" * 1_000_000 + "Zoë of Controlling", "employee": {"Zoë": ["+49 171 2345678"]}},
    {"id": "odd-3", "custom_attributes": [{"key": "Zoë's own", "name": "Shoe size", "value": "37½ Zoë"}]},
    {"id": "zoe.odd@example.org", "settings": {"in_meeting": {"note": "call 00491712345678", "chat": True}}},
    {"id": "odd-4", "deep": "Zoë deep down"},
    # Two contradictions, one of them by case alone.
    {"id": "odd-5", "display_name": "Zoë One", "dept": "Zoë's"},
    {"id": "odd-5", "display_name": "Zoë Two", "dept": "Odds"},
]  # fmt: skip


def odd(number: int, about: dict[str, Any]) -> bytes:
    payload = {"account_id": "A", "operator": "zoe.odd@example.org", "object": about}
    if "Two" in str(about):
        payload["old_object"] = {"display_name": "ZOË ONE", "dept": "Zoë Lost"}
    told = {"event": "user.updated", "event_ts": 1_790_000_000_000 + number, "payload": payload}
    return json.dumps(told).encode()


def deep(body: bytes) -> bytes:
    return body.replace(
        b'"Zo\\u00eb deep down"', b"[" * 150 + b'"Zo\\u00eb deep down"' + b"]" * 150
    )


def sent() -> list[bytes]:
    told = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))]
    for name in ("all.ndjson", "observations.ndjson"):
        told += (PAYLOADS / name).read_bytes().splitlines()
    account = Account(5, start_ms=1_780_000_000_000, users=30, before=5)
    told += [event.raw() for event in account.events(1_500)]
    return told + [deep(odd(number, about)) for number, about in enumerate(ODD)]


def texts_of(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number of a document, with the name of its field."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts_of(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item, name)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, str(value)


def kept(found: list[dict[str, Any]], names: list[str]) -> list[list[Any]]:
    """Those columns, without the rows that an e-mail is the key of."""
    chosen = [[row[name] for name in names] for row in found]
    return [row for row in chosen if "@" not in str(row)]


@pytest.fixture
def other_url(server: str, template: str) -> Iterator[str]:
    with cloned(server, template) as url:
        yield url


@pytest.fixture(scope="module")
def told() -> list[bytes]:
    """The bodies; of those that differ in spacing alone, which is not kept, one."""
    return list({json.dumps(decode_json(body)): body for body in sent()}.values())


@pytest.fixture
def original(database_url: str, told: list[bytes]) -> str:
    async def work() -> None:
        database = await open_database(database_url)
        for start in range(0, len(told), 200):
            await append_told(
                database, [delivery(body, RECEIVED) for body in told[start : start + 200]]
            )
        await database.close()

    asyncio.run(work())
    fold(database_url)
    return database_url


def rows(url: str) -> Rows:
    async def work() -> Rows:
        database = await open_database(url)
        found = await shown(database)
        await database.close()
        return found

    return asyncio.run(work())


def test_it_names_nobody_and_folds_alike(
    original: str, other_url: str, told: list[bytes], tmp_path: Path
) -> None:
    file = tmp_path / "redacted.ndjson"
    ran = projector("export", str(file), "--redact", database_url=original)
    assert (ran.code, ran.data) == (0, b"")
    assert f"exported {len(told):,} events redacted; " in ran.said
    assert ran.said.endswith("0 erased, 0 repeated, 0 without a JSON object\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    envelopes = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert {tuple(envelope) for envelope in envelopes} == {
        ("received_at", "request_id", "source", "redacted", "body")
    }
    assert {decode_json(body)["event"] for body in told} >= set(EVENTS)
    assert_nobody_is_named(told, [envelope["body"].encode() for envelope in envelopes])

    again = projector("import", str(file), database_url=other_url)
    assert (again.code, again.text) == (0, f"imported {len(told):,}, known already 0, bad 0\n")
    fold(other_url)
    assert projector("verify", database_url=other_url).code == 0
    before, after = rows(original), rows(other_url)
    assert {view: len(found) for view, found in after.items()} == {
        view: len(found) for view, found in before.items()
    }
    assert len(before["users"]) > 20
    assert {row["path"] for row in before["drift"]} == {"display_name", "dept"}
    assert len({row["event_at"] for row in before["drift"]}) == 1
    assert len(before["dead_letters"]) > 0
    for view, names in KEPT.items():
        assert kept(before[view], names) == kept(after[view], names) != []
    changes = "SELECT entity, path, count(*) FROM directory.changes GROUP BY 1, 2 ORDER BY 1, 2"
    assert query(original, changes) == query(other_url, changes) != []


def assert_nobody_is_named(told: list[bytes], written: list[bytes]) -> None:
    people = {
        text
        for body in told
        for name, text in texts_of(decode_json(body))
        if (name in PERSONAL or "@" in text) and len(text) > 3 and text not in ("Member", "Admin")
    }
    assert len(people) > 200
    found = {text for body in written for _, text in texts_of(decode_json(body))}
    assert found & people == set()
    everything = "\n".join(json.dumps(decode_json(body), ensure_ascii=False) for body in written)
    long = [text for text in people if len(text) > 7]
    assert [text for text in long if text in everything] == []
    for part in (
        "Zoë",
        "zoe.odd",
        "171234",
        "171 234",
        "Controlling",
        "werkhof",
        "Shoe",
        "call 00",
    ):
        assert part not in everything, part


def test_what_has_no_redacted_form_is_left_out_and_counted(database_url: str) -> None:
    async def work() -> None:
        database = await open_database(database_url)
        await append(database, [delivery(b'{"event":"user.x"}')])
        # As no ingress takes it and an earlier tool may have put it there.
        await append(database, [delivery_of(b"by Jonas", Head("user.x"), received_at=RECEIVED)])
        await database.close()

    asyncio.run(work())
    ran = projector("export", "-", "--redact", database_url=database_url)
    assert [json.loads(line)["body"] for line in ran.lines] == ['{"event":"user.x"}']
    assert ran.said.endswith("0 erased, 0 repeated, 1 without a JSON object\n")


def test_a_request_id_that_is_none_becomes_a_pseudonym(database_url: str) -> None:
    lines = [
        {
            "received_at": "2026-05-01T00:00:00Z",
            "request_id": request,
            "body": json.dumps({"event": f"e.{n}"}),
        }
        for n, request in enumerate(["0a1b-2c", "jonas@werkhof.example"])
    ]
    ndjson = "\n".join(map(json.dumps, lines)).encode()
    assert projector("import", "-", stdin=ndjson, database_url=database_url).code == 0
    ran = projector("export", "-", "--redact", database_url=database_url)
    first, second = (json.loads(line)["request_id"] for line in ran.lines)
    assert first == "0a1b-2c"
    assert second.endswith("@redacted.invalid")
    assert "jonas" not in ran.text
