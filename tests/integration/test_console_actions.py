"""What an operator does from a page: the same as by command, told in the log, and by nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from projector.config import Settings
from projector.console import rebuilds
from projector.console.actions.every import ACTIONS
from projector.database import Database, open_database
from projector.log.quarantine import Suspect, keep
from projector.operations.actor import system_user
from projector.projections import projection_named
from projector.rebuild import claim
from projector.rebuild.scan import Scanner
from projector.state.dead_letters import list_dead_letters
from projector.state.drift import list_drift
from projector.zoom.events import digest_of
from projector.zoom.signature import sign
from tests.acceptance.test_recovery_commands import ACTS, BLANK, KNOWN, MOVED, NOBODY
from tests.console_rig import SENT, Browser, console
from tests.ingress_rig import SECRET, event_body
from tests.integration.test_reconcile_runs import played
from tests.played_api import ACCOUNT
from tests.runtime_rig import append_bodies, rebuild_leftovers, replica, until, until_folded
from tests.zoom_rest_rig import ZoomAccount

PAGE = "/projections"


@pytest.fixture
async def troubled(database: Database) -> Database:
    """A database with two dead letters, at 1 and 2, and drift of two paths, at 4; folded."""
    async with replica(database):
        await append_bodies(database, [NOBODY, BLANK, KNOWN, MOVED])
        await until_folded(database)
    return database


@pytest.fixture
async def browser(database_url: str) -> AsyncIterator[Browser]:
    """A browser of an operator."""
    async with console(database_url, zoom_secret_tokens=SecretStr(SECRET.decode())) as opened:
        yield opened


async def acts(database: Database) -> list[tuple[str, Any]]:
    """The kind and the object of each act in the log; all are the system's user's."""
    found = []
    for _, name, payload in await database.fetch(ACTS):
        told = json.loads(payload)
        assert told["operator"] == system_user()
        found.append((name.removeprefix("operator."), told["object"]))
    return found


async def quarantined(database: Database, secret: bytes = SECRET) -> int:
    """Quarantine a delivery that `secret` signed; returns its row."""
    body, stamp = event_body(), "1700000000"
    suspect = Suspect(
        datetime.now(UTC), "signature", "user.x", False, None, stamp, sign(secret, stamp, body),
        digest_of(body), body,
    )  # fmt: skip
    await keep(database, [suspect], max_rows=10, max_bytes=100_000)
    return int(await database.fetchval("SELECT max(id) FROM log.quarantine"))


# ---- dead letters and drift ----------------------------------------------------------------------


async def test_dead_letters_are_folded_again(troubled: Database, browser: Browser) -> None:
    told = await browser.act("dead-letters/retry")
    assert told.startswith("folded 0, left 2: 1 in users (")
    assert "(users" not in (await browser.get(PAGE)).text  # it is told once
    assert await acts(troubled) == []
    await troubled.fetch("UPDATE state.dead_letters SET position = 3 WHERE projection = 'users'")
    told = await browser.act("dead-letters/retry", position="3")
    assert told == "folded 1, left 0; recorded at position 5"
    assert await acts(troubled) == [("dead_letters_retried", {"folded": 1, "left": 0})]


async def test_a_dead_letter_is_dismissed_with_a_reason(
    troubled: Database, browser: Browser
) -> None:
    fields = {"position": "1", "reason": "the sender's <test>"}
    told = await browser.act("dead-letters/dismiss", **fields)
    assert told == "dismissed position 1 in users; recorded at position 5"
    [(kind, about)] = await acts(troubled)
    assert (kind, about["projection"], about["reason"]) == (
        "dead_letter_dismissed", "users", "the sender's <test>",
    )  # fmt: skip
    async with replica(troubled):
        await until_folded(troubled)
    assert [row.position for row in await list_dead_letters(troubled)] == [2]
    again = await browser.send("/actions/dead-letters/dismiss", fields)
    assert (again.status, "is dismissed already" in again.text) == (409, True)


async def test_drift_is_acknowledged_with_a_reason(troubled: Database, browser: Browser) -> None:
    fields = {"account": "A", "entity": "user", "entity_id": "Uma", "reason": "known"}
    told = await browser.act("drift/acknowledge", **fields, path="pic_url")
    assert told == "acknowledged 1; recorded at position 5"
    [(kind, about)] = await acts(troubled)
    assert (kind, about["path"], about["reason"]) == ("drift_acknowledged", "pic_url", "known")
    async with replica(troubled):
        await until_folded(troubled)
    assert [row.path for row in await list_drift(troubled, acknowledged=False)] == ["dept"]
    assert (
        await browser.act("drift/acknowledge", **fields) == "acknowledged 1; recorded at position 6"
    )


# ---- the quarantine ------------------------------------------------------------------------------


async def test_the_quarantine_is_verified_again(database: Database, browser: Browser) -> None:
    await quarantined(database)
    await quarantined(database, b"another")
    told = await browser.act("quarantine/reverify")
    assert told == "appended 1, known already 0, left 1; recorded at position 2"
    about = {"appended": 1, "duplicates": 0, "left": 1}
    assert await acts(database) == [("quarantine_reverified", about)]


async def test_the_quarantine_is_purged_with_a_reason_and_a_tick(
    database: Database, browser: Browser
) -> None:
    rows = [await quarantined(database) for _ in range(3)]
    purge, one = "/actions/quarantine/purge", {"id": str(rows[0]), "reason": "a scanner"}
    for wrong in (one, one | {"sure": "no"}, {"id": str(rows[0]), "sure": "yes"}):
        assert (await browser.send(purge, wrong)).status == 400
    unknown = await browser.send(purge, one | {"id": "999", "sure": "yes"})
    assert (unknown.status, "nothing was deleted" in unknown.text) == (409, True)
    assert await database.fetchval("SELECT count(*) FROM log.quarantine") == 3
    told = await browser.act("quarantine/purge", **one, sure="yes")
    assert told == "deleted 1; recorded at position 1"
    told = await browser.act("quarantine/purge", reason="old", sure="yes")
    assert told == "deleted 2; recorded at position 2"
    assert await acts(database) == [
        ("quarantine_purged", {"rows": 1, "ids": [rows[0]], "reason": "a scanner"}),
        ("quarantine_purged", {"rows": 2, "reason": "old"}),
    ]


# ---- a person, and a rebuild ---------------------------------------------------------------------


async def test_a_person_is_compared_with_zoom(database: Database, database_url: str) -> None:
    zoom = ZoomAccount()
    zoom.has("ada", email="ada@example.com")
    async with (
        played(zoom) as given,
        console(database_url, **settings_of(given)) as browser,
        replica(database),
    ):
        told = await browser.act("reconcile", person="ada@example.com")
        assert told.startswith("users: 1 new, 0 repaired, 0 gone; settings: ")
        assert "recorded at position" in told
        [(kind, about)] = await acts(database)
        assert (kind, about["id"]) == ("person_reconciled", "ada@example.com")
        nobody = await browser.send("/actions/reconcile", {"person": "nobody@example.com"})
        assert (nobody.status, "neither Zoom nor the directory knows" in nobody.text) == (409, True)
        zoom.unreadable = {"/users/ada": (400, 4711)}
        told = await browser.act("reconcile", person="ada@example.com")
        assert "not everything could be read: " in told
        assert "user:read:user:admin" in told


def settings_of(given: dict[str, str]) -> dict[str, Any]:
    return {name: getattr(Settings(**{name: value}), name) for name, value in given.items()}


async def test_without_credentials_nobody_is_compared(browser: Browser) -> None:
    answer = await browser.send("/actions/reconcile", {"person": "ada"})
    assert answer.status == 409
    assert "PROJECTOR_ZOOM_ACCOUNT_ID" in answer.text


async def test_a_projection_is_rebuilt(troubled: Database, browser: Browser) -> None:
    told = await browser.act("rebuild", projection="users")
    assert told == "rebuilt users up to position 4"
    assert await acts(troubled) == [("rebuilt", {"projections": ["users"]})]
    wrong = await browser.send("/actions/rebuild", {"projection": "nothing"})
    assert (wrong.status, "there is no projection nothing" in wrong.text) == (409, True)
    async with claim.claimed(troubled, [projection_named("users")]):
        refused = await browser.send("/actions/rebuild", {"projection": "users"})
    assert (refused.status, "users is being rebuilt" in refused.text) == (409, True)
    assert len(await acts(troubled)) == 1


async def test_a_long_rebuild_goes_on_in_the_background_one_at_a_time(
    troubled: Database, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = held_up(monkeypatch)
    told = await browser.act("rebuild", projection="users")
    assert told.startswith("rebuilding users")
    assert "being rebuilt beside" in (await browser.get(PAGE)).text
    second = await browser.send("/actions/rebuild", {"projection": "groups"})
    assert (second.status, "the console is rebuilding users" in second.text) == (409, True)
    go_on.set()

    async def recorded() -> bool:
        return await acts(troubled) == [("rebuilt", {"projections": ["users"]})]

    await until(recorded)
    monkeypatch.setattr(rebuilds, "AT_ONCE_SECONDS", 20)
    assert await browser.act("rebuild", projection="groups") == "rebuilt groups up to position 5"


def held_up(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Rebuilds wait in the middle until the event that is returned is set."""
    go_on, scan = asyncio.Event(), Scanner.scan

    async def slow(*arguments: Any) -> None:
        await go_on.wait()
        await scan(*arguments)

    monkeypatch.setattr(rebuilds, "AT_ONCE_SECONDS", 0.2)
    monkeypatch.setattr(Scanner, "scan", slow)
    return go_on


