"""The machine's own Chromium, driven by Playwright, and axe, which finds what shuts people out of a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.processes import binary

# It asks nobody on the network, and runs as root in a container.
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
TELEPHONE: Final = {"width": 400, "height": 800}
expect.set_options(timeout=20_000)

DESK: Final = {"width": 1280, "height": 900}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A Chromium of its own, which ends with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=binary("chromium"), args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(
    browser: Browser, address: str, *, may_complain: bool = False, **options: Any
) -> AsyncIterator[Page]:
    """A page in a context of its own: no cookie of another one. What the page complains of fails the test.

    `may_complain`: where a test has the page's requests fail. `options`: of the context, such as `viewport`
    or `java_script_enabled`. `address`: what paths are relative to.
    """
    context = await browser.new_context(
        base_url=address,
        **{"viewport": DESK, "timezone_id": "Europe/Berlin", "locale": "en-GB", **options},
    )
    page = await context.new_page()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_default_timeout(20_000)
    try:
        yield page
        assert may_complain or said == [], "the page complains"
    finally:
        await context.close()


async def assert_accessible(page: Page) -> None:
    """Assert that axe finds nothing, in any of its rules."""
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


async def assert_fits(page: Page) -> None:
    """Assert that nothing sticks out of the page sideways."""
    width, room = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= room, f"{page.url} is {width} px wide and has {room}"
