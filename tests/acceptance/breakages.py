"""What is broken under the eyes of Prometheus: how, which alerts it makes, and how it is repaired."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from signal import SIGTERM
from typing import NamedTuple

import asyncpg

from projector.database import open_database
from projector.log.append import append
from tests.acceptance.prometheus_rig import ACCOUNT, Alert, Watched
from tests.ingress_rig import OTHER_SECRET, event_body, signed
from tests.runtime_rig import delivery

# The rig's quarantine; four fifths of it are 16.
QUARANTINE_ROWS = 20


@asynccontextmanager
async def connected(rig: Watched) -> AsyncIterator[asyncpg.Connection]:
    """A connection of a person with every right."""
    connection = await asyncpg.connect(rig.dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(rig: Watched, *statements: str) -> None:
    """Run statements as a person with every right."""
    async with connected(rig) as connection:
        for statement in statements:
            await connection.execute(statement)


def event(name: str, thing: dict[str, object], ago: float = 0, **more: object) -> bytes:
    """A delivery of this account, of so many seconds ago."""
    at = int((time.time() - ago) * 1000)
    payload = {"account_id": ACCOUNT, "object": thing, **more}
    return json.dumps({"event": name, "event_ts": at, "payload": payload}).encode()


@asynccontextmanager
async def database_stopped(rig: Watched) -> AsyncIterator[None]:
    await asyncio.to_thread(rig.server.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(rig.server.start)


@asynccontextmanager
async def one_projector_stopped(rig: Watched) -> AsyncIterator[None]:
    rig.projectors[1].signal(SIGTERM)
    await rig.projectors[1].ended()
    yield
    rig.projectors[1].start()


@asynccontextmanager
async def both_projectors_stopped(rig: Watched) -> AsyncIterator[None]:
    for each in rig.projectors:
        each.signal(SIGTERM)
    for each in rig.projectors:
        await each.ended()
    yield
    for each in rig.projectors:
        each.start()


@asynccontextmanager
async def ingress_killed(rig: Watched) -> AsyncIterator[None]:
    rig.ingress.kill()
    yield
    await asyncio.to_thread(rig.ingress.start)


@asynccontextmanager
async def append_lock_held(rig: Watched) -> AsyncIterator[None]:
    async with connected(rig) as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(7017, 1)")
        yield


@asynccontextmanager
async def presence_locked(rig: Watched) -> AsyncIterator[None]:
    """Somebody's open transaction keeps a projection from writing: after a minute it is stuck."""
    async with connected(rig) as connection, connection.transaction():
        await connection.execute("LOCK TABLE state.presence IN SHARE MODE")
        yield


@asynccontextmanager
async def wrong_secret(rig: Watched) -> AsyncIterator[None]:
    for _ in range(8):
        body = event_body()
        assert await rig.post(body, signed(body, OTHER_SECRET)) == 401
    yield
    await _hours_pass(rig)
    await execute(rig, "DELETE FROM log.quarantine")


@asynccontextmanager
async def validation_refused(rig: Watched) -> AsyncIterator[None]:
    body = b'{"event": "endpoint.url_validation", "payload": {"plainToken": "token"}}'
    assert await rig.post(body, signed(body, OTHER_SECRET)) == 401
    yield
    await _hours_pass(rig)


async def _hours_pass(rig: Watched) -> None:
    """Make every refusal three hours older: nothing else ends what counts those of the last hour."""
    await execute(
        rig,
        "UPDATE log.refusals SET hour = hour - interval '3 hours',"
        " first_at = first_at - interval '3 hours', last_at = last_at - interval '3 hours'",
    )


async def _misdeliver(rig: Watched, count: int) -> None:
    """Deliver what is rightly signed and sent to the path of another event: it is kept in the quarantine."""
    for _ in range(count):
        body = event_body()
        url = f"http://127.0.0.1:{rig.ingress.port}/webhooks/zoom/user.created"
        async with rig.session.post(url, data=body, headers=signed(body)) as answer:
            assert answer.status == 422


@asynccontextmanager
async def quarantine_nearly_full(rig: Watched) -> AsyncIterator[None]:
    await _misdeliver(rig, 18)
    yield
    await execute(rig, "DELETE FROM log.quarantine")


@asynccontextmanager
async def quarantine_overflows(rig: Watched) -> AsyncIterator[None]:
    async def for_ever() -> None:
        while True:
            await _misdeliver(rig, 1)
            await asyncio.sleep(0.5)

    await _misdeliver(rig, QUARANTINE_ROWS)
    overflowing = asyncio.create_task(for_ever())
    try:
        yield
    finally:
        overflowing.cancel()
        await asyncio.gather(overflowing, return_exceptions=True)
    await execute(rig, "DELETE FROM log.quarantine")


@asynccontextmanager
async def dead_letter(rig: Watched) -> AsyncIterator[None]:
    assert await rig.post(event("user.updated", {"display_name": "nobody's"})) == 200
    yield
    await execute(rig, "DELETE FROM state.dead_letters")