async def test_a_rebuild_that_fails_later_is_told_to_whoever_asked(
    troubled: Database, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilds, "AT_ONCE_SECONDS", 0.2)

    async def breaks(*_: Any) -> None:
        await asyncio.sleep(0.4)
        raise ValueError("hunter2")

    monkeypatch.setattr(Scanner, "scan", breaks)
    with capture_logs() as lines:
        await browser.act("rebuild", projection="users")

        async def told() -> bool:
            return "users was not rebuilt: an unexpected error" in (await browser.get(PAGE)).text

        await until(told)
    assert "hunter2" not in [line.get("reason") for line in lines]
    assert [line for line in lines if line["event"] == "console_rebuild_failed"]
    assert await acts(troubled) == []
    assert await rebuild_leftovers(troubled) == 0


async def test_a_console_that_ends_gives_up_its_rebuild_and_leaves_nothing(
    troubled: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_up(monkeypatch)
    async with console(database_url) as browser:
        await browser.act("rebuild", projection="users")
        assert await rebuild_leftovers(troubled) > 0
    assert await rebuild_leftovers(troubled) == 0
    assert await acts(troubled) == []


# ---- nobody else, and in no other way ------------------------------------------------------------

PATHS = [f"/actions/{action.path}" for action in ACTIONS]


@pytest.mark.parametrize("path", PATHS)
async def test_an_action_is_no_address(database: Database, browser: Browser, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = await browser.request(method, path)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert "buttons" in (await browser.get(path)).text
    assert await acts(database) == []


@pytest.mark.parametrize("path", PATHS)
async def test_an_action_takes_a_token_a_page_of_ours_and_an_operator(
    troubled: Database, database_url: str, path: str
) -> None:
    fields = {
        "position": "1", "reason": "x", "sure": "yes", "account": "A", "entity": "user", "entity_id": "Uma",
        "person": "ada", "projection": "users",
    }  # fmt: skip
    row = await quarantined(troubled)
    async with console(database_url, zoom_secret_tokens=SecretStr(SECRET.decode())) as browser:
        token = (await browser.get(PAGE)).token
        assert (await browser.send(path, fields, token="x")).status == 403
        assert (await browser.send(path, fields, token="")).status == 403
        evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert (await browser.send(path, fields, token=token, headers=evil)).status == 403
        assert (await browser.send(path, fields, token=token, headers={})).status == 403
    async with console(database_url, console_operators="somebody@else") as browser:
        refused = await browser.send(path, fields)
        assert refused.status == 403
        assert f"you are {system_user()}, who may look and not act" in refused.text
    assert await acts(troubled) == []
    assert await troubled.fetchval("SELECT max(id) FROM log.quarantine") == row


async def test_nobody_is_an_operator_unless_named(database_url: str) -> None:
    async with console(database_url, console_operators="") as browser:
        assert (await browser.send("/actions/dead-letters/retry")).status == 403
        assert "PROJECTOR_CONSOLE_OPERATORS" in (await browser.get(PAGE)).text
    upper = f" x@y.z , {system_user().upper()} "
    async with console(database_url, console_operators=upper) as browser:
        assert (await browser.send("/actions/dead-letters/retry")).status == 303


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [("/trust?x=%20y#z", "/trust?x=%20y#z"), ("//evil.example", "/"), ("https://evil.example/", "/"),
     ("/\\evil.example", "/"), ("\\/evil.example", "/"), ("/\t/evil.example", "/"), ("evil.example", "/"),
     ("javascript:alert(1)", "/"), ("/a\r\nSet-Cookie: a=b", "/"), ("", "/"), ("/\u00e9", "/")],
)  # fmt: skip
async def test_an_action_leads_back_to_this_site_alone(
    browser: Browser, back: str, leads_to: str
) -> None:
    answer = await browser.send("/actions/dead-letters/retry", back=back)
    assert (answer.status, answer.headers["Location"]) == (303, leads_to)
    assert "Set-Cookie" not in answer.headers


async def test_bad_forms_are_told(browser: Browser) -> None:
    for path, fields, words in (
        ("dead-letters/dismiss", {"reason": "x"}, "must name a position"),
        ("dead-letters/dismiss", {"position": "one", "reason": "x"}, "a position in the log"),
        ("dead-letters/dismiss", {"position": str(2**63), "reason": "x"}, "a position in the log"),
        ("dead-letters/dismiss", {"position": "1"}, "the reason takes a text"),
        ("dead-letters/dismiss", {"position": "1", "reason": "x" * 1001}, "at most 1000"),
        ("dead-letters/dismiss", {"position": "1", "reason": "a\0b"}, "at most 1000"),
        (
            "drift/acknowledge",
            {"entity": "user", "entity_id": "x", "reason": "x"},
            "must name account",
        ),
        ("rebuild", {}, "must name projection"),
        ("reconcile", {}, "must name person"),
    ):
        answer = await browser.send(f"/actions/{path}", fields)
        assert (answer.status, words in answer.text) == (400, True), answer.text
    missing = await browser.send("/actions/dead-letters/dismiss", {"position": "7", "reason": "x"})
    assert (missing.status, "position 7 is no dead letter" in missing.text) == (409, True)
    assert 'href="/projections"' in missing.text


async def test_a_body_is_a_small_form(browser: Browser) -> None:
    path, sent = "/actions/dead-letters/retry", SENT | {"Origin": browser.url}
    huge = await browser.send(path, {"x": "y" * 20_000})
    assert huge.status == 413
    for body in ({"json": {}}, {"data": b"\xff", "headers": sent | {"Content-Type": "text/plain"}}):
        answer = await browser.request("POST", path, **({"headers": sent} | body))
        assert (answer.status, "takes forms" in answer.text) == (400, True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    token = (await browser.get(PAGE)).token
    for data in (f"token={token}&token={token}".encode(), b"token=%FF%FE"):
        answer = await browser.request("POST", path, data=data, headers=sent | form)
        assert answer.status in {400, 403}
    odd = {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}
    answer = await browser.request("POST", path, data=b"token=x", headers=sent | odd)
    assert answer.status == 400


async def test_the_log_names_the_action_and_nothing_of_it(
    troubled: Database, browser: Browser
) -> None:
    with capture_logs() as lines:
        await browser.act("dead-letters/dismiss", position="1", reason="hunter2")
        await browser.send("/actions/dead-letters/dismiss", {"position": "9", "reason": "hunter2"})
    told = [line for line in lines if line["event"] == "console_action"]
    assert [(line["action"], line["done"]) for line in told] == [
        ("dead-letters/dismiss", True), ("dead-letters/dismiss", False),
    ]  # fmt: skip
    assert "hunter2" not in str(lines)
    assert len(await acts(troubled)) == 1


async def test_an_unexpected_error_of_an_action_is_no_secret(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: Any) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr("projector.operations.dead_letters.retry_dead_letters", breaks)
    with capture_logs() as lines:
        answer = await browser.send("/actions/dead-letters/retry")
    assert answer.status == 500
    assert "hunter2" not in answer.text
    [bug] = [line for line in lines if line["event"] == "console_failed"]
    assert isinstance(bug["exc_info"], ValueError)  # telemetry writes its class and frames alone


async def test_where_the_log_is_locked_the_action_says_so(
    database: Database, database_url: str, browser: Browser
) -> None:
    await quarantined(database)
    other = await open_database(database_url)
    async with other.transaction() as holding:
        await holding.execute("LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
        answer = await browser.send(
            "/actions/quarantine/purge", {"reason": "x", "sure": "yes", "id": "1"}
        )
        assert answer.status == 503
    await other.close()
    assert await database.fetchval("SELECT count(*) FROM log.quarantine") == 1
    assert ACCOUNT not in answer.text


async def test_a_script_that_follows_a_page_uses_up_no_message(
    troubled: Database, browser: Browser
) -> None:
    path, token = "/actions/dead-letters/retry", (await browser.get(PAGE)).token
    assert (await browser.send(path, token=token)).status == 303
    polled = await browser.get(PAGE, headers={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"})
    assert "folded 0" not in polled.text
    assert "folded 0" in (await browser.get(PAGE)).text
    assert await acts(troubled) == []
