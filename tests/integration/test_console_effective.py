"""What is in effect for a person, on that person's page: who decides, who locks it, how sure it is."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from projector.console import effective
from tests.console_pages import Node, opened, told
from tests.examples.telling import Told, at, event, seen

ADA = {"id": "Ada", "email": "ada@x.test", "display_name": "Ada Example"}
PAGE = "/people/A/Ada"
CLOUD, WAITING = "recording.cloud_recording", "meeting_security.waiting_room"
CHAT, NEW = "in_meeting.chat", "in_meeting.brand_new"
OPEN = {
    "recording": {"cloud_recording": False},
    "meeting_security": {"waiting_room": True},
    "in_meeting": {"chat": False},
}


def iso(moment: datetime) -> str:
    return quote(moment.isoformat())


def group(ms: int, id_: str, name: str, cloud: object, lock: bool) -> list[Told]:
    """A group with Ada in it that sets and may lock one setting."""
    return [
        event("group.created", ms, {"id": id_, "name": name}),
        event("group.member_added", ms + 1, {"id": id_, "members": [ADA]}),
        seen(
            "group_settings_observed", ms + 2,
            {"id": id_, "settings": {"recording": {"cloud_recording": cloud}},
             "locks": {"recording": {"cloud_recording": lock}, "in_meeting": {"chat": False}}},
        ),
    ]  # fmt: skip


def account(ms: int, locks: dict[str, Any]) -> Told:
    """The account's settings and locks."""
    settings = {"meeting_security": {"waiting_room": True}, "in_meeting": {"brand_new": "yes"}}
    return seen("account_settings_observed", ms, {"id": "A", "settings": settings, "locks": locks})


def model(ms: int, which: str) -> Told:
    return Told(
        event("declared.model", ms, {"id": "A", "model": which}, operator="op@x.test").body,
        source="declared",
    )


def story() -> list[Told]:
    """Ada is in two groups: one locks what she set otherwise. The account locks a setting; one is unknown."""
    own = {
        "recording": {"cloud_recording": True},
        "meeting_security": {"waiting_room": "true"},
        "in_meeting": {"chat": False},
    }
    return [
        event("user.created", 1, ADA, creation_type="create"),
        event("user.settings_updated", 2, {"id": "Ada", "settings": own}, operator="boss@x.test"),
        *group(10, "gS", "Sales", False, True),
        *group(20, "gT", "Talks", True, False),
        account(30, OPEN),
        model(40, "legacy"),
    ]


def shown(page: Node) -> dict[str, str]:
    return dict(page.part("settings").pairs)


async def test_each_setting_says_who_decides_it_and_how_sure_that_is(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, PAGE)
    assert shown(page) == {
        CLOUD: (
            "false locked by a group from Sales, declared: one of the groups locks it; "
            "overrules the own value true"
        ),
        WAITING: "true locked by the account from the account, exact: the account locks it",
        CHAT: "false own value, exact",
        NEW: shown(page)[NEW],
    }
    assert shown(page)[NEW].startswith(
        "not known unknown: whether the account locks it is not known"
    )
    part = page.part("settings")
    assert part.link("Sales") == "/groups/A/gS"
    assert "Settings in effect 2 exact, 1 declared, 1 unknown" in part.text
    assert "4 settings, 2 locked." in part.text
    assert [node.text for node in part.all("summary")] == [
        "in_meeting 2 settings, 1 unknown",
        "meeting_security 1 setting, 1 locked",
        "recording 1 setting, 1 locked",
    ]
    assert "by boss@x.test" in part.text


