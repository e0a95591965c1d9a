"""The overview: whether everything arrives, is folded and can be believed, and the numbers behind it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from projector.database import Database
from projector.log.refusals import Counted, count_refusals
from projector.operations.check import Checks
from projector.operations.reading import Reader
from projector.zoom.catalogue import EVENTS
from tests.console_pages import Node, company_in, fold, opened, told
from tests.console_rig import console, settings_of_console
from tests.examples.telling import Told, event

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    with company_in(server, template, "console_overview") as dsn:
        yield dsn


async def ask(url: str, statement: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


def came(ago: timedelta, account: str = "A", status: str = "Away") -> Told:
    """A change of presence that was received when it happened."""
    at = NOW - ago
    about = {"id": "u", "email": "u@x.test", "presence_status": status}
    payload = {"account_id": account, "object": about}
    body = {
        "event": "user.presence_status_updated",
        "event_ts": int(at.timestamp() * 1000),
        "payload": payload,
    }
    return Told(body, received_at=at)


def answer(page: Node, question: str) -> str:
    [badge] = [one for one in page.part(question).all("span") if "badge" in one.attributes["class"]]
    return badge.text


def number(text: str) -> int:
    return int(text.replace("\u202f", ""))


def stats(page: Node) -> dict[str, str]:
    [numbers] = page.all("dl", id="numbers")
    return dict(numbers.pairs)


async def test_the_chart_counts_what_activity_counts(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/")
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    counted = await ask(
        company,
        "SELECT date_trunc('day', hour, 'UTC') AS day, sum(events)::int, max(sum) FROM"
        " (SELECT *, sum(events) OVER (PARTITION BY hour)::int AS sum FROM directory.activity) x"
        " WHERE hour >= $1 GROUP BY 1 ORDER BY 1 DESC",
        midnight - timedelta(days=29),
    )
    rows = [
        (day[-10:], number(all_), number(most)) for day, all_, most in page.part("deliveries").rows
    ]
    assert len(rows) == 30
    assert [row for row in rows if row[1]] == [
        (f"{day:%F}", all_, most) for day, all_, most in counted
    ]
    [chart] = page.part("deliveries").all("svg")
    total = sum(one for _, one, _ in counted)
    assert chart.attributes["role"] == "img"
    assert f"{total} in all" in chart.attributes["aria-label"]
    titles = [one.text for one in chart.all("title")]
    assert len(titles) == 30
    assert [title for title in titles if not title.endswith("0, at most 0 an hour")]


async def test_who_is_there_now_and_who_is_known(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/")
    presence = await ask(
        company,
        "SELECT replace(presence_status, '_', ' '), count(*) FROM directory.presence"
        " WHERE presence_status IS NOT NULL GROUP BY 1",
    )
    assert {name: number(many) for name, _, many in page.part("presence").rows} == dict(presence)
    people = await ask(
        company,
        "SELECT status, count(*) FROM (SELECT status FROM directory.users UNION ALL"
        " SELECT status FROM directory.former_users) x GROUP BY 1",
    )
    assert {name: number(many) for name, _, many in page.part("people").rows} == dict(people)
    assert page.part("presence").all("time"), "it says as of when"
    assert stats(page)["Groups"].startswith("3")


async def test_every_event_has_a_line_with_how_it_sounds(company: str) -> None:
    async with console(company, not_subscribed="group.admin_deleted") as browser:
        page = await opened(browser, "/")
    rows = {row[0]: row[1:] for row in page.part("events").rows if len(row) > 1}
    assert sorted(rows) == sorted(EVENTS)
    heard = await ask(company, "SELECT event, events FROM directory.freshness")
    for name, events in heard:
        expected = "never came" if events == 0 else "too rare to tell"
        if name == "group.admin_deleted":
            expected = "left out on purpose"
        assert rows[name][-1] == expected, name
        assert (rows[name][0] == "never") == (events == 0), name


async def test_an_empty_directory_says_what_to_do(database_url: str) -> None:
    async with console(database_url) as browser:
        page = await opened(browser, "/")
    assert answer(page, "arriving") == "not yet"
    assert "event subscription in Zoom's Marketplace" in page.part("arriving").text
    assert "No delivery within 30 days." in page.part("deliveries").text
    assert "Nobody is known." in page.part("people").text


async def test_what_check_finds_is_what_the_page_says(
    database: Database, database_url: str
) -> None:
    """An account of some rhythm that has been silent for five days."""
    hourly = [came(timedelta(days=26) - timedelta(hours=hour)) for hour in range(21 * 24)]
    await fold(database_url, hourly)
    async with console(database_url) as browser:
        page = await opened(browser, "/")
    checks = Checks(settings_of_console(), Reader(database, 10), frozenset())
    found = [one for one in await checks.run(folder_known=True) if one.code == "silent-account"]
    [silent] = found
    assert answer(page, "arriving") == "no"
    says = re.sub(r"silent for [^,]+", "", silent.says)
    assert says in page.part("arriving").text
    [row] = [row for row in page.part("events").rows if row[0] == "user.presence_status_updated"]
    assert row[-1] == "silent"


async def test_what_was_refused_is_told(database: Database, database_url: str) -> None:
    counted = {"wrong": Counted(3, 90.0, 100.0)}
    await count_refusals(database, counted, now=100.0, timeout=10)
    async with told(database_url, came(timedelta(hours=2))) as browser:
        page = await opened(browser, "/")
    assert answer(page, "arriving") == "no"
    assert "signed with a secret unknown here: 3 refused" in page.part("arriving").text


async def test_dead_letters_and_drift_are_told_and_lead_to_the_page_of_trust(
    database_url: str,
) -> None:
    nameless = event("user.updated", 1, {"email": "nobody@x.test", "dept": "x"})
    known = event("user.created", 2, {"id": "u", "email": "u@x.test", "dept": "Sales"})
    drifting = event("user.updated", 3, {"id": "u", "dept": "Lab"}, {"id": "u", "dept": "Kitchen"})
    async with told(database_url, nameless, known, drifting) as browser:
        page = await opened(browser, "/")
        assert answer(page, "folded") == "not quite"
        assert "projection users: could not fold 1 event" in page.part("folded").text
        assert answer(page, "believed") == "not quite"
        assert "1 value contradicted by Zoom" in page.part("believed").text
        numbers = stats(page)
        assert numbers["Dead letters"].startswith("1 ")
        assert numbers["Drift"].startswith("1 ")
        commands = [one.text for one in page.part("folded").all("code")]
        assert "projector dead-letters retry" in commands
        trust = await opened(browser, "/trust")
        assert {"dead-letters", "drift"} <= {one.attributes.get("id") for one in trust}


async def test_several_accounts_are_told_together_and_apart(database_url: str) -> None:
    here = [came(timedelta(hours=hour)) for hour in range(1, 4)]
    there = [came(timedelta(hours=hour), account="B & <b>") for hour in range(1, 6)]
    async with told(database_url, *here, *there) as browser:
        both = await opened(browser, "/")
        assert both.part("deliveries").text.startswith("Deliveries an hour, 30 days 8 in all")
        assert [row[0] for row in both.part("by-account").rows] == ["A", "B & <b>"]
        one = await opened(browser, both.part("by-account").link("B & <b>"))
        assert one.part("deliveries").text.startswith("Deliveries an hour, 30 days 5 in all")
        [row] = [row for row in one.part("events").rows if row[0] == "user.presence_status_updated"]
        assert row[2] == "5"
        [chosen] = [one for one in one.all("option") if "selected" in one.attributes]
        assert chosen.text == "B & <b>"
        assert "no such account" in (await opened(browser, "/?account=C", 404)).text


async def test_one_account_offers_no_choice(database_url: str) -> None:
    async with told(database_url, came(timedelta(hours=1))) as browser:
        page = await opened(browser, "/")
    assert not page.all("select")
    assert page.part("events")


async def test_counts_are_read_once_for_many_pages(database_url: str) -> None:
    """Somebody who looks again sees the same count, although the directory moved on meanwhile."""
    async with told(database_url, came(timedelta(hours=2))) as browser:
        first = await opened(browser, "/")
        await fold(database_url, [came(timedelta(hours=1), status="In_Meeting")])
        second = await opened(browser, "/")
    assert second.part("presence").rows == first.part("presence").rows == [["Away", "", "1"]]
    assert "2 in all" in second.part("deliveries").text, "what is cheap is as of now"


async def test_it_follows_by_itself(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/")
    [main] = page.all("main")
    assert main.attributes["data-live"] == "10"
    for part in main.children:
        assert isinstance(part, str) or part.attributes.get("id"), "each part can be found again"
