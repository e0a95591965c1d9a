"""How a console reads: as directory_reader alone, whatever its login, its pooler or its luck."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import asyncpg
import pytest
from structlog.testing import capture_logs

from projector.console import app, reach
from projector.console.asked import Asked
from projector.console.pages import Page, Shown
from projector.console.pages.every import PAGES
from projector.console.snapshot import Snapshot
from projector.database import Database, in_role
from projector.schema.migrate import migrate
from projector.schema.roles import Role
from tests.acceptance.test_recovery_commands import ACTS, BLANK, NOBODY
from tests.conftest import TEMPLATE, database_of, run_on
from tests.console_rig import Browser, console
from tests.ingress_rig import NOWHERE
from tests.logins import login_with
from tests.pgbouncer_rig import pgbouncer
from tests.runtime_rig import append_bodies, replica, until, until_folded

PAGE = "/projections"
WHO = (
    "SELECT current_user, current_setting('transaction_read_only'), "
    "current_setting('transaction_isolation')"
)
AS_READER = ("directory_reader", "on", "repeatable read")
FORBIDDEN = ("SELECT 1 FROM log.events LIMIT 1", "SELECT 1 FROM state.users LIMIT 1")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Who every page's statements are run as; asserts that these may not read the log or the state."""
    found: list[tuple[Any, ...]] = []
    rows = Snapshot.rows

    async def watched(self: Snapshot, name: str, *arguments: Any) -> list[asyncpg.Record]:
        found.append(tuple(await self._connection.fetchrow(WHO) or ()))
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with self._connection.transaction():
                    await self._connection.fetch(statement)
        return await rows(self, name, *arguments)

    monkeypatch.setattr(Snapshot, "rows", watched)
    return found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(reach, "LOOK_AGAIN_SECONDS", 0.1)


# ---- as whom -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.path))
async def test_every_page_reads_as_the_reader_and_may_not_read_the_log(
    database_url: str, seen: list[tuple[Any, ...]], page: Page
) -> None:
    path = re.sub(r"\{\w+[^}]*\}", "x", page.path)
    async with console(database_url) as browser:
        assert (await browser.get(path)).status in {200, 404}
    assert set(seen) == {AS_READER}


@pytest.mark.parametrize("role", [None, Role.OPERATOR])
async def test_who_may_act_reads_as_the_reader_all_the_same(
    database: Database, database_url: str, seen: list[tuple[Any, ...]], role: Role | None
) -> None:
    await migrate(database)  # a clone of a database has no rights of its own
    url = database_url if role is None else await login_with(database, database_url, role)
    async with replica(database):
        await append_bodies(database, [NOBODY, BLANK])
        await until_folded(database)
    async with console(url) as browser:
        await assert_acts_and_reads(browser)
    assert set(seen) == {AS_READER}
    assert len(await database.fetch(ACTS)) == 2


async def test_in_up_the_console_is_an_operator(database: Database, database_url: str) -> None:
    await migrate(database)
    async with replica(database):
        await append_bodies(database, [NOBODY, BLANK])
        await until_folded(database)
    async with console(in_role(database_url, Role.OPERATOR)) as browser:
        await assert_acts_and_reads(browser)


async def assert_acts_and_reads(browser: Browser) -> None:
    assert "recorded" in await browser.act("dead-letters/dismiss", position="1", reason="x")
    assert await browser.act("rebuild", projection="users") == "rebuilt users up to position 3"
    assert (await browser.get(PAGE)).status == 200


async def test_a_login_that_only_reads_shows_pages_and_says_why_it_cannot_act(
    database: Database, database_url: str, seen: list[tuple[Any, ...]]
) -> None:
    url = await login_with(database, database_url, Role.READER)
    async with console(url) as browser:
        page = await browser.get(PAGE)
        assert (page.status, "may only read" in page.text) == (200, True)
        answer = await browser.send("/actions/dead-letters/retry")
        assert answer.status == 403
        assert "projector grant projector_operator roles_test_reader" in answer.text
    assert set(seen) == {AS_READER}


async def test_a_login_that_may_not_become_the_reader_reads_nothing(
    database: Database, database_url: str
) -> None:
    url = await login_with(database, database_url, Role.INGRESS)
    async with console(url) as browser:
        answer = await browser.get(PAGE)
    assert answer.status == 503
    assert "projector grant directory_reader roles_test_ingress" in answer.text


@pytest.mark.binary("pgbouncer")
async def test_behind_a_pooler_no_role_outlives_its_page(
    database: Database, database_url: str, seen: list[tuple[Any, ...]]
) -> None:
    async with replica(database):
        await append_bodies(database, [NOBODY, BLANK])
        await until_folded(database)
    with pgbouncer(database_url, pool_size=4) as pooled:
        async with console(pooled) as browser:
            pages = [browser.get(PAGE) for _ in range(30)]
            assert {answer.status for answer in await asyncio.gather(*pages)} == {200}
            await assert_acts_and_reads(browser)
            pages = [browser.get(PAGE) for _ in range(30)]
            assert {answer.status for answer in await asyncio.gather(*pages)} == {200}
        connection = await asyncpg.connect(pooled, statement_cache_size=0)
        for _ in range(10):
            assert await connection.fetchval("SELECT current_user") == "projector"
        await connection.close()
    assert set(seen) == {AS_READER}


