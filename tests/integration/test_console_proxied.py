"""Who may come in to a console behind a sign-on proxy: whom the proxy names, and nobody else."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.console_rig import OPENED, SENT, Browser, browsing, console

PAGE = "/projections"
HEADER = "X-Forwarded-Email"
ADA = "ada@example.com"
PROXY = "127.0.0.1"
BEHIND = {
    "console_user_header": HEADER,
    "trusted_proxies": PROXY,
    "console_operators": f"Bob, {ADA.upper()}",
}


@pytest.fixture
async def browser(database_url: str) -> AsyncIterator[Browser]:
    """The proxy's connection to a console, which names nobody by itself."""
    async with console(database_url, **BEHIND) as opened:
        yield opened


def named(*names: str) -> list[tuple[str, str]]:
    return [*OPENED.items(), *((HEADER, name) for name in names)]


async def opened(browser: Browser, *names: str, path: str = PAGE) -> tuple[int, str]:
    async with browser.session.get(browser.url + path, headers=named(*names)) as got:
        return got.status, await got.text()


async def test_the_user_is_whom_the_proxy_names(browser: Browser) -> None:
    status, page = await opened(browser, ADA)
    assert (status, ADA in page) == (200, True)
    assert "/leave" not in page  # one leaves at the proxy
    status, page = await opened(browser, "\u00d6zlem G\u00fcl")
    assert (status, "\u00d6zlem G\u00fcl" in page) == (200, True)
    status, page = await opened(browser, "<script>alert(1)</script>")
    assert (status, "<script>alert" in page) == (200, False)


@pytest.mark.parametrize(
    "names", [(), ("",), ("  ",), (ADA, ADA), (ADA, "zoe@example.com"), ("a@x.test, b@x.test",), ("x" * 255,),
              ("a\u200bb",), ("\u202ezoe",)],
)  # fmt: skip
async def test_anything_but_one_name_is_nobody(browser: Browser, names: tuple[str, ...]) -> None:
    with capture_logs() as lines:
        status, page = await opened(browser, *names)
    assert (status, "must name one user" in page) == (403, True)
    assert ADA not in page + str(lines)
    assert "zoe" not in page + str(lines)


async def test_a_header_from_an_address_that_is_not_trusted_is_nothing(database_url: str) -> None:
    async with (
        console(database_url, **BEHIND) as proxy,
        browsing(proxy.url, proxy.folder, "127.0.0.2") as forger,
    ):
        forged = {
            HEADER: ADA,
            "X-Forwarded-For": PROXY,
            "Forwarded": f"for={PROXY}",
            "X-Real-IP": PROXY,
        }
        with capture_logs() as lines:
            for method, path in (
                ("GET", PAGE),
                ("GET", "/"),
                ("POST", "/actions/rebuild"),
                ("GET", "/x"),
            ):
                answer = await forger.request(method, path, headers=OPENED | forged)
                assert (answer.status, "through the sign-on proxy alone" in answer.text) == (
                    403,
                    True,
                )
                assert ADA not in answer.text
        assert [(line["why"], line["peer"]) for line in lines] == [
            ("not_by_the_proxy", "127.0.0.2")
        ]
        assert ADA not in str(lines)
        assert (await forger.get("/livez")).status == 200
        assert (await forger.get("/static/console.css")).status == 200


async def test_there_is_no_other_way_in(browser: Browser) -> None:
    assert list(browser.folder.iterdir()) == []  # no key for one-time addresses
    for path in ("/enter?key=x", "/enter"):
        answer = await browser.get(path)
        assert (answer.status, answer.cookies) == (404, {})
    answer = await browser.send("/leave", token="x", headers=SENT | {HEADER: ADA})
    assert answer.status == 404


async def test_a_token_is_of_one_user(browser: Browser) -> None:
    browser.headers[HEADER] = ADA
    token = (await browser.get(PAGE)).token
    browser.headers[HEADER] = "Bob"
    answer = await browser.send("/actions/dead-letters/retry", token=token)
    assert (answer.status, "too old, or not yours" in answer.text) == (403, True)
    browser.headers[HEADER] = ADA
    assert (await browser.send("/actions/dead-letters/retry", token=token)).status == 303


async def test_whoever_is_no_operator_is_told_how_to_become_one(browser: Browser) -> None:
    browser.headers[HEADER] = "eve@example.com"
    page = await browser.get(PAGE)
    assert (page.status, '<form method="post"' in page.text) == (200, False)
    assert "You are eve@example.com, who may look and not act" in page.text
    answer = await browser.send("/actions/dead-letters/retry", token="")
    assert answer.status == 403
    assert "you are eve@example.com, who may look and not act" in answer.text
    assert "PROJECTOR_CONSOLE_OPERATORS" in answer.text
