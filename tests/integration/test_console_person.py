"""One person's page: now, at a moment, what differs between two, and what happened."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from tests.console_pages import Node, company_in, fold, opened, told
from tests.console_rig import console
from tests.examples.telling import Told, at, event

BOSS = "boss@x.test"
NO_NOTE = "No note is known."
ADA = "/people/nordlicht/uAda"


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    with company_in(server, template, "console_person") as dsn:
        yield dsn


def iso(moment: datetime) -> str:
    return quote(moment.isoformat())


def life(user: str = "Eve", account: str = "A") -> list[Told]:
    """A short life: created, changed twice, in one group and admin of it, with a setting, deleted."""
    about = {"id": user, "email": "eve@x.test"}
    return [
        event("user.created", 1000, {**about, "dept": "Sales", "type": 1}, account=account,
              creation_type="ssoCreate", operator=BOSS),
        event("group.created", 1500, {"id": "G", "name": "Gardeners"}, account=account),
        event("group.member_added", 2000, {"id": "G", "members": [about]}, account=account, operator=BOSS),
        event("group.admin_added", 3000, {"id": "G", "admins": [about]}, account=account, operator=BOSS),
        event("user.settings_updated", 4000, {"id": user, "settings": {"chat": {"file": True}}},
              account=account),
        event("user.updated", 5000, {"id": user, "dept": "Support"}, {"id": user, "dept": "Sales"},
              account=account, operator=BOSS),
        event("user.personal_notes_updated", 6000, {**about, "personal_notes": "away"}, account=account),
        event("user.deleted", 9000, about, account=account, operator=BOSS),
    ]  # fmt: skip


def facts(page: Node) -> dict[str, str]:
    return dict(page.part("profile").pairs)


async def test_the_page_says_who_somebody_is_now(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, ADA)
    assert page.all("h1")[0].text == "ada@nordlicht.example active"
    assert page.part("administers").items[0].startswith("Sales since ")
    assert page.part("groups").items[0].endswith("by ada@nordlicht.example")
    assert page.part("groups").link("Sales") == "/groups/nordlicht/gSales"
    found = facts(page)
    assert (found["Licence"], found["Department"]) == ("licensed", "Sales")
    assert found["Created"].endswith("by single sign-on")
    stats = dict(page.all("dl", **{"class": "stats"})[0].pairs)
    assert stats["Administers"] == "1 group"
    assert stats["Presence"].startswith("In Meeting desktop, since ")
    assert stats["In doubt"] == "0 values that events contradict"
    clients = page.part("presence").items
    assert [item.split()[:4] for item in clients] == [
        ["iphone", "5.17.11", "signed", "in"],
        ["win", "6.4.1", "signed", "in"],
    ]
    believed = dict(page.part("belief").pairs)
    assert believed["In doubt"].startswith("nothing")
    assert believed["Zoom's list of people"].startswith("never read")


async def test_somebody_removed_was_removed_when_and_what_ended(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/people/nordlicht/uIvy")
    assert page.all("h1")[0].text.endswith("deleted")
    assert "Memberships, admin roles and settings ended with that" in page.text
    assert "somebody may have to take over: Support since " in page.part("administers").text


async def test_whom_no_event_introduced_is_said_to_be_so(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/people/nordlicht/uZoe")
    assert page.all("h1")[0].text == "zoe@nordlicht.example"
    assert "No event has introduced this person: named only in groups." in page.text
    assert page.part("groups").has_link("Support")


async def test_whoever_was_never_known_is_not_there(company: str) -> None:
    async with console(company) as browser:
        for path in ("/people/nordlicht/uNobody", "/people/other/uAda"):
            page = await opened(browser, path, 404)
            assert "look among the people for a part of the name" in page.text


async def test_drift_and_a_setting_and_a_status_that_is_not_known(database_url: str) -> None:
    events = [
        event("user.updated", 1, {"id": "Eve", "dept": "Sales"}),
        event("user.updated", 2, {"id": "Eve", "dept": "Office"}, {"id": "Eve", "dept": "Labs"}),
        event("user.settings_updated", 3, {"id": "Eve", "settings": {"a": {"b": {"c": 2**70}}}}),
    ]
    async with told(database_url, *events) as browser:
        page = await opened(browser, "/people/A/Eve")
    assert page.all("h1")[0].text == "Eve unknown"
    assert "Known from updates alone" in page.text
    assert ("In doubt", "1 value") in page.part("belief").pairs
    doubt = dict(page.part("belief").pairs)["dept"]
    assert doubt.startswith("known: Sales;")
    assert doubt.endswith("says that it was Labs")
    ((path, value),) = page.part("settings").pairs
    assert path == "a.b.c"
    assert value.endswith(f"; own {2**70}")


async def test_an_id_is_found_in_any_case(database_url: str) -> None:
    async with told(database_url, *life()[:6]) as browser:
        page = await opened(browser, "/people/A/eVE")
    assert "Eve in account A" in page.text
    assert facts(page)["Department"] == "Support"


@pytest.mark.parametrize(
    ("ms", "status", "dept", "groups", "admin", "settings", "note"),
    [
        (1000, "active", "Sales", 0, 0, 0, NO_NOTE),
        (2000, "active", "Sales", 1, 0, 0, NO_NOTE),
        (4999, "active", "Sales", 1, 1, 1, NO_NOTE),
        (5000, "active", "Support", 1, 1, 1, NO_NOTE),
        (6000, "active", "Support", 1, 1, 1, "away"),
        (8999, "active", "Support", 1, 1, 1, "away"),
        (9000, "deleted", "Support", 0, 0, 0, "The note was cleared"),
    ],
)
async def test_the_page_as_of_a_moment(
    database_url: str, ms: int, status: str, dept: str, groups: int, admin: int, settings: int, note: str
) -> None:  # fmt: skip
    async with told(database_url, *life()) as browser:
        page = await opened(browser, f"/people/A/Eve?at={iso(at(ms))}")
    assert page.all("h1")[0].text == f"eve@x.test {status}"
    assert "This is as of" in page.text
    assert page.link("Back to now") == "/people/A/Eve"
    assert facts(page)["Department"] == dept
    assert len(page.part("groups").items) == groups
    assert len(page.part("administers").items) == admin
    assert len(page.part("settings").pairs) == settings
    assert note in page.part("presence").text
    told_then = [one for one in (1000, 2000, 3000, 4000, 5000, 6000, 9000) if one <= ms]
    assert len(page.part("timeline").items) == len(told_then)


async def test_before_the_first_event_the_page_says_when_that_was(database_url: str) -> None:
    async with told(database_url, *life()) as browser:
        page = await opened(browser, f"/people/A/Eve?at={iso(at(999))}")
        assert "Nothing was known of this person at this moment." in page.text
        assert page.part("timeline").items == []
        first = await opened(browser, page.link("the first"))
        assert first.all("h1")[0].text == "eve@x.test active"
        last = await opened(browser, page.link("the last"))
        assert last.all("h1")[0].text == "eve@x.test deleted"


async def test_somebody_known_only_before_is_there_and_says_so(database_url: str) -> None:
    events = [
        event("group.member_added", 1, {"id": "G", "members": [{"id": "Zoe"}]}),
        event("group.member_deleted", 2, {"id": "G", "members": [{"id": "Zoe"}]}),
    ]
    async with told(database_url, *events) as browser:
        page = await opened(browser, "/people/A/Zoe")
    assert "Nothing is known of this person now." in page.text
    assert len(page.part("timeline").items) == 2


async def test_what_differs_between_two_moments_and_nothing_else(database_url: str) -> None:
    async with told(database_url, *life()) as browser:
        path = f"/people/A/Eve?at={iso(at(2500))}&versus={iso(at(7000))}"
        page = await opened(browser, path)
        turned = await opened(browser, f"/people/A/Eve?at={iso(at(7000))}&versus={iso(at(2500))}")
        now = await opened(browser, f"/people/A/Eve?versus={iso(at(2500))}")
        same = await opened(browser, f"/people/A/Eve?at={iso(at(2000))}&versus={iso(at(2500))}")
    assert [row[:3] for row in page.rows] == [
        ["dept", "Sales", "Support"],
        ["note", "\u2013", "away"],
        ["Gardeners", "\u2013", "admin"],
        ["chat.file setting", "\u2013", "true"],
    ]
    assert turned.rows == page.rows
    assert [row[:3] for row in now.rows] == [
        ["dept", "Sales", "Support"],
        ["status", "active", "deleted"],
        ["Gardeners", "member", "\u2013"],
    ]
    assert same.rows == []
    assert "Nothing differs." in same.text


async def test_the_timeline_tells_each_event_with_before_and_after(database_url: str) -> None:
    async with told(database_url, *life()) as browser:
        page = await opened(browser, "/people/A/Eve")
        changed = page.part("timeline").items[2]
        before = [
            n.attributes["href"]
            for n in page.part("timeline").all("a")
            if n.text == "see just before"
        ]
        then = await opened(browser, before[2])
    assert "dept Sales\u2192Support user.updated by boss@x.test, position 6" in changed
    assert facts(then)["Department"] == "Sales"
    assert [item.rsplit("position ", 1)[1] for item in page.part("timeline").items] == list(
        "8765431"
    )


async def test_what_came_late_says_so(database_url: str) -> None:
    late = event("user.updated", 4500, {"id": "Eve", "company": "Old & Co"})
    async with told(database_url, *life(), late) as browser:
        page = await opened(browser, "/people/A/Eve")
    (item,) = [item for item in page.part("timeline").items if "Old & Co" in item]
    assert "came late" in item
    assert sum("came late" in item for item in page.part("timeline").items) == 1


async def test_a_long_timeline_in_pages_tells_every_change_once(database_url: str) -> None:
    settings = {f"s{n:03d}": n for n in range(100)}
    events = [
        event("user.created", 0, {"id": "Eve"}, creation_type="ssoCreate"),
        event("user.settings_updated", 1, {"id": "Eve", "settings": {"big": settings}}),
        *(event("user.updated", 10 + n, {"id": "Eve", "dept": f"d{n}"}) for n in range(70)),
    ]
    async with told(database_url, *events) as browser:
        seen: list[tuple[str, str]] = []
        path, pages = "/people/A/Eve", 0
        while path:
            page = await opened(browser, path)
            seen += page.part("timeline").pairs
            following = page.part("timeline")
            path = following.link("More").partition("#")[0] if following.has_link("More") else ""
            pages += 1
        assert following.link("From the beginning") == "/people/A/Eve#timeline"
        assert "More of the same event" in following.text
    assert pages > 3
    assert len(seen) == len(set(seen)) == 2 + 100 + 70
    assert seen[0] == ("dept", "d68\u2192d69")
    assert {path for path, _ in seen if path.startswith("big")} == {
        f"big.{name} setting" for name in settings
    }


@pytest.mark.parametrize(
    "before", ["x", "00/x", "zz/x", "0" * 200 + "/x", "012/x", "%2500/x", "a/b/c"]
)
async def test_a_place_in_the_timeline_that_no_page_gave_is_refused(
    database_url: str, before: str
) -> None:
    async with told(database_url, *life()) as browser:
        page = await opened(browser, f"/people/A/Eve?before={before}", 400)
    assert "before takes a place in the" in page.text


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "12", "2026-05-04T08:00:00+99:00"])
@pytest.mark.parametrize("name", ["at", "versus"])
async def test_a_moment_that_is_none_is_refused(company: str, name: str, when: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, f"{ADA}?{name}={quote(when)}", 400)
    assert f"{name} takes a date or a time such as" in page.text


@pytest.mark.parametrize(
    "when", ["0001-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"]
)
async def test_any_moment_can_be_asked_for(company: str, when: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, f"{ADA}?at={when}")
        assert ("ada@nordlicht.example" in page.all("h1")[0].text) == (when > "2000")
        await opened(browser, f"{ADA}?versus={when}")


async def test_two_people_with_one_id_in_two_accounts_are_apart(database_url: str) -> None:
    other = event(
        "user.created", 1, {"id": "Eve", "dept": "Elsewhere"}, account="B", creation_type="create"
    )
    async with told(database_url, *life(), other) as browser:
        page = await opened(browser, "/people/B/Eve")
        compared = await opened(browser, f"/people/B/Eve?versus={iso(at(0))}")
    assert facts(page)["Department"] == "Elsewhere"
    assert len(page.part("timeline").items) == 1
    assert "Sales" not in page.text
    assert "Sales" not in compared.text


ODD = (
    "a/b", "../x", "a%2Fb", "%", "a b ", " a", "\u00fc\u0130\u1e9e", '"\'<>&', "{a}", "?q=1#x", "a\nb",
    "\u2028", "a;b,c", "email:x@x.test", "\\", "+", "a//b", "\ufffd",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
async def test_ids_with_any_characters_have_a_page(database_url: str, odd: str) -> None:
    events = [
        event("user.created", 1, {"id": odd, "dept": "Odd"}, account=odd, creation_type="create"),
        event("group.created", 2, {"id": odd, "name": "Gardeners"}, account=odd),
        event("group.member_added", 3, {"id": odd, "members": [{"id": odd}]}, account=odd),
    ]
    async with told(database_url, *events) as browser:
        listed = (await opened(browser, "/people")).all("tbody")[0].all("a")[0]
        page = await opened(browser, listed.attributes["href"])
        assert facts(page)["Department"] == "Odd"
        group = await opened(browser, page.part("groups").link("Gardeners"))
        assert group.part("members").all("a")[0].attributes["href"] == listed.attributes["href"]
        then = await opened(browser, f"{listed.attributes['href']}?at={iso(at(2))}")
        assert then.link("Back to now") == listed.attributes["href"]


async def test_an_entry_without_an_id_has_a_page_under_its_e_mail(database_url: str) -> None:
    entry = event("group.member_added", 1, {"id": "G", "members": [{"email": "Zoe@x.test"}]})
    async with told(database_url, entry) as browser:
        page = await opened(browser, "/people/A/email%3Azoe@x.test")
    assert page.all("h1")[0].text == "Zoe@x.test"
    assert page.part("groups").link("G") == "/groups/A/G"


MARK = "<x-mark onload='a()'>&amp;</x-mark>"


async def test_markup_in_what_a_delivery_sets_is_text(database_url: str) -> None:
    about = {"id": MARK, "email": f"{MARK}@x.test"}
    attribute = {"key": MARK, "name": MARK, "value": MARK}
    app = {"type": MARK, "presence_status": MARK}
    settings = {MARK: {MARK: [MARK], "x": MARK}}
    profile = (
        "first_name",
        "last_name",
        "dept",
        "company",
        "role",
        "timezone",
        "vanity_name",
        "pic_url",
    )
    said = [
        ("user.created", {**about, **dict.fromkeys(profile, MARK)}),
        ("user.updated", {"id": MARK, "custom_attributes": [attribute], "settings": {MARK: MARK}}),
        ("group.created", {"id": MARK, "name": MARK}),
        ("group.member_added", {"id": MARK, "members": [about]}),
        ("group.admin_added", {"id": MARK, "admins": [about]}),
        ("user.settings_updated", {"id": MARK, "settings": settings}),
        ("user.personal_notes_updated", {**about, "personal_notes": MARK}),
        ("user.presence_status_updated", {**about, "presence_status": MARK, "app": app}),
        ("user.signed_in", {**about, "client_type": MARK, "version": MARK}),
        ("group.settings_updated", {"id": MARK, "settings": settings}),
        ("group.lock_settings_updated", {"id": MARK, "settings": {MARK: {MARK: True}}}),
    ]
    events = [
        event(name, 1 + n, value, account=MARK, creation_type=MARK, operator=MARK)
        for n, (name, value) in enumerate(said)
    ]
    doubt = {"id": MARK, "dept": "x"}, {"id": MARK, "dept": MARK * 2}
    events.append(event("user.updated", 20, *doubt, account=MARK))
    segment = quote(MARK, safe="")
    person, group = f"/people/{segment}/{segment}", f"/groups/{segment}/{segment}"
    pages = [person, group, "/people", "/groups", f"/people?q={segment}x", f"/groups?q={segment}x"]
    pages += [
        f"{path}?{query}={iso(at(when))}"
        for path in (person, group)
        for query, when in (("at", 15), ("versus", 0))
    ]
    async with told(database_url, *events) as browser:
        shown = [await opened(browser, path) for path in pages]
    for path, page in zip(pages, shown, strict=True):
        assert page.all("x-mark") == [], path
        assert MARK in page.text, path
    assert shown[0].text.count(MARK) > 25
    assert shown[1].text.count(MARK) > 10


async def test_a_directory_of_nobody_has_no_person(database_url: str) -> None:
    async with told(database_url) as browser:
        await opened(browser, "/people/A/Eve", 404)


async def test_the_forms_choose_a_moment_without_losing_the_other(database_url: str) -> None:
    moment = at(2000) + timedelta(milliseconds=123)
    async with told(database_url, *life()) as browser:
        page = await opened(browser, f"/people/A/Eve?at={iso(moment)}")
    typed = {
        node.attributes["name"]: node.attributes
        for node in page.all("input", type="datetime-local")
    }
    assert typed.keys() == {"at", "versus"}
    assert all("data-moment" in one and one["step"] == "1" for one in typed.values())
    assert typed["at"]["value"] == "2026-05-04T08:00:02"
    (hidden,) = page.all("input", type="hidden", name="at")
    assert hidden.attributes["value"] == "2026-05-04T08:00:02.123000Z"
    assert "As of, UTC" in page.text
    links = [node.text for node in page.all("a")]
    assert [links.count(name) for name in ("a day ago", "a week ago", "a month ago")] == [2, 2, 2]


async def test_a_person_changes_while_pages_are_read(database_url: str) -> None:
    """A change that arrives between two pages of a timeline is on neither, and moves nothing."""
    events = [event("user.updated", n, {"id": "Eve", "dept": f"d{n}"}) for n in range(40)]
    async with told(database_url, *events) as browser:
        second = (await opened(browser, "/people/A/Eve")).part("timeline").link("More")
        items = (await opened(browser, second.partition("#")[0])).part("timeline").items
        await fold(database_url, [event("user.updated", 900, {"id": "Eve", "dept": "new"})])
        assert (await opened(browser, second.partition("#")[0])).part("timeline").items == items


async def test_what_is_very_large_shows_its_beginning(database_url: str) -> None:
    """A delivery may have a megabyte; its page stays one that a browser shows."""
    many = {f"s{n:05d}": {"x" * 50: "y" * 20} for n in range(5000)}
    events = [
        event("user.created", 1, {"id": "Eve", "dept": "d" * 100_000}, creation_type="create"),
        event(
            "user.settings_updated", 2, {"id": "Eve", "settings": {"a": many, "b": "z" * 100_000}}
        ),
        event("user.personal_notes_updated", 3, {"id": "Eve", "personal_notes": "n" * 100_000}),
        *(
            event("group.member_added", 4, {"id": f"g{n}", "members": [{"id": "Eve"}]})
            for n in range(700)
        ),
    ]
    async with told(database_url, *events) as browser:
        answer = await browser.get("/people/A/Eve")
        every = await browser.get("/people/A/Eve?settings=all")
        compared = await browser.get(f"/people/A/Eve?versus={iso(at(0))}")
    assert answer.status == every.status == compared.status == 200
    assert len(answer.text) < 150_000
    assert len(every.text) < 400_000
    assert len(compared.text) < 400_000
    assert "and 98\u202f000 characters more" in answer.text
    assert "5\u202f001 settings, 0 locked." in answer.text
    assert "And 4\u202f700 more, which the views of the directory show." in every.text
    assert "And 200 more." in answer.text
    assert "More differs than these 500" in compared.text
