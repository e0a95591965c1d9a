"""`simulate` keeps Zoom's side of the contract, against receivers that break theirs."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable
from itertools import count, pairwise
from typing import Any

import pytest
from aiohttp import web

from projector.database import Database
from projector.errors import ConfigurationError
from projector.simulator import schedule
from projector.simulator.zoom import PlayOptions, Summary, UrlNotValidated, play
from projector.zoom.accounts import is_simulated
from projector.zoom.signature import encrypted_token
from tests.ingress_rig import SECRET as INGRESS_SECRET
from tests.ingress_rig import serving
from tests.misbehaving_server import SECRET, Received, Receiver, acknowledge, receiving

DAY_MS = 86_400_000
REQUEST_ID = re.compile(r"[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}")


async def played(receiver: Receiver, **options: Any) -> Summary:
    values: dict[str, Any] = {
        "url": receiver.url,
        "events": 40,
        "users": 6,
        "time_scale": 1 / 60_000,
    }
    return await play(PlayOptions(**(values | options)), SECRET)


def consistent(summary: Summary) -> bool:
    return summary.delivered + summary.lost_deliveries == summary.events + summary.copies


async def test_everything_is_validated_delivered_and_signed() -> None:
    async with receiving() as receiver:
        summary = await played(receiver, events=300)
    assert receiver.validations == 1
    assert len(receiver.received) == len(set(receiver.bodies)) == 300
    assert (summary.events, summary.delivered, summary.copies, summary.retried) == (300, 300, 0, 0)
    assert (summary.duplicates, summary.lost) == (0, {})
    assert consistent(summary)
    assert summary.p50_ms is not None
    assert summary.p95_ms is not None
    assert summary.p99_ms is not None
    assert summary.max_ms is not None
    assert 0 < summary.p50_ms <= summary.p95_ms <= summary.p99_ms <= summary.max_ms
    for received in receiver.received:
        headers = received.headers
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert headers["user-agent"] == "Zoom Marketplace/1.0a"
        assert abs(int(headers["x-zm-request-timestamp"]) - time.time()) < 60
        assert REQUEST_ID.fullmatch(headers["x-zm-request-id"])
        assert headers["x-zm-trackingid"]
    assert len({received.headers["x-zm-request-id"] for received in receiver.received}) == 300


async def test_the_history_ends_now() -> None:
    before = time.time() * 1000
    async with receiving() as receiver:
        await played(receiver, days=3)
    times = [received.event_ts for received in receiver.received]
    assert min(times) >= before - 3 * DAY_MS - 1
    assert before - 1000 <= max(times) <= time.time() * 1000


async def test_one_at_a_time_keeps_the_order_and_the_seed_tells_the_bodies() -> None:
    options = {"concurrency": 1, "seed": 7, "end_ms": 1_700_000_000_000}
    async with receiving() as one, receiving() as two, receiving() as three:
        await played(one, **options)
        await played(two, **options)
        await played(three, **(options | {"seed": 8}))
    times = [received.event_ts for received in one.received]
    assert times == sorted(times)
    assert one.bodies == two.bodies
    assert not set(one.bodies) & set(three.bodies)
    ids = [[received.headers["x-zm-request-id"] for received in two.received] for two in (one, two)]
    assert ids[0] == ids[1]


async def test_another_run_plays_another_account_unless_one_is_given() -> None:
    async with receiving() as receiver:
        first = await played(receiver, end_ms=1_700_000_000_000)
        later = await played(receiver, end_ms=1_700_000_000_001)
        given = await played(receiver, account_id="an account")
    assert first.account_id != later.account_id
    assert given.account_id == "an account"
    assert [is_simulated(summary.account_id) for summary in (first, given)] == [True, False]
    told = {json.loads(body)["payload"]["account_id"] for body in receiver.bodies}
    assert told == {first.account_id, later.account_id, given.account_id}


async def test_a_500_is_sent_again_with_the_same_body_and_id_and_a_fresh_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each reading of the clock is another second, so that a reused signature is detected.
    seconds = count(int(time.time()))
    monkeypatch.setattr(time, "time", lambda: float(next(seconds)))

    async def fail_twice(received: Received) -> web.StreamResponse:
        status = 200 if received.attempt == 3 else 500
        return web.Response(status=status)

    async with receiving(fail_twice) as receiver:
        summary = await played(receiver, events=10, concurrency=4)
    assert (summary.delivered, summary.retried, summary.lost) == (10, 20, {})
    assert consistent(summary)
    for body in set(receiver.bodies):
        attempts = [received for received in receiver.received if received.body == body]
        assert len(attempts) == 3
        assert len({received.headers["x-zm-request-id"] for received in attempts}) == 1
        assert len({received.headers["x-zm-trackingid"] for received in attempts}) == 1
        assert len({received.headers["x-zm-signature"] for received in attempts}) == 3


async def test_three_retries_at_zooms_intervals_and_then_it_is_lost() -> None:
    async def refuse(_received: Received) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "100"})

    async with receiving(refuse) as receiver:
        summary = await played(receiver, events=1, time_scale=1 / 6000)
    assert (summary.delivered, summary.retried, summary.lost) == (0, 3, {"503": 1})
    assert consistent(summary)
    times = [received.at for received in receiver.received]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    for gap, zoom in zip(gaps, (300, 1200, 3600), strict=True):
        assert zoom / 6000 <= gap + 0.005
        assert gap < zoom / 6000 + 0.5


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 429])
async def test_what_is_answered_3xx_or_4xx_is_lost_at_once(status: int) -> None:
    async def refuse(received: Received) -> web.StreamResponse:
        first = receiver.received[0].body == received.body
        headers = {"Location": receiver.url} if status == 301 else {}
        return web.Response(status=status, headers=headers) if first else web.Response()

    async with receiving(refuse) as receiver:
        summary = await played(receiver)
    assert (summary.delivered, summary.retried, summary.lost) == (39, 0, {str(status): 1})
    assert len(receiver.received) == 40
    assert consistent(summary)


async def test_a_204_is_a_success() -> None:
    async def no_content(_received: Received) -> web.StreamResponse:
        return web.Response(status=204)

    async with receiving(no_content) as receiver:
        summary = await played(receiver)
    assert (summary.delivered, summary.lost) == (40, {})


async def test_what_is_answered_too_late_is_sent_again_and_counts_as_duplicate() -> None:
    async def late_once(received: Received) -> web.StreamResponse:
        if received.attempt == 1 and received.body == receiver.received[0].body:
            await asyncio.sleep(5)
        return await acknowledge(received)

    async with receiving(late_once) as receiver:
        started = time.monotonic()
        summary = await played(receiver, deadline_seconds=0.3)
    assert time.monotonic() - started < 4
    assert (summary.delivered, summary.retried, summary.duplicates) == (40, 1, 1)
    assert summary.lost == {}
    assert summary.max_ms is not None
    assert 290 <= summary.max_ms < 2000


async def test_an_answer_that_never_ends_is_a_time_out() -> None:
    async def drip(received: Received) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(received.request)
        for _ in range(500):
            await response.write(b"x")
            await asyncio.sleep(0.01)
        return response

    async with receiving(drip) as receiver:
        summary = await played(receiver, events=1, deadline_seconds=0.2)
    assert (summary.delivered, summary.retried, summary.lost) == (0, 3, {"time-out": 1})


async def test_a_connection_that_breaks_is_tried_again() -> None:
    async def hang_up(received: Received) -> web.StreamResponse:
        if received.attempt == 1:
            assert received.request.transport is not None
            received.request.transport.abort()
        return await acknowledge(received)

    async with receiving(hang_up) as receiver:
        summary = await played(receiver, events=5)
    assert (summary.delivered, summary.retried, summary.lost) == (5, 5, {})


async def test_a_receiver_that_goes_away_loses_what_is_left() -> None:
    async def leave(received: Received) -> web.StreamResponse:
        if len(receiver.received) > 10:
            assert received.request.transport is not None
            received.request.transport.abort()
        return await acknowledge(received)

    async with receiving(leave) as receiver:
        summary = await played(receiver, concurrency=1)
    assert (summary.delivered, summary.retried) == (10, 90)
    assert summary.lost == {"no connection": 30}
    assert summary.max_ms is not None
    assert consistent(summary)


async def test_duplicates_are_copies_with_the_same_id() -> None:
    async with receiving() as receiver:
        summary = await played(receiver, events=400, duplicates=0.25)
    assert 60 < summary.copies < 140
    assert summary.events == len(set(receiver.bodies)) == 400
    assert summary.duplicates == summary.copies == len(receiver.received) - 400
    assert summary.delivered == 400 + summary.copies
    assert consistent(summary)
    by_id = {received.headers["x-zm-request-id"]: received.body for received in receiver.received}
    assert len(by_id) == 400


async def test_duplicates_come_with_delay() -> None:
    async with receiving() as receiver:
        await played(receiver, events=400, duplicates=0.25, concurrency=1)
    gaps = [
        place - receiver.bodies.index(body)
        for place, body in enumerate(receiver.bodies)
        if receiver.bodies.index(body) < place
    ]
    assert max(gaps) > 20
    originals = list(dict.fromkeys(receiver.received[i].event_ts for i in range(400)))
    assert originals == sorted(originals)


async def test_disorder_stays_within_its_window() -> None:
    async with receiving() as receiver:
        await played(receiver, events=400, disorder=15, concurrency=1)
    times = [received.event_ts for received in receiver.received]
    ordered = sorted(times)
    assert times != ordered
    late = [place - ordered.index(moment) for place, moment in enumerate(times)]
    assert 5 < max(late) <= 15
    assert len(set(times)) == 400


async def test_the_rate_is_kept() -> None:
    async with receiving() as receiver:
        summary = await played(receiver, events=60, rate=100)
    assert 0.58 <= summary.seconds < 1.5
    spread = receiver.received[-1].at - receiver.received[0].at
    assert spread >= 0.5


async def test_retries_do_not_wait_for_slow_rates() -> None:
    async def fail_first(received: Received) -> web.StreamResponse:
        failed = received.attempt == 1 and received.body == receiver.received[0].body
        return web.Response(status=500 if failed else 200)

    async with receiving(fail_first) as receiver:
        await played(receiver, events=3, rate=2)
    assert [received.attempt for received in receiver.received] == [1, 2, 1, 1]
    assert receiver.received[1].at - receiver.received[0].at < 0.4


async def test_as_many_under_way_as_asked() -> None:
    async def slow(received: Received) -> web.StreamResponse:
        await asyncio.sleep(0.01)
        return await acknowledge(received)

    async with receiving(slow) as receiver:
        await played(receiver, events=80, concurrency=5)
    assert receiver.most_under_way == 5


async def test_waiting_retries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "WAITING_RETRIES", 8)

    async def refuse(_received: Received) -> web.StreamResponse:
        return web.Response(status=500)

    async with receiving(refuse) as receiver:
        summary = await played(receiver, concurrency=4)
    assert summary.lost == {"500": 40}
    assert len(receiver.received) == 160
    # The first delivery is given up before more than a dozen others are begun.
    attempts: dict[bytes, int] = {}
    for received in receiver.received:
        attempts[received.body] = attempts.get(received.body, 0) + 1
        assert sum(1 for made in attempts.values() if made < 4) <= 8 + 4


async def test_progress_ends_with_everything() -> None:
    steps: list[tuple[int, int]] = []
    async with receiving() as receiver:
        options = PlayOptions(url=receiver.url, events=30, duplicates=0.3)
        await play(options, SECRET, lambda *step: steps.append(step))
    assert steps[-1] == (30, 30)
    assert steps == sorted(steps)


def wrong_answer(plain: str) -> web.StreamResponse:
    return web.json_response({"plainToken": plain, "encryptedToken": "0" * 64})


def other_plain_token(plain: str) -> web.StreamResponse:
    encrypted = encrypted_token(SECRET.encode(), plain)
    return web.json_response({"plainToken": "other", "encryptedToken": encrypted})


def no_json(_plain: str) -> web.StreamResponse:
    return web.Response(text="<html>")


def redirect(_plain: str) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/elsewhere"})


def failing(_plain: str) -> web.StreamResponse:
    return web.Response(status=503)


def odd_token(plain: str) -> web.StreamResponse:
    return web.json_response({"plainToken": plain, "encryptedToken": "\ud800\u00e9"})


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (wrong_answer, "same secret"),
        (other_plain_token, "same secret"),
        (odd_token, "same secret"),
        (no_json, "webhook address"),
        (redirect, "302"),
        (failing, "503"),
    ],
)
async def test_nothing_is_delivered_where_the_url_is_not_validated(
    answer: Callable[[str], web.StreamResponse], says: str
) -> None:
    async with receiving(validate=answer) as receiver:
        with pytest.raises(UrlNotValidated, match=says):
            await played(receiver)
    assert receiver.validations == 1
    assert receiver.received == []


async def test_another_secret_is_refused() -> None:
    async with receiving() as receiver:
        with pytest.raises(UrlNotValidated, match="PROJECTOR_ZOOM_SECRET_TOKENS") as caught:
            await play(PlayOptions(url=receiver.url), "sesame")
    assert "sesame" not in str(caught.value)
    assert receiver.received == []


async def test_nobody_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://user:sesame@127.0.0.1:{bound.getsockname()[1]}/webhooks/zoom"
        with pytest.raises(UrlNotValidated, match="projector up") as caught:
            await play(PlayOptions(url=url), SECRET)
    assert "sesame" not in str(caught.value)


async def test_a_validation_without_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/webhooks/zoom"
        with pytest.raises(UrlNotValidated, match="in time"):
            await play(PlayOptions(url=url, deadline_seconds=0.1), SECRET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://there/"},
        {"url": "there"},
        {"url": "http://"},
        {"url": "http://there:x/"},
        {"events": -1},
        {"users": 2},
        {"days": 0},
        {"rate": -1},
        {"concurrency": 0},
        {"duplicates": 1.5},
        {"disorder": -1},
        {"before": -1},
        {"lose": 1.01},
        {"time_scale": -1},
        {"deadline_seconds": 0},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        PlayOptions(**({"url": "http://there/"} | wrong))


async def test_the_real_ingress_takes_everything_once(
    database_url: str, database: Database
) -> None:
    async with serving(database_url) as sender:
        await sender.until_ready()
        url = f"http://127.0.0.1:{sender.port}/webhooks/zoom"
        options = PlayOptions(url=url, events=500, duplicates=0.1, disorder=20, concurrency=32)
        summary = await play(options, INGRESS_SECRET)
    rows = await database.fetch(
        "SELECT count(*), count(DISTINCT digest), max(position), min(account_id), "
        "max(account_id), max(event_ts) FROM log.events"
    )
    assert tuple(rows[0])[:5] == (500, 500, 500, summary.account_id, summary.account_id)
    assert rows[0]["max"] is not None
    assert (summary.lost, summary.last_position) == ({}, 500)
    assert summary.duplicates == summary.copies > 20
    assert consistent(summary)
