"""The README's nginx before a console, with what stands for oauth2-proxy: whom it knows comes in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from projector.database import Database
from tests.acceptance.test_recovery_commands import ACTS
from tests.browser import chromium
from tests.console_rig import OPENED, SENT, Browser, browsing, console
from tests.processes import Process, binary, free_port

pytestmark = pytest.mark.binary("nginx")

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = re.compile(r"```nginx\n(.+?)```", re.DOTALL)
ADA, EVE = "ada@example.com", "eve@example.com"
PAGE = "/projections"


@asynccontextmanager
async def oauth2_proxy() -> AsyncIterator[int]:
    """Knows people by their cookie, and says who they are; yields its port."""

    async def auth(request: web.Request) -> web.Response:
        assert request.method == "GET"
        assert await request.read() == b""
        who = request.cookies.get("signed_on")
        if who is None:
            return web.Response(status=401)
        return web.Response(status=202, headers={"X-Auth-Request-Email": who})

    async def sign_in(_request: web.Request) -> web.Response:
        return web.Response(status=403, text="sign in first")

    application = web.Application()
    application.router.add_get("/oauth2/auth", auth)
    application.router.add_route("*", "/oauth2/sign_in", sign_in)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def configuration(port: int, oauth2: int, console_: str, folder: Path) -> str:
    """The README's server, without TLS and on ports of this test, in a whole configuration."""
    found = EXAMPLE.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    server = re.sub(r" +ssl_certificate.*\n", "", found[1])
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("http://127.0.0.1:4180", f"http://127.0.0.1:{oauth2}"),
        ("http://10.0.0.5:8090", console_),
    ):
        assert old in server
        server = server.replace(old, new)
    paths = "".join(
        f"{name}_temp_path {folder};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr warn; events {{}}\n"
        f"http {{ access_log off;\n{paths}{server}}}\n"
    )


@pytest.fixture
async def proxied(database_url: str, tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser before nginx, before a console in which Ada may act."""
    behind = {
        "console_user_header": "X-Forwarded-Email",
        "trusted_proxies": "127.0.0.1",
        "console_operators": ADA,
    }
    port = free_port()
    async with console(database_url, **behind) as direct, oauth2_proxy() as oauth2:
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(port, oauth2, direct.url, tmp_path), encoding="ascii")
        with Process(
            [binary("nginx"), "-p", str(tmp_path), "-c", str(file)], tmp_path / "said"
        ) as nginx:
            nginx.listening(port)
            async with browsing(f"http://127.0.0.1:{port}", tmp_path) as browser:
                yield browser


async def test_whoever_is_signed_on_comes_in_as_themselves_and_nobody_else(
    proxied: Browser,
) -> None:
    answer = await proxied.get(PAGE)
    assert (answer.status, answer.text) == (403, "sign in first")
    for forged in (
        {},
        {"X-Forwarded-Email": ADA},
        {"x-forwarded-email": ADA, "X_Forwarded_Email": ADA},
    ):
        answer = await proxied.get(PAGE, headers=OPENED | forged | {"Cookie": f"signed_on={EVE}"})
        assert answer.status == 200
        assert (EVE in answer.text, ADA in answer.text) == (True, False)
        answer = await proxied.get(PAGE, headers=OPENED | forged)
        assert answer.text == "sign in first"
    comma = await proxied.get(PAGE, headers=OPENED | {"Cookie": f'signed_on="{ADA}, {EVE}"'})
    assert (comma.status, "must name one user" in comma.text) == (403, True)


async def test_forms_come_through_and_forgeries_do_not(
    proxied: Browser, database: Database
) -> None:
    proxied.headers["Cookie"] = f"signed_on={ADA}"
    assert await proxied.act("rebuild", projection="users") == "rebuilt users up to position 0"
    [(_, name, payload)] = await database.fetch(ACTS)
    assert (name, ADA in payload) == ("operator.rebuilt", True)
    token = (await proxied.get(PAGE)).token
    for evil in ({"Origin": "https://evil.example"}, SENT | {"Sec-Fetch-Site": "cross-site"}, {}):
        fields = {"projection": "users"}
        answer = await proxied.send("/actions/rebuild", fields, token=token, headers=evil)
        assert (answer.status, "did not come from a page" in answer.text) == (403, True)
    proxied.headers["Cookie"] = f"signed_on={EVE}"
    assert (await proxied.send("/actions/rebuild", fields, token=token)).status == 403
    assert len(await database.fetch(ACTS)) == 1


async def test_in_a_browser_a_button_works_through_the_proxy(
    proxied: Browser, database: Database
) -> None:
    async with chromium() as browser:
        context = await browser.new_context(base_url=proxied.url)
        await context.add_cookies([{"name": "signed_on", "value": ADA, "url": proxied.url}])
        page = await context.new_page()
        await page.goto(PAGE)
        await page.get_by_role("button", name="Rebuild users").click()
        await page.get_by_text("rebuilt users up to position 0").wait_for()
        assert page.url == f"{proxied.url}{PAGE}"
        await page.reload()
        assert await page.get_by_text("rebuilt users up to").count() == 0  # it is told once
    assert len(await database.fetch(ACTS)) == 1
