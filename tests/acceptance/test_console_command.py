"""`projector console`, and the console of `projector up`, as processes."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.test_up_terminal import terminal
from tests.browser import chromium
from tests.command_rig import projector, query
from tests.conftest import run_on
from tests.console_rig import browsing
from tests.folders import new_folder
from tests.ingress_rig import NOWHERE, event_body, signed
from tests.processes import PROJECTOR, Process, command, environment, free_port
from tests.up_rig import end_server, running

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/enter\?key=(\S+)")
LISTENS = re.compile(r'"event":"console_listens"')


@pytest.fixture
def fresh() -> Iterator[Path]:
    path = new_folder("console")
    yield path
    end_server(path)
    shutil.rmtree(path)


class Console(Process):
    """A process of `projector console`."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        own = {
            "database_url": database_url,
            "data_dir": str(folder),
            "console_port": str(self.port),
        }
        self.settings = own | settings
        super().__init__([*PROJECTOR, "console"], folder / "said", env=environment(**self.settings))
        self.until(LISTENS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def address(self) -> str:
        """A one-time address, as a person asks for it."""
        ran = command("console", "--address", **self.settings)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ADDRESS.fullmatch(ran.stdout.strip())
        return ran.stdout.strip()


async def got(url: str, path: str, *addresses: str) -> tuple[int, str]:
    """Open one-time addresses and then a page; returns its status and text."""
    async with browsing(url, Path()) as browser:
        for address in addresses:
            assert (await browser.get(address.removeprefix(url))).status == 200
        answer = await browser.get(path)
        return answer.status, answer.text


# ---- by itself -----------------------------------------------------------------------------------


def test_a_console_gives_addresses_for_as_long_as_it_runs(
    database_url: str, tmp_path: Path
) -> None:
    with Console(database_url, tmp_path) as console:
        for _ in range(2):
            assert asyncio.run(got(console.url, "/projections", console.address()))[0] == 200
        assert asyncio.run(got(console.url, "/projections"))[0] == 401
        key = console.address().partition("key=")[2]
        began = time.monotonic()
        assert console.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 3
        assert key not in console.said
    console.log_lines()
    assert list(tmp_path.glob("*.key")) == []
    ended = projector("console", "--address", **console.settings)
    assert (ended.code, "no console that gives one-time addresses runs on" in ended.sentence()) == (
        1,
        True,
    )


def test_a_restart_ends_sessions_and_addresses_and_a_kill_leaves_nothing_in_the_way(
    database_url: str, tmp_path: Path
) -> None:
    with Console(database_url, tmp_path) as console:
        before = console.address()
        assert console.stop(signal.SIGKILL) == -signal.SIGKILL
        assert len(list(tmp_path.glob("*.key"))) == 1
        ended = projector("console", "--address", **console.settings)
        assert "no console that gives" in ended.sentence()
        console.start()
        console.listening(console.port)
        asyncio.run(refused(before))
        assert asyncio.run(got(console.url, "/projections", console.address()))[0] == 200


async def refused(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 401
        assert "none of this console" in await answer.text()


def test_sigterm_waits_shortly_for_a_request_that_is_under_way(
    database_url: str, tmp_path: Path
) -> None:
    with (
        Console(database_url, tmp_path) as console,
        socket.create_connection(("127.0.0.1", console.port)) as open_,
    ):
        open_.sendall(
            b"POST /actions/rebuild HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"
        )
        began = time.monotonic()
        assert console.stop(signal.SIGINT) == 0
        assert time.monotonic() - began < 8


AS_NOBODY = """
import os, sys
from projector.__main__ import main
os.seteuid(65534)
sys.argv = ["projector", "console", "--address"]
main()
"""

if os.geteuid() == 0:  # only root can become another user

    def test_the_key_file_of_somebody_else_is_told(database_url: str) -> None:
        folder = new_folder("console")
        folder.chmod(0o755)
        with Console(database_url, folder) as console:
            ran = subprocess.run(
                [PROJECTOR[0], "-c", AS_NOBODY],
                env=environment(**console.settings), capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "run this as the user who started the console" in ran.stderr
        shutil.rmtree(folder)


def test_two_consoles_of_one_folder_are_told_apart(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with Console(database_url, tmp_path) as first:
        shared: dict[str, Any] = {"data_dir": str(tmp_path)}
        with Console(database_url, tmp_path / "one", **shared) as second:
            assert f":{first.port}/" in first.address()
            assert f":{second.port}/" in second.address()
            newest = command("console", "--address", **(first.settings | {"console_port": "0"}))
            assert f":{second.port}/" in newest.stdout
        assert f":{first.port}/" in command("console", "--address", **(second.settings)).stdout


def test_it_starts_before_its_database_and_waits(tmp_path: Path) -> None:
    with Console(NOWHERE, tmp_path) as console:
        status, text = asyncio.run(got(console.url, "/projections", console.address()))
        assert (status, "nothing listens at" in text) == (503, True)
        assert console.stop(signal.SIGTERM) == 0
    assert console.logged("console_waits_for_database")


# ---- closed, or it does not start ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["console", "up"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"console_host": "0.0.0.0"}, "set PROJECTOR_CONSOLE_USER_HEADER to the header"),  # noqa: S104
        ({"console_user_header": "X-User"}, "set PROJECTOR_TRUSTED_PROXIES"),
    ],
)
def test_an_open_console_does_not_start(
    database_url: str, tmp_path: Path, name: str, settings: dict[str, str], words: str
) -> None:
    own = {
        "database_url": database_url,
        "data_dir": str(tmp_path),
        "port": "0",
        "console_port": "0",
    }
    ran = command(name, **(own | settings))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_another_address_the_proxy_alone_comes_in(database_url: str, tmp_path: Path) -> None:
    behind = {
        "console_host": "0.0.0.0",  # noqa: S104
        "console_user_header": "X-User",
        "trusted_proxies": "127.0.0.3",
    }
    with Console(database_url, tmp_path, **behind) as console:

        async def asked(source: str) -> int:
            async with browsing(console.url, tmp_path, source) as browser:
                return (await browser.get("/projections", headers={"X-User": "ada"})).status

        assert asyncio.run(asked("127.0.0.3")) == 200
        assert asyncio.run(asked("127.0.0.1")) == 403
        assert list(tmp_path.glob("*.key")) == []
        ran = projector("console", "--address", **console.settings)
        assert "no console that gives one-time addresses" in ran.sentence()


def test_a_port_in_use_is_told(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        own = {"database_url": database_url, "data_dir": str(tmp_path), "console_port": port}
        for name in ("console", "up"):
            told = projector(name, port="0", **own).sentence()
            assert f"port {port} of 127.0.0.1 is in use" in told
            assert "PROJECTOR_CONSOLE_PORT" in told


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    told = projector("console", data_dir=str(tmp_path), console_port="0").sentence()
    assert "PROJECTOR_DATABASE_URL is not set and no `projector up` runs" in told


# ---- in up ---------------------------------------------------------------------------------------


def test_up_serves_the_console_and_gives_addresses(fresh: Path) -> None:
    from projector.operations.actor import system_user  # noqa: PLC0415  beside its only use

    own = {"data_dir": str(fresh), "port": "0", "console_operators": system_user()}
    with running(**own) as up:
        [ready] = up.logged("directory projector is up")
        assert "enter?key" not in up.said
        ran = command("console", "--address", data_dir=str(fresh))
        assert ran.returncode == 0
        address = ran.stdout.strip()
        assert address.startswith(ready["console"])

        async def acts() -> None:
            async with browsing(ready["console"], fresh) as browser:
                assert (await browser.get(address.removeprefix(ready["console"]))).status == 200
                told = await browser.act("rebuild", projection="users")
                assert told == "rebuilt users up to position 0"
                # As the server's superuser it could append all the same.
                right = "EXECUTE ON FUNCTION log.append"
                await run_on(dsn, f"REVOKE {right} FROM projector_operator")
                answer = await browser.send("/actions/rebuild", {"projection": "users"})
                assert (answer.status, "may not do that" in answer.text) == (503, True)
                await run_on(dsn, f"GRANT {right} TO projector_operator")

        dsn = command("dsn", data_dir=str(fresh)).stdout.strip()
        asyncio.run(acts())
        assert query(dsn, "SELECT event FROM log.events") == [("operator.rebuilt",)]
        # Another one, on the database of this `up`.
        with Process(
            [*PROJECTOR, "console"],
            fresh / "other",
            env=environment(data_dir=str(fresh), console_port="0"),
        ) as other:
            other.until(LISTENS)
            assert other.stop(signal.SIGTERM) == 0
        (fresh / "other").unlink()
        assert up.stop(signal.SIGTERM) == 0
    assert list(fresh.glob("*.key")) == []
    assert up.logged("stopped")


def test_up_on_a_terminal_prints_an_address_that_a_browser_opens(
    database_url: str, tmp_path: Path
) -> None:
    """From a link on another site, too, with which no cookie for this site alone is sent."""
    own = {
        "data_dir": str(tmp_path),
        "database_url": database_url,
        "port": "0",
        "console_port": "0",
    }
    with terminal(**own) as shown:
        shown.until("Ctrl-C")
        found = ADDRESS.search(shown.shown)
        assert found is not None
        assert "another: projector console --address" in shown.shown
        again = command("console", "--address", **own).stdout.strip()
        url = found[0].partition("/enter")[0]

        async def opened() -> None:
            elsewhere = await asyncio.start_server(linking_to(again), "127.0.0.1", 0)
            async with elsewhere, chromium() as browser:
                page = await (await browser.new_context(base_url=url)).new_page()
                await page.goto(found[0])
                await page.wait_for_url(f"{url}/")
                await page.goto("/projections")
                assert await page.title() == "Projections · directory"
                await page.get_by_role("button", name="Leave").click()
                await page.get_by_role("heading", name="You have left").wait_for()
                page = await (await browser.new_context(base_url=url)).new_page()
                port = elsewhere.sockets[0].getsockname()[1]
                await page.goto(f"http://localhost:{port}/")
                await page.get_by_role("link").click()
                await page.wait_for_url(f"{url}/")
                assert "You are in" not in await page.content()
                assert "one-time address" not in await page.content()
                await page.goto("/projections")
                assert await page.title() == "Projections · directory"

        asyncio.run(opened())
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(30) == 0
    log = (tmp_path / "projector.log").read_text(encoding="utf-8")
    assert "console_entered" in log
    assert found[2] not in log
    assert "enter?key" not in log


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_off_a_terminal_no_key_is_printed_in_any_format(
    database_url: str, tmp_path: Path, log_format: str
) -> None:
    own = {
        "database_url": database_url,
        "data_dir": str(tmp_path),
        "console_port": "0",
        "port": "0",
    }
    for name in ("console", "up"):
        env = environment(**own, log_format=log_format)
        with Process([*PROJECTOR, name], tmp_path / name, env=env) as process:
            process.until(re.compile("console_listens"))
            process.until(
                re.compile("directory projector is up|look at the directory|console_reads")
            )
            assert process.stop(signal.SIGTERM) == 0
        assert "key=" not in process.said
        if log_format == "console":
            assert "an address that `projector console --address` prints" in process.said


def linking_to(address: str) -> Any:
    """A site that holds a link."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        page = f"<!doctype html><title>x</title><link rel=icon href='data:,'><a href='{address}'>go</a>"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
            + f"Content-Length: {len(page)}\r\n\r\n{page}".encode()
        )
        await writer.drain()
        writer.close()

    return answer


def test_the_ingress_goes_on_whatever_befalls_the_console(
    database_url: str, tmp_path: Path
) -> None:
    from tests.up_rig import starting  # noqa: PLC0415  beside its only use

    breaking = (
        PROJECTOR[0],
        "-c",
        """
import sys
from projector.console import reach
async def look(self): raise ValueError("hunter2")
reach.Reach._look = look
sys.argv = ["projector", "up"]
from projector.__main__ import main
main()
""",
    )
    own = {"data_dir": str(tmp_path), "database_url": database_url, "port": "0"}
    with starting(breaking, **own, zoom_secret_tokens="a token") as up:

        async def delivered() -> int:
            body = event_body()
            async with aiohttp.ClientSession() as session:
                answer = await session.post(up.url, data=body, headers=signed(body, b"a token"))
                return answer.status

        assert asyncio.run(delivered()) == 200
        up.until(re.compile("console_look_failed"))
        assert asyncio.run(delivered()) == 200
        assert "hunter2" not in up.said
        assert up.stop(signal.SIGTERM) == 0