@asynccontextmanager
async def lost_delivery(rig: Watched) -> AsyncIterator[None]:
    """Of three changes the second does not come; the repair is that it does."""
    lost = event(
        "user.updated", {"id": "d", "dept": "b"}, ago=20, old_object={"id": "d", "dept": "a"}
    )
    last = event(
        "user.updated", {"id": "d", "dept": "c"}, ago=10, old_object={"id": "d", "dept": "b"}
    )
    for body in (event("user.created", {"id": "d", "dept": "a"}, ago=30), last):
        assert await rig.post(body) == 200
    yield
    assert await rig.post(lost) == 200


@asynccontextmanager
async def subscription_dropped(rig: Watched) -> AsyncIterator[None]:
    """An account that has delivered twice an hour for three weeks, and nothing for two days."""
    now = datetime.now(UTC)
    some = [
        delivery(_of_another_account(number), now - timedelta(days=2, minutes=30 * number))
        for number in range(21 * 48)
    ]
    database = await open_database(rig.dsn)
    try:
        await append(database, some, source="import")
    finally:
        await database.close()
    yield
    assert await rig.post(_of_another_account(-1)) == 200


def _of_another_account(number: int) -> bytes:
    at = int((time.time() - max(number, 0) * 1800) * 1000)
    payload = {
        "account_id": "QuietAccount",
        "object": {"id": f"q{number}", "presence_status": "Away"},
    }
    body = {"event": "user.presence_status_updated", "event_ts": at, "payload": payload}
    return json.dumps(body).encode()


@asynccontextmanager
async def reading_too_old(rig: Watched) -> AsyncIterator[None]:
    await _read_completely(rig, days_ago=3)
    yield
    await _read_completely(rig, days_ago=0)


async def _read_completely(rig: Watched, days_ago: float) -> None:
    body = event("rest.section_read", {"id": "users", "complete": True}, ago=days_ago * 86_400)
    database = await open_database(rig.dsn)
    try:
        await append(database, [delivery(body, datetime.now(UTC))], source="rest")
    finally:
        await database.close()


@asynccontextmanager
async def another_epoch(rig: Watched) -> AsyncIterator[None]:
    await execute(rig, "SELECT log.epoch(log.epoch())")
    yield
    await execute(rig, "UPDATE log.epochs SET begun_at = begun_at - interval '9 days'")


@asynccontextmanager
async def schema_behind(rig: Watched) -> AsyncIterator[None]:
    """The ledger says that the newest migration is missing; the repair is what it says it is."""
    async with connected(rig) as connection:
        (newest,) = await connection.fetch(
            "DELETE FROM projector.migrations WHERE number = (SELECT max(number) FROM"
            " projector.migrations) RETURNING number, name, serves"
        )
    yield
    async with connected(rig) as connection:
        await connection.execute(
            "INSERT INTO projector.migrations (number, name, serves) VALUES ($1, $2, $3)", *newest
        )


@asynccontextmanager
async def newer_release_folded(rig: Watched) -> AsyncIterator[None]:
    await execute(
        rig, "UPDATE state.checkpoints SET version = version + 1 WHERE projection = 'groups'"
    )
    yield
    await execute(
        rig, "UPDATE state.checkpoints SET version = version - 1 WHERE projection = 'groups'"
    )


class Breakage(NamedTuple):
    """`breaks` breaks it for as long as its block runs; `alerts` are those that fire then, with their labels.

    `seconds`: how long that may take.
    """

    breaks: Callable[[Watched], AbstractAsyncContextManager[None]]
    alerts: tuple[Alert, ...]
    seconds: float = 40


def _alert(name: str, **labels: str) -> Alert:
    return {"alertname": name, **labels}


OF_PROCESSES = (
    Breakage(database_stopped, (_alert("ProjectorDatabaseAway"),)),
    Breakage(one_projector_stopped, (_alert("ProjectorReplicaAway", job="projector"),)),
    Breakage(both_projectors_stopped, (_alert("ProjectorProjectorsGone"),)),
    Breakage(ingress_killed, (_alert("ProjectorIngressGone"),)),
    Breakage(append_lock_held, (_alert("ProjectorIngressNotReady"),)),
    Breakage(schema_behind, (_alert("ProjectorSchemaBehind"),)),
    Breakage(newer_release_folded, (_alert("ProjectorLeaseUnheld", projection="groups"),)),
    Breakage(presence_locked, (_alert("ProjectorStuck", projection="presence"),), seconds=120),
)

OF_DATA = (
    Breakage(wrong_secret, (_alert("ProjectorSignaturesRefused", reason="wrong"),)),
    Breakage(validation_refused, (_alert("ProjectorUrlValidationFailing"),)),
    Breakage(quarantine_nearly_full, (_alert("ProjectorQuarantineFilling"),)),
    Breakage(
        quarantine_overflows,
        (_alert("ProjectorQuarantineFilling"), _alert("ProjectorSignedDropped")),
    ),
    Breakage(dead_letter, (_alert("ProjectorDeadLetters", projection="users"),)),
    Breakage(lost_delivery, (_alert("ProjectorDrift", entity="user"),)),
    Breakage(
        subscription_dropped,
        (_alert("ProjectorAccountSilent", account="QuietAccount"),),
        seconds=120,
    ),
    Breakage(reading_too_old, (_alert("ProjectorCoverageOld", section="users"),)),
    Breakage(another_epoch, (_alert("ProjectorEpochChanged"),)),
)