async def test_what_was_in_effect_at_a_moment(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        alone = await opened(browser, f"{PAGE}?at={iso(at(9))}")
        undeclared = await opened(browser, f"{PAGE}?at={iso(at(39))}")
        declared = await opened(browser, f"{PAGE}?at={iso(at(40))}")
    assert shown(alone)[CHAT].startswith("not known unknown: whether the account locks it")
    assert shown(alone)[CHAT].endswith("; own false")
    assert WAITING in shown(alone)
    assert shown(undeclared)[CLOUD].startswith("not known unknown: whether a group's lock counts")
    assert shown(undeclared)[CLOUD].endswith("; own true")
    assert "locked by a group from Sales, declared" in shown(declared)[CLOUD]


async def test_an_own_value_that_is_in_effect_anyway_is_not_overruled(database_url: str) -> None:
    """She has "true", the account locks true: Zoom tells both of the same setting."""
    async with told(database_url, *story()) as browser:
        page = await opened(browser, PAGE)
    assert "overrules" not in shown(page)[WAITING]
    assert shown(page)[WAITING].startswith("true locked by the account")


async def test_of_whom_nothing_is_in_effect_the_own_settings_are_shown(database_url: str) -> None:
    own = {"id": "Zoe", "settings": {"chat": {"file": True}}}
    async with told(database_url, event("user.settings_updated", 1, own)) as browser:
        page = await opened(browser, "/people/A/Zoe")
    assert page.part("settings").all("h2")[0].text == "Own settings"
    assert shown(page) == {"chat.file": "true"}


async def test_while_an_upgrade_has_not_made_the_view_the_own_settings_are_shown(
    database_url: str,
) -> None:
    async with told(database_url, *story()) as browser:
        connection = await asyncpg.connect(database_url)
        await connection.execute("DROP VIEW directory.effective_user_settings CASCADE")
        await connection.close()
        for query in ("", f"?at={iso(at(40))}"):
            page = await opened(browser, f"{PAGE}{query}")
            assert page.part("settings").all("h2")[0].text == "Own settings"
            assert shown(page)[CLOUD] == "true"


async def test_an_own_value_that_the_rules_cannot_place_is_not_lost(database_url: str) -> None:
    odd = {"id": "Ada", "settings": {"a.b": 1, "a": {"c": 2}, "a-b": {"c": 3}}}
    async with told(database_url, *story(), event("user.settings_updated", 50, odd)) as browser:
        page = await opened(browser, PAGE)
    assert shown(page)["a.b"].startswith("not known unknown: what is in effect is not told")
    assert shown(page)["a.b"].endswith("; own value 1")
    assert [node.text.split()[0] for node in page.part("settings").all("summary")][:2] == [
        "a",
        "a-b",
    ]


async def test_of_many_settings_those_are_shown_that_somebody_else_decides(
    database_url: str,
) -> None:
    many = {f"s{n:03d}": {"x": n} for n in range(effective.FEW)}
    more = event("user.settings_updated", 50, {"id": "Ada", "settings": many})
    async with told(database_url, *story(), more) as browser:
        page = await opened(browser, PAGE)
        link = page.part("settings").link("Show all")
        whole = await opened(browser, link.partition("#")[0])
        then = await opened(browser, f"{PAGE}?at={iso(at(60))}")
    assert shown(page).keys() == {CLOUD, WAITING}
    assert "64 settings, 2 locked. Shown are 2 that" in page.part("settings").text
    assert "s007 1 setting, 1 unknown" in page.part("settings").text
    assert len(shown(whole)) == effective.FEW + 4
    assert whole.part("settings").link("Show fewer") == f"{PAGE}#settings"
    assert shown(then).keys() == {CLOUD, WAITING}
    assert then.part("settings").link("Show all").startswith(f"{PAGE}?at=")


async def test_an_own_value_that_the_reason_does_not_tell_whole_is_shown(database_url: str) -> None:
    long = "x" * 70
    own = {"id": "Ada", "settings": {"one": long, "two": [1, 2], "three": "short"}}
    async with told(database_url, *story(), event("user.settings_updated", 50, own)) as browser:
        page = await opened(browser, PAGE)
    assert shown(page)["one"].endswith(f"; own value {long}")
    assert "own value 2 entries" in shown(page)["two"]
    assert shown(page)["three"].endswith('; own "short"')


async def test_every_link_to_more_leads_to_that_section(database_url: str) -> None:
    many = {f"s{n:03d}": {"x": n} for n in range(effective.FEW)}
    more = event("user.settings_updated", 50, {"id": "Ada", "settings": many})
    async with told(database_url, *story(), more) as browser:
        page = await opened(browser, PAGE)
        whole = await opened(browser, f"{PAGE}?settings=all")
    for section in page.part("settings").all("details", **{"class": "settings"}):
        for link in section.all("a"):
            address, _, fragment = link.attributes["href"].partition("#")
            if "settings" not in address:
                continue
            assert address == f"{PAGE}?settings=all"
            (there,) = [node for node in whole if node.attributes.get("id") == fragment]
            assert there.all("summary")[0].text == section.all("summary")[0].text


@pytest.mark.parametrize("settings", ["none", "All", "x" * 500])
async def test_other_ways_to_show_settings_are_refused(database_url: str, settings: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, f"{PAGE}?settings={settings}", 400)
    assert "settings takes" in page.text


MARK = "<x-mark onload='a()'>&amp;</x-mark>"


async def test_markup_in_settings_and_groups_is_text(database_url: str) -> None:
    settings = {MARK: {MARK: MARK}, "list": {MARK: [MARK]}}
    own = {MARK: {MARK: f"{MARK} own"}}
    events = [
        event("user.created", 1, ADA, creation_type="create"),
        event("group.created", 2, {"id": MARK, "name": MARK}),
        event("group.member_added", 3, {"id": MARK, "members": [ADA]}),
        event("user.settings_updated", 4, {"id": "Ada", "settings": own}),
        seen("group_settings_observed", 5, {"id": MARK, "settings": settings, "locks": {MARK: True}}),
        seen("account_settings_observed", 6, {"id": "A", "settings": settings, "locks": {MARK: False}}),
    ]  # fmt: skip
    async with told(database_url, *events) as browser:
        for query in ("", "?settings=all", f"?at={iso(at(9))}"):
            page = await opened(browser, f"{PAGE}{query}")
            assert page.all("x-mark") == []
            text = shown(page)[f"{MARK}.{MARK}"]
            assert text.startswith(f"{MARK} locked by a group from {MARK}, exact: the only group")
            assert text.endswith(f"overrules the own value {MARK} own")
            assert MARK in shown(page)[f"list.{MARK}"]
            assert page.part("settings").link(MARK) == f"/groups/A/{quote(MARK, safe='')}"
