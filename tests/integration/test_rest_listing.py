"""Listings: every page once, started again where a token fails, and complete only where that is proven."""

from typing import Any

import pytest
from aiohttp import web

from projector.rest import paging
from projector.rest.endpoints import (
    GROUP_ADMINS,
    GROUP_MEMBERS,
    ROLES,
    USERS,
    WEBHOOK_LOGS,
    Endpoint,
)
from projector.rest.failures import NotThere, RestUnavailable
from projector.rest.paging import MOST_RESTARTS, Complete, Incomplete, Listing
from tests.played_api import Behaviour, asking, cut_off, in_turn, says

EXPIRED = says(400, {"code": 300, "message": "The next page token is invalid or expired."})


def people(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": f"u{number}", "email": f"u{number}@x.example"} for number in range(first, last)]


def a_page(rows: list[dict[str, Any]], token: str | None = "", total: Any = 6) -> Behaviour:
    body = {"users": rows, "next_page_token": token, "total_records": total}
    return says(200, {name: value for name, value in body.items() if value is not None})


async def read(listing: Listing) -> list[str]:
    return [row["id"] async for page in listing for row in page.rows]


THREE = (a_page(people(0, 3), "t1"), a_page(people(3, 5), "t2"), a_page(people(5, 6)))
IDS = [f"u{number}" for number in range(6)]


async def test_every_page_is_asked_for_with_the_same_parameters() -> None:
    async with asking(in_turn(*THREE)) as rig:
        listing = rig.client.listing(USERS, status="inactive")
        assert isinstance(listing.proof, Incomplete)
        assert await read(listing) == IDS
        assert listing.proof == Complete(6)
        same = {"status": "inactive", "page_size": "2000"}
        assert [dict(request.query) for request in rig.api.asked] == [
            same, same | {"next_page_token": "t1"}, same | {"next_page_token": "t2"},
        ]  # fmt: skip


@pytest.mark.parametrize("pages", [
    [a_page([], total=0)],
    [says(200, {"total_records": 0})],
    [says(200, {"users": None, "total_records": 0})],
    [a_page([], "t", total=1), a_page(people(0, 1), total="1")],  # an empty page is none too few
    [a_page(people(0, 9), "t", total=9), a_page(people(8, 10), None, total=10)],  # more came meanwhile
    [a_page(people(0, 3), total=2)],
    [a_page([{"email": "A@x.example"}, {"id": "", "email": "b@x.example"}], total=2)],  # pending
])  # fmt: skip
async def test_what_is_proven(pages: list[Behaviour]) -> None:
    async with asking(in_turn(*pages)) as rig:
        listing = rig.client.listing(USERS)
        assert [page async for page in listing]
        assert isinstance(listing.proof, Complete)
        assert len(rig.api.asked) == len(pages)


@pytest.mark.parametrize(("pages", "why"), [
    ([a_page(people(0, 5))], "has 5 of the 6"),
    ([a_page(people(0, 3), "t"), a_page(people(2, 5))], "has 5 of the 6"),
    ([a_page(people(0, 6), "t", total=6), a_page([], total=7)], "has 6 of the 7"),
    ([a_page([{"email": "a@x.example"}, {"email": "A@X.example"}], total=2)], "has 1 of the 2"),
    ([a_page([{"dept": "a"}, {"dept": "b"}], total=2)], "has 0 of the 2"),
    ([a_page(people(0, 6), total=None)], "does not say how many"),
    ([a_page(people(0, 6), total="some")], "does not say how many"),
])  # fmt: skip
async def test_what_is_not_proven_says_why(pages: list[Behaviour], why: str) -> None:
    async with asking(in_turn(*pages)) as rig:
        listing = rig.client.listing(USERS)
        assert [page async for page in listing]
        assert isinstance(listing.proof, Incomplete)
        assert why in listing.proof.why
        assert listing.proof.why.endswith("run this again")


@pytest.mark.parametrize(
    "trouble",
    [EXPIRED, a_page(people(3, 5), "t1"), says(200, {"users": 5}), says(200, {}),
     says(200, {"users": [], "next_page_token": ["t"]})],
    ids=["expired", "repeated", "no list", "no rows", "odd token"],
)  # fmt: skip
async def test_a_page_that_breaks_the_rules_starts_the_listing_again(trouble: Behaviour) -> None:
    async with asking(in_turn(THREE[0], trouble, *THREE)) as rig:
        listing = rig.client.listing(USERS)
        assert await read(listing) == IDS[:3] + IDS
        assert listing.proof == Complete(6)
        assert "next_page_token" not in rig.api.asked[2].query


@pytest.mark.parametrize("trouble", [EXPIRED, a_page([], "t1")], ids=["expired", "repeated"])
async def test_it_is_not_started_for_ever(trouble: Behaviour) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await (trouble if "next_page_token" in request.query else THREE[0])(request)

    async with asking(answer) as rig:
        listing = rig.client.listing(USERS)
        await read(listing)
        assert isinstance(listing.proof, Incomplete)
        assert "started 4 times" in listing.proof.why
        assert len(rig.api.asked) == 2 * (1 + MOST_RESTARTS)


async def test_pages_without_end_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    pages = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal pages
        pages += 1
        return await a_page([], f"t{pages}")(request)

    async with asking(answer) as rig:
        listing = rig.client.listing(USERS)
        [page async for page in listing]
        assert isinstance(listing.proof, Incomplete)
        assert "more than 5 pages" in listing.proof.why


async def test_a_listing_that_breaks_off_is_incomplete() -> None:
    async with asking(in_turn(THREE[0], cut_off)) as rig:
        listing = rig.client.listing(USERS)
        with pytest.raises(RestUnavailable):
            await read(listing)
        assert isinstance(listing.proof, Incomplete)
        left = rig.client.listing(USERS)
        rig.api.answers = in_turn(*THREE)
        async for _page in left:
            break
        assert isinstance(left.proof, Incomplete)


@pytest.mark.parametrize(
    ("endpoint", "rows", "total", "size"),
    [
        (ROLES, [{"id": "0"}, {"id": "1"}], 2, None),
        (GROUP_ADMINS, [{"email": "a@x.example", "name": "A"}], 1, "300"),
        (GROUP_MEMBERS, [{"id": "u", "email": "a@x.example"}], 1, "2000"),
        (WEBHOOK_LOGS, [{"event": "user.updated"}, {"event": "user.updated"}], None, "300"),
    ],
    ids=["roles", "admins", "members", "deliveries"],
)
async def test_each_listing_by_its_own_rules(
    endpoint: Endpoint, rows: list[dict[str, Any]], total: int | None, size: str | None
) -> None:
    body = {endpoint.rows: rows} | ({} if total is None else {"total_records": total})
    async with asking(says(200, body)) as rig:
        listing = rig.client.listing(endpoint, *["some"] * endpoint.path.count("{}"))
        assert [page.rows async for page in listing] == [rows]
        assert listing.proof == Complete(len(rows))
        assert rig.api.asked[0].query.get("page_size") == size


async def test_a_group_that_is_gone_meanwhile() -> None:
    async with asking(says(404, {"code": 4130, "message": "Group does not exist."})) as rig:
        with pytest.raises(NotThere):
            [page async for page in rig.client.listing(GROUP_MEMBERS, "g")]
