"""The page of people: search, status, pages by key, and whoever is named exactly."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.console_pages import company_in, fold, opened, told
from tests.console_rig import Browser, console
from tests.examples.telling import Told, event

EVERYBODY = 12


@pytest.fixture(scope="module")
def company(server: str, template: str) -> Iterator[str]:
    with company_in(server, template, "console_people") as dsn:
        yield dsn


def created(ms: int, user: str, account: str = "A", **about: str) -> Told:
    about = {"id": user, "email": f"{user.lower()}@x.test", **about}
    return event("user.created", ms, about, account=account, creation_type="ssoCreate")


def in_list(what: str, **entry: str) -> Told:
    return event(f"group.{what}_added", 1, {"id": "G", f"{what}s": [entry]})


async def names(browser: Browser, query: str) -> list[str]:
    return [row[0] for row in (await opened(browser, f"/people?{query}")).rows]


async def goes_to(browser: Browser, words: str) -> str:
    """Where a search leads that is answered by another page."""
    answer = await browser.get(f"/people?q={quote(words)}")
    assert answer.status == 303, answer.text
    return answer.headers["Location"]


async def test_everybody_is_there_present_and_former(company: str) -> None:
    async with console(company) as browser:
        rows = (await opened(browser, "/people")).rows
    assert len(rows) == EVERYBODY - 1
    assert ["ada@nordlicht.example", "ada@nordlicht.example", "active", "uAda"] in rows
    assert ["ivy@nordlicht.example", "ivy@nordlicht.example", "deleted", "uIvy"] in rows
    assert rows == sorted(rows)


async def test_any_part_of_a_name_an_e_mail_or_an_id_finds_in_any_case(database_url: str) -> None:
    people = [
        created(1, "qX7", first_name="Zoë", last_name="Ärger"),
        created(2, "qY8", display_name="100 % Bot_1"),
        created(3, "qZ9", email="Some.Body@Elsewhere.test"),
    ]
    async with told(database_url, *people) as browser:
        assert await names(browser, "q=zoe+%C3%A4r") == ["Zoë Ärger"]
        assert await names(browser, "q=ELSEWHERE") == ["Some.Body@Elsewhere.test"]
        assert await names(browser, "q=Y8") == ["100 % Bot_1"]
        assert await names(browser, "q=%25") == ["100 % Bot_1"]
        assert await names(browser, "q=t_1") == ["100 % Bot_1"]
        assert await names(browser, "q=%5C") == []


async def test_a_status_is_chosen(company: str) -> None:
    async with console(company) as browser:
        pending = ["finn@nordlicht.example", "gia@nordlicht.example"]
        assert await names(browser, "status=pending") == pending
        assert await names(browser, "status=disassociated") == ["jon@nordlicht.example"]
        assert await names(browser, "status=inactive&q=k") == ["kim@nordlicht.example"]
        page = await opened(browser, "/people?status=happy", 400)
    assert "status takes one of: active, pending," in page.text


async def test_who_is_named_exactly_is_gone_to(company: str) -> None:
    async with console(company) as browser:
        assert await goes_to(browser, "Ada@Nordlicht.EXAMPLE") == "/people/nordlicht/uAda"
        assert await goes_to(browser, "UADA") == "/people/nordlicht/uAda"
        assert await goes_to(browser, "ivy@nordlicht.example") == "/people/nordlicht/uIvy"


@pytest.mark.parametrize(
    ("named", "words", "there"),
    [
        (in_list("member", id="Zoe"), "zoe", "Zoe"),
        (in_list("member", email="Z@x.test"), "z@X.test", "email:z@x.test"),
        (in_list("admin", id="Zoe", email="z@x.test"), "Z@x.test", "Zoe"),
        (event("user.presence_status_updated", 1, {"id": "Zoe", "presence_status": "Away"}), "ZOE", "Zoe"),
        (event("user.signed_in", 1, {"id": "Zoe", "client_type": "win"}), "Zoe", "Zoe"),
        (event("user.settings_updated", 1, {"id": "Zoe", "settings": {"a": True}}), "zoE", "Zoe"),
    ],
)  # fmt: skip
async def test_whom_only_another_list_names_is_found_by_id_or_e_mail(
    database_url: str, named: Told, words: str, there: str
) -> None:
    async with told(database_url, named) as browser:
        assert await names(browser, "") == []
        assert await goes_to(browser, words) == f"/people/A/{quote(there, safe='')}"


async def test_the_same_id_in_two_accounts_is_two_people(database_url: str) -> None:
    people = [created(1, "Ann", "A"), created(2, "Ann", "B", email="other@x.test")]
    async with told(database_url, *people) as browser:
        page = await opened(browser, "/people?q=ann")
        assert [row[3:] for row in page.rows] == [["Ann", "A"], ["Ann", "B"]]
        here, there = await opened(browser, "/people/A/Ann"), await opened(browser, "/people/B/Ann")
    assert "ann@x.test" in here.text
    assert "other@x.test" not in here.text
    assert "other@x.test" in there.text


async def test_pages_by_key_hold_everybody_once(database_url: str) -> None:
    odd = ["a/b", "50%", "x y", "Ä", "?&#", "same"]
    people = [
        created(n, f"{odd[n % len(odd)]}-{n}", display_name=odd[n % len(odd)]) for n in range(130)
    ]
    async with told(database_url, *people) as browser:
        seen, path, pages = [], "/people?q=x.test", 0
        while path:
            page = await opened(browser, path)
            assert page.has_link("From the beginning") == (pages > 0)
            seen += [row[3] for row in page.rows]
            path = page.link("More") if page.has_link("More") else ""
            pages += 1
        assert page.link("From the beginning") == "/people?q=x.test"
        # Somebody new before the key, and one gone after it, neither repeat nor lose anybody else.
        second = (await opened(browser, "/people?q=x.test")).link("More")
        rows = (await opened(browser, second)).rows
        await fold(database_url, [created(900, "first", display_name="00 new")])
        assert (await opened(browser, second)).rows == rows
    assert pages == 3
    assert len(seen) == 130
    assert set(seen) == {f"{odd[n % len(odd)]}-{n}" for n in range(130)}


@pytest.mark.parametrize("after", ["x", "a/b", "a/b/c/d", "a/b/%2500"])
async def test_a_key_that_no_page_gave_is_refused(database_url: str, after: str) -> None:
    async with told(database_url) as browser:
        page = await opened(browser, f"/people?after={after}", 400)
    assert "after takes a place in the list" in page.text


async def test_nobody_found_says_what_was_searched(company: str) -> None:
    async with console(company) as browser:
        page = await opened(browser, "/people?q=%3Cb%3Exyz&status=active")
    assert "Nobody is found by <b>xyz among those whose status is active." in page.text
    assert "names, e-mails and ids" in page.text


async def test_an_empty_directory_says_so(database_url: str) -> None:
    async with told(database_url) as browser:
        page = await opened(browser, "/people")
    assert "Nobody is known yet." in page.text
