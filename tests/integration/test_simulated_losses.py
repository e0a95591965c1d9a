"""Deliveries lost on purpose, and what Zoom's delivery log shows of those that were attempted."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from projector.simulator.zoom import PlayOptions, SimulatedZoom, Summary
from projector.zoom.signature import Refusal, verify
from tests.misbehaving_server import SECRET, Received, acknowledge, receiving
from tests.simulated_zoom import Client, zoom_api

END = 1_780_000_000_000


def zoom_to(url: str, **options: Any) -> SimulatedZoom:
    values: dict[str, Any] = {"events": 600, "users": 10, "days": 3, "end_ms": END}
    return SimulatedZoom(PlayOptions(url=url, time_scale=1 / 60_000, **(values | options)))


async def logged(client: Client, **parameters: Any) -> list[dict[str, Any]]:
    path = f"marketplace/apps/{client.api.credentials.app_id}/webhook_logs"
    return await client.rows(path, "webhook_logs", page_size=100, **parameters)


def adds_up(summary: Summary) -> bool:
    total = summary.delivered + summary.lost_deliveries + summary.withheld
    return total == summary.events + summary.copies


async def test_a_share_never_arrives_and_half_of_it_stands_in_the_delivery_log() -> None:
    async with receiving() as receiver, receiving() as whole, receiving() as again:
        zoom = zoom_to(receiver.url, lose=0.2, duplicates=0.2)
        summary = await zoom.deliver(SECRET)
        await zoom_to(whole.url).deliver(SECRET)
        await zoom_to(again.url, lose=0.2, duplicates=0.2).deliver(SECRET)
    assert (summary.events, summary.lost) == (600, {})
    assert summary.withheld > 80
    assert adds_up(summary)
    arrived, sent = set(receiver.bodies), set(whole.bodies)
    assert arrived == set(again.bodies) < sent  # a lost delivery takes its copies with it
    missing = sent - arrived
    assert 80 < len(missing) < 160
    async with zoom_api(zoom.account, zoom.deliveries) as client:
        rows = await logged(client)
        succeeded = await logged(client, type=3)
        first_tries = await logged(client, retry_num=0)
    attempted = {row["request_body"].encode() for row in rows}
    assert attempted < missing
    assert 0.3 < len(attempted) / len(missing) < 0.7
    assert len(rows) == 4 * len(attempted) == 4 * len(first_tries)
    assert {row["retry_num"] for row in rows} == {0, 1, 2, 3}
    assert succeeded == []


async def test_the_log_holds_the_exact_bytes_and_what_verifies_them() -> None:
    async with receiving() as receiver:
        zoom = zoom_to(receiver.url, lose=1)
        summary = await zoom.deliver(SECRET)
    assert (summary.delivered, summary.withheld, receiver.received) == (0, 600, [])
    async with zoom_api(zoom.account, zoom.deliveries) as client:
        rows = await logged(client)
    assert len(rows) > 800
    for row in rows:
        body, headers = row["request_body"].encode(), json.loads(row["request_headers"])
        stamp, signature = headers["x-zm-request-timestamp"], headers["x-zm-signature"]
        verdict = verify([SECRET.encode()], stamp, signature, body, time.time())
        assert not isinstance(verdict, Refusal)
        assert headers["x-zm-request-id"] == row["request_id"]
        assert row["event"] == json.loads(body)["event"]
        assert (row["status"], row["failed_reason_type"]) == (-1, 2)


async def test_deliveries_that_really_fail_stand_there_too() -> None:
    async def refuse(received: Received) -> web.StreamResponse:
        if received.body == receiver.received[0].body:
            return web.Response(status=503)
        if received.body == receiver.received[-1].body and received.attempt == 1 and sent() == 20:
            return web.Response(status=500)
        return await acknowledge(received)

    def sent() -> int:
        return len(set(receiver.bodies))

    async with receiving(refuse) as receiver:
        zoom = zoom_to(receiver.url, events=40)
        summary = await zoom.deliver(SECRET)
        async with zoom_api(zoom.account, zoom.deliveries) as client:
            rows = await logged(client)
    assert summary.lost == {"503": 1}
    assert adds_up(summary)
    failed = [row for row in rows if row["status"] == 503]
    assert [row["retry_num"] for row in failed] == [0, 1, 2, 3]
    assert {row["request_body"].encode() for row in failed} == {receiver.received[0].body}
    assert {row["endpoint"] for row in rows} == {""}
    # A failure that a later attempt made good is a row as well.
    assert [row["retry_num"] for row in rows if row["status"] == 500] == [0]


async def test_the_log_is_of_the_last_seven_days_and_of_one_app() -> None:
    async with receiving() as receiver:
        zoom = zoom_to(receiver.url, lose=1, days=30)
        await zoom.deliver(SECRET)
    async with zoom_api(zoom.account, zoom.deliveries) as client:
        rows = await logged(client)
        end = datetime.fromtimestamp(END / 1000, UTC)
        times = [datetime.fromisoformat(row["date_time"]) for row in rows]
        assert 6 < (end - min(times)).days + 1 <= 8
        day = await logged(client, **{"from": "2026-05-26T00:00:00Z", "to": "2026-05-26T23:59:59Z"})
        assert 0 < len(day) < len(rows)
        assert {row["date_time"][:10] for row in day} == {"2026-05-26"}
        path = f"marketplace/apps/{client.api.credentials.app_id}/webhook_logs"
        early = {"from": "2026-05-01T00:00:00Z"}
        assert (await client.get(path, **early)).code == (404, 1502)
        assert (await client.get(path, **{"from": "yesterday"})).code == (404, 1501)
        assert (await client.get("marketplace/apps/another/webhook_logs")).code == (404, 1401)
        event = rows[0]["event"]
        assert {row["event"] for row in await logged(client, event=event)} == {event}
