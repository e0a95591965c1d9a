"""The way in, an action and the way out in Chromium: by keyboard, without JavaScript, narrow, dark."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser import TELEPHONE, assert_accessible, assert_fits, chromium
from tests.console_rig import Browser, console

LOOKS: dict[str, dict[str, Any]] = {
    "desk": {},
    "telephone, dark": {"viewport": TELEPHONE, "color_scheme": "dark"},
}


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Browser]:
    async with console(database_url, enter=False) as browser:
        yield browser


async def good(page: Page) -> None:
    await assert_accessible(page)
    await assert_fits(page)


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_of_access_is_for_everybody(opened: Browser, look: str) -> None:
    async with chromium() as browser:
        context = await browser.new_context(base_url=opened.url, **LOOKS[look])
        page = await context.new_page()
        policy: list[str] = []
        page.on("console", lambda said: policy.append(said.text) if "Policy" in said.text else None)
        await page.goto("/projections")
        assert "projector console --address" in (await page.locator("main").inner_text())
        await good(page)
        await page.goto("/projections")
        await context.add_cookies(await cookie(opened))
        await page.goto("/projections")
        await good(page)
        await page.get_by_role("button", name="Rebuild users").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("status").get_by_text("rebuilt users").wait_for()
        await good(page)
        await page.goto("/actions/rebuild")
        await good(page)
        await page.goto("/projections")
        await page.get_by_role("button", name="Leave").click()
        await page.get_by_role("heading", name="You have left").wait_for()
        await good(page)
        assert policy == []


async def cookie(opened: Browser) -> list[Any]:
    await opened.get(opened.key)
    [kept] = opened.session.cookie_jar
    return [{"name": kept.key, "value": kept.value, "url": opened.url}]


async def test_without_javascript_one_comes_in_acts_and_leaves(opened: Browser) -> None:
    async with chromium() as browser:
        context = await browser.new_context(base_url=opened.url, java_script_enabled=False)
        page = await context.new_page()
        await page.goto(opened.key)
        await page.wait_for_url(f"{opened.url}/")
        await page.goto("/projections")
        await page.get_by_role("button", name="Rebuild groups").click()
        assert await page.get_by_text("rebuilt groups").count() == 1
        await page.get_by_role("button", name="Leave").click()
        await page.goto("/projections")
        assert await page.get_by_text("You have no session here").count() == 1


async def test_the_page_that_lets_one_in_is_for_everybody(opened: Browser) -> None:
    async with chromium() as browser:
        context = await browser.new_context(base_url=opened.url)
        page = await context.new_page()
        body = (await opened.get(opened.key)).text.replace('http-equiv="refresh"', "data-none")
        await page.route(
            "**/enter", lambda route: route.fulfill(body=body, content_type="text/html")
        )
        await page.goto("/enter")
        assert await page.get_by_role("link", name="Go to the overview").count() == 1
        await good(page)
