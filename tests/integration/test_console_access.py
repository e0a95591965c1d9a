"""Who may come in to a console on a loopback address: real HTTP, and no way around the one-time address."""

import asyncio
import base64
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from projector.console.access import forgery, sessions
from projector.console.access.one_time import KEY_SECONDS, make_key
from projector.operations.actor import system_user
from tests.console_rig import OPENED, SENT, Browser, browsing, console

HOW = "projector console --address"
PAGE = "/projections"


@pytest.fixture
async def browser(database_url: str) -> AsyncIterator[Browser]:
    """A console, and a browser that has not come in."""
    async with console(database_url, enter=False) as opened:
        yield opened


async def entered(browser: Browser) -> Browser:
    assert (await browser.get(browser.key)).status == 200
    return browser


def cookie_of(browser: Browser) -> tuple[str, str]:
    [cookie] = browser.session.cookie_jar
    return cookie.key, cookie.value


# ---- coming in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", PAGE, "/people", "/nowhere", "/actions/rebuild", "/people/a/b?at=2026-01-01"]
)
async def test_whoever_has_no_session_is_told_how_to_come_in(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status == 401
    assert HOW in answer.text
    assert "/leave" not in answer.text
    assert (await browser.request("POST", path)).status == 401


async def test_a_one_time_address_begins_a_session(browser: Browser) -> None:
    answer = await browser.get(browser.key)
    assert answer.status == 200
    assert 'http-equiv="refresh" content="0; url=/"' in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    [cookie] = answer.cookies.values()
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "")
    assert int(cookie["max-age"]) == sessions.SESSION_SECONDS
    page = await browser.get(PAGE)
    assert page.status == 200
    assert system_user() in page.text
    assert page.headers["Cache-Control"] == "no-store"


async def test_an_address_is_good_once(browser: Browser) -> None:
    address = browser.key
    assert (await browser.get(address)).status == 200
    async with browsing(browser.url, browser.folder) as other:
        answer = await other.get(address)
        assert (answer.status, "used already" in answer.text) == (401, True)
        assert (await other.get(PAGE)).status == 401
    assert (await browser.get(address)).status == 200  # the way back of whoever is in


async def test_an_address_is_good_for_ten_minutes(browser: Browser) -> None:
    secret = browser.kept.secret
    old = make_key(secret, time.time() - KEY_SECONDS - 1)
    answer = await browser.get(f"/enter?key={old}")
    assert (answer.status, "ten minutes" in answer.text) == (401, True)
    assert answer.cookies == {}
    nearly = make_key(secret, time.time() - KEY_SECONDS + 5)
    assert (await browser.get(f"/enter?key={nearly}")).status == 200


async def test_a_key_that_nobody_here_made_lets_nobody_in(browser: Browser) -> None:
    key = make_key(browser.kept.secret)
    raw = bytearray(base64.urlsafe_b64decode(key + "=="))
    raw[8] ^= 0x80  # it ends later, or long ago
    changed = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    foreign = make_key(b"x" * 32)
    for given in ("", "x", key[:-1], key + "A", changed, foreign, "\u00e9" * 38, "A" * 5000):
        answer = await browser.request("GET", "/enter", params={"key": given}, headers=OPENED)
        assert answer.status == 401, given
        assert "none of this console" in answer.text
        assert answer.cookies == {}
    assert (await browser.get("/enter")).status == 401
    assert (await browser.get(f"/enter?key={key}")).status == 200


async def test_a_program_that_only_looks_at_an_address_does_not_use_it_up(browser: Browser) -> None:
    address = browser.key
    answer = await browser.request("HEAD", address)
    assert (answer.status, answer.text, answer.cookies) == (200, "", {})
    assert (await browser.get(address)).status == 200


# ---- sessions ------------------------------------------------------------------------------------


async def test_a_cookie_that_was_tampered_with_is_none(browser: Browser) -> None:
    name, value = cookie_of(await entered(browser))
    session, mac = value.split(".")
    other = ("A" if session[0] != "A" else "B") + session[1:]
    async with browsing(browser.url, browser.folder) as thief:
        for given in (
            f"{other}.{mac}",
            f"{session}.{mac[:-1]}0",
            session,
            f".{mac}",
            "",
            "\u00fc.\u00fc",
        ):
            cookie = {"Cookie": f"{name}={given}"} | OPENED
            assert (await thief.get(PAGE, headers=cookie)).status == 401, given
        whole = {"Cookie": f"{name}={value}"} | OPENED
        assert (await thief.get(PAGE, headers=whole)).status == 200


async def test_whoever_leaves_is_out_at_once_and_so_is_a_copy_of_the_cookie(
    browser: Browser,
) -> None:
    name, value = cookie_of(await entered(browser))
    token = (await browser.get(PAGE)).token
    assert (await browser.get("/leave")).status == 405
    assert (await browser.send("/leave", token="x")).status == 403
    assert (await browser.get(PAGE)).status == 200
    left = await browser.send("/leave", token=token)
    assert left.status == 200
    assert HOW in left.text
    assert list(browser.session.cookie_jar) == []
    async with browsing(browser.url, browser.folder) as thief:
        copied = {"Cookie": f"{name}={value}"} | OPENED
        assert (await thief.get(PAGE, headers=copied)).status == 401


async def test_a_session_ends_by_itself(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SESSION_SECONDS", 0.5)
    await entered(browser)
    assert (await browser.get(PAGE)).status == 200
    await asyncio.sleep(0.6)
    assert (await browser.get(PAGE)).status == 401


async def test_of_very_many_sessions_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 3)
    kept = sessions.Sessions()
    begun = [kept.begin() for _ in range(4)]
    assert [kept.known(cookie) is not None for cookie in begun] == [False, True, True, True]


