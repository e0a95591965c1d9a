"""`simulate` as a command: its API, its losses on purpose, and whose log it leaves alone."""

import asyncio
import base64
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from projector.database import Database
from projector.state import status
from tests.command_rig import fold, projector
from tests.ingress_rig import event_body
from tests.misbehaving_server import SECRET, receiving
from tests.processes import PROJECTOR, environment, free_port
from tests.runtime_rig import append_bodies

READY_SECONDS = 20


@asynccontextmanager
async def simulating(*arguments: str, data_dir: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *PROJECTOR, "simulate", *arguments, stdout=PIPE, stderr=PIPE,
        env=environment(data_dir=str(data_dir), zoom_secret_tokens=SECRET),
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def exports(process: Process) -> dict[str, str]:
    """The variables that it prints before the first delivery."""
    assert process.stdout is not None
    found = {}
    async with asyncio.timeout(READY_SECONDS):
        for _ in range(7):
            words = (await process.stdout.readline()).decode().strip().removeprefix("export ")
            name, _, value = words.partition("=")
            found[name.removeprefix("PROJECTOR_ZOOM_")] = value
    return found


async def told_at_the_end(process: Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(READY_SECONDS):
        return (await process.stderr.readline()).decode()


async def listed(told: Mapping[str, str], path: str) -> Any:
    basic = base64.b64encode(f"{told['CLIENT_ID']}:{told['CLIENT_SECRET']}".encode()).decode()
    form = {"grant_type": "account_credentials", "account_id": told["ACCOUNT_ID"]}
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Basic {basic}"}
        async with session.post(told["TOKEN_URL"], data=form, headers=headers) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(told["API_URL"] + path, headers=headers) as answer:
            return await answer.json()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_api_is_there_before_the_first_delivery_and_until_it_is_stopped(
    number: signal.Signals, tmp_path: Path
) -> None:
    port = free_port()
    async with receiving() as receiver:
        arguments = ["--url", receiver.url, "--events", "60", "--api", "--api-port", str(port)]
        async with simulating(*arguments, data_dir=tmp_path) as process:
            told = await exports(process)
            assert told["ACCOUNT_ID"].startswith("simulated-")
            assert told["API_URL"] == f"http://127.0.0.1:{port}/v2"
            assert told["TOKEN_URL"] == f"http://127.0.0.1:{port}/oauth/token"
            assert told["PLAN"] == "unlimited"
            assert {"APP_ID", "CLIENT_ID", "CLIENT_SECRET"} < told.keys()
            assert "Ctrl-C" in await told_at_the_end(process)
            assert len(receiver.received) == 60
            # Some were there before: 60 events make no more than 15 people.
            assert (await listed(told, "/users"))["total_records"] > 15
            assert (await listed(told, "/users/me"))["account_id"] == told["ACCOUNT_ID"]
            process.send_signal(number)
            rest, _ = await asyncio.wait_for(process.communicate(), READY_SECONDS)
    assert process.returncode == 0
    assert rest.decode().startswith("delivered 60 ")


async def test_a_plan_and_a_scope_may_be_given(tmp_path: Path) -> None:
    async with receiving() as receiver:
        arguments = [
            "--url", receiver.url, "--events", "0", "--before", "7", "--api", "--api-port", str(free_port()),
            "--api-plan", "pro", "--api-refuse", "group:read:list_groups:admin",
        ]  # fmt: skip
        async with simulating(*arguments, data_dir=tmp_path) as process:
            told = await exports(process)
            assert told["PLAN"] == "pro"
            assert (await listed(told, "/groups"))["code"] == 4711
            assert (await listed(told, "/users"))["total_records"] == 5
            assert (await listed(told, "/users?status=pending"))["total_records"] == 1
            assert (await listed(told, "/users?status=inactive"))["total_records"] == 1
    refused = projector("simulate", "--api-refuse", "x", zoom_secret_tokens="x", port="1")
    assert "scope" in refused.sentence()
    assert refused.code == 2


async def test_what_is_lost_on_purpose_is_told_apart_and_is_no_failure(tmp_path: Path) -> None:
    async with receiving() as receiver:
        arguments = ["--url", receiver.url, "--events", "300", "--lose", "0.2"]
        async with simulating(*arguments, data_dir=tmp_path) as process:
            said, _ = await asyncio.wait_for(process.communicate(), READY_SECONDS)
    arrived = len(receiver.received)
    assert process.returncode == 0
    assert said.decode().startswith(f"delivered {arrived} (duplicates 0), retried 0, lost 0 in ")
    assert f"never arrived, as asked by --lose: {300 - arrived}\n" in said.decode()
    assert 200 < arrived < 280


# ---- whose log -----------------------------------------------------------------------------------


async def test_the_accounts_of_a_log_are_seen_folded_or_not(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body(account: str) -> bytes:
        return event_body(payload={"account_id": account, "object": {"id": "u"}})

    monkeypatch.setattr(status, "UNFOLDED_ROWS", 1)
    assert await status.accounts(database) == set()
    await append_bodies(database, [body("one"), body("two"), body("three"), b'{"event": "e"}'])
    assert await status.accounts(database) == {"one"}
    await append_bodies(database, [body("four")])
    assert await status.accounts(database) == {"one", "four"}
    await asyncio.to_thread(fold, database_url)
    assert await status.accounts(database) == {"one", "two", "three", "four"}


async def test_a_log_of_a_real_account_is_left_alone_unless_told_otherwise(
    database: Database, database_url: str
) -> None:
    own = {"database_url": database_url, "zoom_secret_tokens": "x", "port": str(free_port())}

    async def simulate(*arguments: str) -> str:
        return (await asyncio.to_thread(projector, "simulate", *arguments, **own)).sentence()

    await append_bodies(
        database, [event_body(payload={"account_id": "simulated-a", "object": {"id": "u"}})]
    )
    assert "start the ingress" in await simulate()
    await append_bodies(database, [event_body()])
    refused = await simulate()
    assert "not simulated" in refused
    assert "AccountOfTests" not in refused
    assert "start the ingress" in await simulate("--among-real-accounts")


def test_a_log_that_cannot_be_seen_is_left_alone_unless_it_is_of_this_machine(
    tmp_path: Path,
) -> None:
    own = {"data_dir": str(tmp_path), "zoom_secret_tokens": "x"}
    away = ("simulate", "--url", "http://192.0.2.1:9/webhooks/zoom")
    assert "cannot be seen" in projector(*away, **own).sentence()
    unreachable = {"database_url": "postgresql://nobody@127.0.0.1:1/nothing"}
    near = ("simulate", "--url", f"http://localhost:{free_port()}/webhooks/zoom")
    assert "start the ingress" in projector(*near, **own, **unreachable).sentence()
    assert "cannot be seen" in projector(*away, **own, **unreachable).sentence()