# ---- a database that is away, or another --------------------------------------------------------


@pytest.fixture
async def vanishing(server: str, template: str) -> AsyncIterator[str]:
    """The URL of a database that is not there; it is dropped at the end."""
    name = "console_vanishing"
    await run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    assert template == TEMPLATE
    yield database_of(server, name)
    await run_on(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def statuses(browser: Browser, wanted: int) -> None:
    async def so() -> bool:
        return (await browser.get(PAGE)).status == wanted

    await until(so)


async def test_it_waits_for_its_database_and_says_why(server: str, vanishing: str) -> None:
    with capture_logs() as lines:
        async with console(vanishing) as browser:
            answer = await browser.get(PAGE)
            assert answer.status == 503
            assert "the server has no such database" in answer.text
            assert (await browser.get("/livez")).status == 200
            assert (await browser.send("/actions/dead-letters/retry", token="x")).status == 403
            create = f"CREATE DATABASE console_vanishing TEMPLATE {TEMPLATE} STRATEGY file_copy"
            await run_on(server, create)
            await statuses(browser, 200)
            await run_on(server, "DROP DATABASE console_vanishing WITH (FORCE)")
            await statuses(browser, 503)
            await run_on(server, create)
            await statuses(browser, 200)
    told = [line for line in lines if line["event"] == "console_waits_for_database"]
    assert 0 < len(told) < 4


async def test_where_nothing_listens_it_says_so_and_the_address_is_good_all_the_same() -> None:
    async with console(NOWHERE) as browser:
        answer = await browser.get(PAGE)
        assert (answer.status, "nothing listens at" in answer.text) == (503, True)
        assert "You are in" in (await browser.get(browser.key)).text


async def test_a_schema_behind_the_code_is_told(database: Database, database_url: str) -> None:
    await database.fetch(
        "DELETE FROM projector.migrations WHERE number = (SELECT max(number) FROM projector.migrations)"
    )
    async with console(database_url) as browser:
        answer = await browser.get(PAGE)
        assert answer.status == 503
        assert "and this code needs" in answer.text
        assert "projector migrate" in answer.text
        insert = "INSERT INTO projector.migrations (number, name, serves) SELECT max(number) + 1, 'x', 1 "
        await database.fetch(f"{insert} FROM projector.migrations")
        await statuses(browser, 200)
        await database.fetch(
            "INSERT INTO projector.migrations (number, name, serves) VALUES (999, 'x', 999)"
        )

        async def too_old() -> bool:
            return "run a newer release" in (await browser.get(PAGE)).text

        await until(too_old)


async def test_a_database_without_a_schema_is_told(server: str, vanishing: str) -> None:
    await run_on(server, "CREATE DATABASE console_vanishing")
    async with console(vanishing) as browser:
        answer = await browser.get(PAGE)
        assert (answer.status, "projector migrate" in answer.text) == (503, True)


async def test_a_page_that_takes_too_long_is_given_up(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PAGE_SECONDS", 0.3)
    async with console(database_url) as browser:
        assert (await browser.get(PAGE)).status == 200
        async with database.transaction() as holding:
            await holding.execute("LOCK TABLE state.checkpoints IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            assert (await browser.get(PAGE)).status == 503
            assert time.monotonic() - began < 5
        assert (await browser.get(PAGE)).status == 200


# ---- bugs ----------------------------------------------------------------------------------------


async def broken(_asked: Asked, _read: Snapshot) -> Shown:
    raise ValueError("hunter2")


async def mistyped(_asked: Asked, read: Snapshot) -> Shown:
    await read._connection.fetch("SELECT $1::int", "hunter2")
    return {}


async def untemplated(_asked: Asked, _read: Snapshot) -> Shown:
    return {"hunter2": 1}


@pytest.mark.parametrize("read", [broken, mistyped, untemplated])
async def test_a_bug_is_a_plain_page_and_a_log_line_without_its_words(
    database_url: str, monkeypatch: pytest.MonkeyPatch, read: Any
) -> None:
    page = Page("/broken", "x", "projections.html.j2", read)
    monkeypatch.setattr(app, "PAGES", (*PAGES, page))
    async with console(database_url) as browser:
        with capture_logs() as lines:
            answer = await browser.get("/broken?secret=hunter2")
        assert answer.status == 500
        assert "hunter2" not in answer.text.replace("/broken?secret=hunter2", "")
        assert "Traceback" not in answer.text
        [bug] = [line for line in lines if line["event"] == "console_failed"]
        assert "hunter2" not in str({**bug, "exc_info": None})
        assert (await browser.get(PAGE)).status == 200


async def test_the_way_in_may_fail_too(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> NoReturn:
        raise ValueError("hunter2")

    async with console(database_url) as browser:
        monkeypatch.setattr("projector.console.access.forgery.Tokens.of", breaks)
        answer = await browser.request("GET", PAGE)
        assert answer.status == 500
        assert "hunter2" not in answer.text