# ---- under which name, and from which page -------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1",
     "10.0.0.1:8090", "[2001:db8::1]:80", "127.0.0.1@evil.example", "localhost:x", ""],
)  # fmt: skip
async def test_a_browser_that_was_led_here_under_another_name_sees_nothing(
    browser: Browser, host: str
) -> None:
    await entered(browser)
    for path in (PAGE, browser.key, "/livez", "/static/console.css"):
        answer = await browser.get(path, headers=OPENED | {"Host": host})
        assert answer.status in {400, 403}, path
        assert answer.cookies == {}


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9999", "127.0.0.1", "127.9.9.9:1", "[::1]:8090"]
)
async def test_names_of_this_machine_are_taken_whatever_the_tunnels_port(
    browser: Browser, host: str
) -> None:
    await entered(browser)
    assert (await browser.get(PAGE, headers=OPENED | {"Host": host})).status == 200


ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {},
]


@pytest.mark.parametrize("said", ELSEWHERE, ids=str)
async def test_a_form_of_another_origin_does_nothing(
    browser: Browser, said: dict[str, str]
) -> None:
    token = (await (await entered(browser)).get(PAGE)).token
    for path in ("/leave", "/actions/rebuild"):
        answer = await browser.send(path, {"projection": "users"}, token=token, headers=said)
        assert (answer.status, "did not come from a page" in answer.text) == (403, True)
    both = SENT | {"Origin": "https://evil.example"}
    assert (await browser.send("/leave", token=token, headers=both)).status == 403
    assert (await browser.get(PAGE)).status == 200


async def test_either_header_of_a_browser_is_enough(browser: Browser) -> None:
    for said in ({"Origin": browser.url}, SENT):
        await entered(browser)
        token = (await browser.get(PAGE)).token
        assert (await browser.send("/leave", token=token, headers=said)).status == 200


async def test_a_token_is_of_one_session_and_ends(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entered(browser)
    own = (await browser.get(PAGE)).token
    async with browsing(browser.url, browser.folder) as other:
        foreign = (await (await entered(other)).get(PAGE)).token
    assert own != foreign
    for token in ("", "x", foreign, own[:-1], own + "0", "\u00e9" * 32):
        answer = await browser.send("/actions/rebuild", {"projection": "users"}, token=token)
        assert (answer.status, "too old, or not yours" in answer.text) == (403, True)
    assert (
        await browser.get(PAGE)
    ).token == own  # a page that follows by itself stays the same text
    monkeypatch.setattr(forgery, "STEP_SECONDS", 0.1)
    early = (await browser.get(PAGE)).token
    await asyncio.sleep(0.45)
    assert (await browser.send("/leave", token=early)).status == 403
    assert (await browser.send("/leave")).status == 200


# ---- what is open, and what is said --------------------------------------------------------------


async def test_what_needs_nobody_is_open(browser: Browser) -> None:
    assert (await browser.get("/livez")).status == 200
    style = await browser.get("/static/console.css")
    assert (style.status, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert (await browser.get("/static/nothing.css")).status == 404


async def test_every_answer_has_the_headers_of_all(browser: Browser) -> None:
    await entered(browser)
    for method, path, status in (
        ("GET", PAGE, 200), ("HEAD", PAGE, 200), ("GET", "/nowhere", 404), ("POST", PAGE, 405),
        ("GET", "/static/console.js", 200), ("GET", "/livez", 200),
    ):  # fmt: skip
        answer = await browser.request(method, path)
        assert answer.status == status
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "aiohttp" not in answer.headers["Server"]
    head = await browser.request("HEAD", PAGE)
    assert (head.text, "html" in head.headers["Content-Type"]) == ("", True)


async def test_the_log_says_who_was_refused_and_no_key(browser: Browser) -> None:
    with capture_logs() as lines:
        key = browser.key
        await browser.get(key)
        async with browsing(browser.url, browser.folder) as other:
            await other.get(key)
            await other.get(key)
            await other.get(PAGE, headers=OPENED | {"Host": "evil.example"})
        await browser.send("/leave", token="hunter2")
    assert [line["event"] for line in lines].count("console_entered") == 1
    refused = [line for line in lines if line["event"] == "console_refused"]
    assert [line["why"] for line in refused] == ["no session", "host", "token"]
    assert {line["peer"] for line in refused} == {"127.0.0.1"}
    assert key.partition("=")[2] not in str(lines)
    assert "hunter2" not in str(lines)
    assert "evil.example" not in str(lines)


# ---- the file for `projector console --address` --------------------------------------------------


async def test_the_file_is_the_users_alone_and_goes_with_the_console(database_url: str) -> None:
    async with console(database_url, enter=False) as browser:
        [file] = browser.folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        secret = browser.kept.secret
        folder = browser.folder
        async with console(database_url, enter=False) as second:
            assert second.kept.secret != secret
        assert list(folder.iterdir()) == [file]
    assert not folder.exists() or list(folder.iterdir()) == []


async def test_where_no_file_can_be_kept_it_says_so_and_serves(
    database_url: str, tmp_path: Path
) -> None:
    from projector.console.server import serving  # noqa: PLC0415  beside its only use
    from tests.console_rig import settings_of_console  # noqa: PLC0415

    (tmp_path / "file").touch()
    with capture_logs() as lines:
        async with serving(settings_of_console(), database_url, tmp_path / "file" / "in") as serves:
            assert serves.one_time_address is not None
            address = serves.one_time_address()
            async with browsing(serves.url, tmp_path) as browser:
                assert (await browser.get(address.removeprefix(serves.url))).status == 200
    assert [line for line in lines if line["event"] == "console_gives_no_addresses"]
