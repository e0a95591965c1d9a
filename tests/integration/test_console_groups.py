"""The pages of groups: the list, and one group now, at a moment, and between two."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

import pytest

from projector.console import compared, large_groups
from tests.console_pages import company_in, fold, opened, told
from tests.console_rig import console
from tests.examples.telling import Told, at, event

BOSS = "boss@x.test"


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    with company_in(server, template, "console_groups") as dsn:
        yield dsn


def iso(moment: datetime) -> str:
    return quote(moment.isoformat())


def group(ms: int, group_id: str, name: str, account: str = "A") -> Told:
    return event(
        "group.created", ms, {"id": group_id, "name": name}, account=account, operator=BOSS
    )


def came(ms: int, *people: str, what: str = "member", group_id: str = "G") -> Told:
    about = {"id": group_id, f"{what}s": [{"id": one, "email": f"{one}@x.test"} for one in people]}
    return event(f"group.{what}_added", ms, about, operator=BOSS)


def left(ms: int, *people: str, what: str = "member") -> Told:
    about = {"id": "G", f"{what}s": [{"id": one} for one in people]}
    return event(f"group.{what}_deleted", ms, about, operator=BOSS)


def story() -> list[Told]:
    chat = {"meet": {"chat": True, "file": {"x": 1}}}
    locked = {"meet": {"file": True, "none": True}}
    renamed = {"id": "G", "name": "Growers"}, {"id": "G", "name": "Gardeners"}
    return [
        event("user.created", 500, {"id": "ann", "email": "ann@x.test", "display_name": "Ann A."}),
        event("user.created", 500, {"id": "bob", "email": "bob@x.test"}),
        group(1000, "G", "Gardeners"),
        came(2000, "ann", "bob"),
        came(3000, "ann", what="admin"),
        event("group.settings_updated", 4000, {"id": "G", "settings": chat}, operator=BOSS),
        event("group.lock_settings_updated", 5000, {"id": "G", "settings": locked}),
        left(6000, "bob"),
        came(7000, "cy"),
        event("group.updated", 8000, *renamed, operator=BOSS),
    ]


async def test_groups_are_listed_with_how_many_are_in_them(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/groups")
        assert [row[:3] for row in page.rows] == [
            ["Labs", "0", "1"], ["Sales", "3", "1"], ["Support", "3", "0"],
        ]  # fmt: skip
        assert page.link("Sales") == "/groups/nordlicht/gSales"
        former = await opened(browser, page.link("Former"))
        assert [row[0] for row in former.rows] == ["Attic"]


async def test_large_groups_are_counted_once_in_a_while(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_groups, "LARGE", 3)
    people = [f"p{n}" for n in range(4)]
    events = [
        group(1, "G", "Large"),
        came(2, *people),
        group(3, "H", "Small"),
        came(4, "p0", group_id="H"),
    ]
    async with told(database_url, *events) as browser:
        page = await opened(browser, "/groups")
        assert [row[:3] for row in page.rows] == [["Large", "4", "0"], ["Small", "1", "0"]]
        assert "people were counted" in page.text
        await fold(database_url, [came(5, "p9"), came(6, "p9", group_id="H")])
        page = await opened(browser, "/groups")
        assert [row[:3] for row in page.rows] == [["Large", "4", "0"], ["Small", "2", "0"]]
        stats = (await opened(browser, "/groups/A/G")).all("dl", **{"class": "stats"})[0].pairs
        assert stats[0][1].startswith("4 counted 20")
        stats = (await opened(browser, "/groups/A/H")).all("dl", **{"class": "stats"})[0].pairs
        assert stats[0] == ("People", "2")


async def test_a_part_of_a_name_or_a_whole_id_finds_in_any_case(database_url: str) -> None:
    groups = [group(1, "G1", "Über 100 %"), group(2, "G2", "Under_ground"), group(3, "x/y", "Gone")]
    gone = event("group.deleted", 9, {"id": "x/y"})
    async with told(database_url, *groups, gone) as browser:
        for words, found in (
            ("ÜBER", ["G1"]),
            ("%25", ["G1"]),
            ("r_g", ["G2"]),
            ("g2", ["G2"]),
            ("gone", []),
        ):
            page = await opened(browser, f"/groups?q={quote(words, safe='%')}")
            assert [row[4] for row in page.rows] == found, words
        assert "No group is found by gone." in page.text
        page = await opened(browser, page.link("Look among former groups"))
        assert [row[0] for row in page.rows] == ["Gone"]


async def test_pages_by_name_hold_every_group_once(database_url: str) -> None:
    names = ["Same", "same", "a/b", "50%", "Ärger"]
    groups = [group(n, f"g{n:03d}", names[n % len(names)]) for n in range(120)]
    async with told(database_url, *groups) as browser:
        seen, path, pages = [], "/groups?q=", 0
        while path:
            page = await opened(browser, path)
            seen += [(row[0].lower(), row[4]) for row in page.rows]
            path = page.link("More") if page.has_link("More") else ""
            pages += 1
    assert pages == 3
    assert len(seen) == 120
    assert len(set(seen)) == 120
    assert [name for name, _ in seen if name == "same"] == ["same"] * 48


async def test_an_empty_directory_has_no_group_and_says_so(database_url: str) -> None:
    async with told(database_url) as browser:
        assert "No group is known yet." in (await opened(browser, "/groups")).text
        assert "No group was deleted." in (await opened(browser, "/groups?show=former")).text
        await opened(browser, "/groups/A/G", 404)


async def test_the_page_says_who_is_in_a_group_and_what_it_sets_and_locks(
    database_url: str,
) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, "/groups/A/G")
    assert page.all("h1")[0].text == "Growers"
    stats = dict(page.all("dl", **{"class": "stats"})[0].pairs)
    assert (stats["People"], stats["Admins"], stats["Settings"]) == ("2", "1", "3 2 locked")
    assert [row[1] for row in page.part("members").rows] == ["ann@x.test", "cy@x.test"]
    assert page.part("members").link("Ann A.") == "/people/A/ann"
    assert page.part("admins").items[0].startswith("Ann A. since ")
    assert page.part("settings").pairs == [
        ("meet.chat", "true"), ("meet.file.x", "1 locked"), ("meet.none", "not known locked"),
    ]  # fmt: skip


async def test_who_came_and_went_is_told_newest_first(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, "/groups/A/G")
    told_pairs = page.part("timeline").pairs
    assert told_pairs[:3] == [
        ("name", "Gardeners\u2192Growers"), ("cy", "joined"), ("bob@x.test", "left"),
    ]  # fmt: skip
    assert ("Ann A.", "became admin") in told_pairs
    assert ("meet.file lock", "\u2192true") in told_pairs


@pytest.mark.parametrize(
    ("ms", "name", "members", "admins", "settings", "locked"),
    [
        (1000, "Gardeners", [], 0, 0, 0),
        (2000, "Gardeners", ["ann@x.test", "bob@x.test"], 0, 0, 0),
        (4000, "Gardeners", ["ann@x.test", "bob@x.test"], 1, 2, 0),
        (5000, "Gardeners", ["ann@x.test", "bob@x.test"], 1, 3, 2),
        (7999, "Gardeners", ["ann@x.test", "cy@x.test"], 1, 3, 2),
        (8000, "Growers", ["ann@x.test", "cy@x.test"], 1, 3, 2),
    ],
)
async def test_the_page_as_of_a_moment(
    database_url: str, ms: int, name: str, members: list[str], admins: int, settings: int, locked: int
) -> None:  # fmt: skip
    async with told(database_url, *story()) as browser:
        page = await opened(browser, f"/groups/A/G?at={iso(at(ms))}")
    assert page.all("h1")[0].text == name
    assert [row[1] for row in page.part("members").rows] == members
    assert len(page.part("admins").items) == admins
    assert len(page.part("settings").pairs) == settings
    assert len(page.part("settings").all("span", **{"class": "badge is-locked"})) == locked
    stats = dict(page.all("dl", **{"class": "stats"})[0].pairs)
    assert (stats["People"], stats["Admins"]) == (str(len(members)), str(admins))


async def test_before_it_was_there_the_page_says_when_it_came(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, f"/groups/A/G?at={iso(at(999))}")
        assert "Nothing was known of this group at this moment." in page.text
        assert (await opened(browser, page.link("the first"))).all("h1")[0].text == "Gardeners"


async def test_what_differs_between_two_moments(database_url: str) -> None:
    async with told(database_url, *story()) as browser:
        page = await opened(browser, f"/groups/A/G?at={iso(at(2000))}&versus={iso(at(9000))}")
    assert [row[:3] for row in page.rows] == [
        ["name", "Gardeners", "Growers"],
        ["Ann A.", "\u2013", "admin"],
        ["bob@x.test", "member", "\u2013"],
        ["cy", "\u2013", "member"],
        ["meet.chat setting", "\u2013", "true"],
        ["meet.file.x setting", "\u2013", "1"],
        ["meet.file lock", "\u2013", "true"],
        ["meet.none lock", "\u2013", "true"],
    ]


async def test_across_its_end_who_was_in_it_is_not_compared_and_that_is_said(
    database_url: str,
) -> None:
    events = [
        *story(),
        event("group.deleted", 9000, {"id": "G"}),
        group(9500, "G", "Growers"),
        came(9600, "ann"),
    ]
    async with told(database_url, *events) as browser:
        page = await opened(browser, f"/groups/A/G?at={iso(at(2000))}&versus={iso(at(9900))}")
    assert [row[:3] for row in page.rows] == [["name", "Gardeners", "Growers"]]
    assert "who was in it is not compared here" in page.text


@pytest.mark.parametrize("most", [("MOST", 6), ("SECONDS", 0.0)])
async def test_too_much_to_compare_is_compared_as_far_as_it_goes(
    database_url: str, monkeypatch: pytest.MonkeyPatch, most: tuple[str, float]
) -> None:
    monkeypatch.setattr(compared, "ROWS", 6 if most[0] == "SECONDS" else 3)
    monkeypatch.setattr(compared, *most)
    events = [
        group(0, "G", "G0"),
        *(event("group.updated", n, {"id": "G", "name": f"G{n}"}) for n in range(1, 20)),
    ]
    async with told(database_url, *events) as browser:
        page = await opened(browser, f"/groups/A/G?versus={iso(at(5))}")
        whole = await opened(browser, f"/groups/A/G?versus={iso(at(16))}")
    assert [row[:3] for row in page.rows] == [["name", "G14", "G19"]]
    assert "what is shown differs since 2026-05-04 08:00:00.014 UTC" in page.text
    assert [row[:3] for row in whole.rows] == [["name", "G16", "G19"]]
    assert "Too much happened" not in whole.text


async def test_members_in_pages_by_key_are_each_there_once(database_url: str) -> None:
    people = [f"p{n:03d}" for n in range(120)]
    events = [group(1, "G", "Gardeners"), came(2, *people[:60]), came(3, *people[60:])]
    for path in ("/groups/A/G", f"/groups/A/G?at={iso(at(3))}"):
        if path == "/groups/A/G":
            await fold(database_url, events)
        async with console(database_url) as browser:
            seen, pages, following = [], 0, path
            while following:
                page = (await opened(browser, following)).part("members")
                seen += [row[1] for row in page.rows]
                following = page.link("More").partition("#")[0] if page.has_link("More") else ""
                pages += 1
            assert (
                page.link("From the beginning").partition("#")[0].partition("?")[0] == "/groups/A/G"
            )
        assert pages == 3
        assert seen == [f"{one}@x.test" for one in people]


async def test_somebody_named_by_e_mail_alone_is_a_member_too(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/groups/nordlicht/gSales")
    assert sorted(row[1] for row in page.part("members").rows) == [
        "ada@nordlicht.example", "ben@nordlicht.example", "gia@nordlicht.example",
    ]  # fmt: skip


async def test_a_removed_group_says_when_and_one_that_nobody_introduced_says_so(
    database_url: str,
) -> None:
    events = [
        *story(), event("group.deleted", 9000, {"id": "G"}),
        event("group.member_added", 9500, {"id": "H", "members": [{"id": "ann"}]}),
    ]  # fmt: skip
    async with told(database_url, *events) as browser:
        removed = await opened(browser, "/groups/A/G")
        named = await opened(browser, "/groups/A/H")
    assert "Deleted 2026-05-04 08:00:09 UTC." in removed.text
    assert removed.part("members").rows == []
    assert removed.part("timeline").pairs[0] == ("status", "active\u2192removed")
    assert "No event has introduced this group" in named.text


async def test_a_group_that_never_was_is_not_there(company: str) -> None:
    async with console(company) as browser:
        for path in ("/groups/nordlicht/gNone", "/groups/other/gSales"):
            page = await opened(browser, path, 404)
            assert "look among the groups for a part of the name" in page.text


@pytest.mark.parametrize("query", ["at=x", "versus=x", "after=a/b", "before=x"])
async def test_what_cannot_be_asked_is_refused(company: str, query: str) -> None:
    async with console(company) as browser:
        await opened(browser, f"/groups/nordlicht/gSales?{query}", 400)
