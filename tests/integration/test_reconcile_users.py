"""Runs that read people: bootstrap, repairs, who is gone, and who stays in spite of everything."""

import json
from collections.abc import AsyncIterator

import pytest

from projector.database import Database
from projector.observations.outcome import Section
from projector.rest.failures import WrongAccount
from tests.runtime_rig import replica, until_folded
from tests.zoom_rest_rig import (
    READ,
    ZoomAccount,
    deliver,
    healed,
    logged,
    person_of,
    rows,
    run_of,
    told,
)

USERS = Section.USERS


@pytest.fixture
async def folded(database: Database) -> AsyncIterator[Database]:
    """A database whose log is folded all the time."""
    async with replica(database):
        yield database


@pytest.fixture
def zoom() -> ZoomAccount:
    """Two people in a group that one of them administers; somebody inactive; somebody invited."""
    found = ZoomAccount()
    found.has_group("g1", admins=["Ada@example.com"])
    found.has("Ada", group_ids=["g1"], custom_attributes=[{"key": "k", "name": "n", "value": "1"}])
    found.has("Bob", group_ids=["g1"])
    found.has("Cyd", status="inactive")
    found.has("Dee", status="pending", role_id="2")
    return found


STATUSES = "SELECT user_id, status FROM directory.users ORDER BY 1"
FORMER = "SELECT user_id, status, removed_at FROM directory.former_users ORDER BY 1"
MEMBERS = "SELECT group_id, user_id FROM directory.memberships ORDER BY 1, 2"


async def test_an_empty_directory_becomes_what_zoom_has(
    folded: Database, zoom: ZoomAccount
) -> None:
    outcomes = await run_of(folded, zoom, Section.GROUPS, USERS)
    assert outcomes[USERS].complete
    assert (outcomes[USERS].read, outcomes[USERS].new, outcomes[USERS].gone) == (4, 4, 0)
    assert await rows(folded, STATUSES) == [
        ("Ada", "active"), ("Bob", "active"), ("Cyd", "inactive"), ("Dee", "pending"),
    ]  # fmt: skip
    assert await rows(folded, MEMBERS) == [("g1", "Ada"), ("g1", "Bob")]
    assert await rows(folded, "SELECT group_id, user_id, email FROM directory.group_admins") == [
        ("g1", "Ada", "Ada@example.com".lower())
    ]
    (ada,) = await rows(
        folded,
        "SELECT email, type, role, created_at::text, custom_attributes #>> '{0,value}' "
        "FROM directory.users WHERE user_id = 'Ada'",
    )
    assert ada == ("ada@example.com", 2, "Member", "2024-05-01 00:00:00+00", "1")


async def test_a_second_run_adds_its_records_alone(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom)
    before = await logged(folded)
    outcomes = await run_of(folded, zoom)
    assert await logged(folded) == before
    for outcome in outcomes.values():
        assert (outcome.new, outcome.repaired, outcome.gone) == (0, 0, 0), outcome
    coverage = (
        "SELECT section, read, new, repaired, gone, unreadable FROM directory.coverage ORDER BY 1"
    )
    assert await rows(folded, coverage) == [
        ("groups", 1, 0, 0, 0, None), ("settings", 5, 0, 0, 0, None), ("users", 4, 0, 0, 0, None),
    ]  # fmt: skip
    assert await rows(folded, "SELECT DISTINCT source FROM log.events") == [("rest",)]


async def test_what_was_lost_is_repaired(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.users["Ada"] |= {"dept": "Sales", "group_ids": []}
    zoom.users["Cyd"]["status"] = "active"
    zoom.users["Dee"] |= {"status": "active", "first_name": "Deirdre"}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.read, outcome.new, outcome.repaired, outcome.gone) == (4, 0, 3, 0)
    assert await rows(folded, STATUSES) == [(u, "active") for u in ("Ada", "Bob", "Cyd", "Dee")]
    assert await rows(folded, MEMBERS) == [("g1", "Bob")]
    assert await rows(folded, "SELECT dept FROM directory.users WHERE user_id = 'Ada'") == [
        ("Sales",)
    ]


async def test_a_lost_deletion_is_found(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.complete) == (1, True)
    ((user, status, removed_at),) = await rows(folded, FORMER)
    assert (user, status) == ("Bob", "gone")
    assert zoom.now - 5 < removed_at.timestamp() <= zoom.now
    assert zoom.asked.count("/users/Bob") == 2
    assert await rows(folded, MEMBERS) == [("g1", "Ada")]
    zoom.has("Bob", group_ids=["g1"])
    assert (await run_of(folded, zoom, USERS))[USERS].new == 1
    assert await rows(folded, FORMER) == []
    assert await rows(folded, MEMBERS) == [("g1", "Ada"), ("g1", "Bob")]


async def test_whoever_zoom_still_has_stays(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.hidden = {"Bob"}
    zoom.users["Bob"]["dept"] = "Moved"
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.repaired, outcome.complete) == (0, 1, True)
    assert await rows(folded, "SELECT dept FROM directory.users WHERE user_id = 'Bob'") == [
        ("Moved",)
    ]


@pytest.mark.parametrize(("status", "code"), [(400, 1120), (404, 4130), (400, 200)])
async def test_another_answer_than_not_there_ends_nobody(
    folded: Database, zoom: ZoomAccount, status: int, code: int
) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]
    zoom.unreadable = {"/users/Bob": (status, code)}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.complete) == (0, True)
    assert "missing people" in outcome.unreadable
    assert await rows(folded, FORMER) == []


@pytest.mark.parametrize("lie", [1, 1000])
async def test_a_listing_that_says_there_are_more_ends_nobody(
    folded: Database, zoom: ZoomAccount, lie: int
) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]
    zoom.lies = {"users": lie}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert not outcome.complete
    assert "the listing of users has" in str(outcome.why)
    assert await rows(folded, FORMER) == []
    assert "/users/Bob" not in zoom.asked
    assert await rows(
        folded, "SELECT complete_at IS NOT NULL, unreadable IS NOT NULL FROM directory.coverage"
    ) == [(True, True)]


async def test_too_many_removals_are_refused_until_they_are_allowed(
    folded: Database, zoom: ZoomAccount
) -> None:
    for number in range(20):
        zoom.has(f"u{number}")
    await run_of(folded, zoom, USERS)
    for number in range(7):
        del zoom.users[f"u{number}"]
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.complete) == (0, False)
    assert "7 of the 24 people" in str(outcome.why)
    assert "--max-removals 30%" in str(outcome.why)
    assert await rows(folded, FORMER) == []
    outcome = (await run_of(folded, zoom, USERS, max_removals=0.3))[USERS]
    assert (outcome.gone, outcome.complete) == (7, True)


async def test_a_listing_of_nobody_ends_nobody(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.users.clear()
    outcome = (await run_of(folded, zoom, USERS, max_removals=1.0))[USERS]
    assert (outcome.gone, outcome.complete) == (0, False)
    assert "nobody" in str(outcome.why)
    assert len(await rows(folded, STATUSES)) == 4


async def test_people_of_whom_none_is_known_end_nobody(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.users.clear()
    zoom.has("Eve")
    outcome = (await run_of(folded, zoom, USERS, max_removals=1.0))[USERS]
    assert (outcome.gone, outcome.complete) == (0, False)
    assert "PROJECTOR_ZOOM_ACCOUNT_ID" in str(outcome.why)


async def test_answers_about_another_account_are_refused(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.account = "another"
    with pytest.raises(WrongAccount, match="PROJECTOR_ZOOM_ACCOUNT_ID"):
        await run_of(folded, zoom)
    assert await rows(folded, "SELECT * FROM log.events") == []


@pytest.mark.parametrize("breaks", ["html", "cut", "500"])
async def test_an_api_that_is_broken_changes_nothing(
    folded: Database, zoom: ZoomAccount, breaks: str
) -> None:
    await run_of(folded, zoom, Section.GROUPS, USERS)
    before = await logged(folded)
    zoom.breaks = breaks
    outcomes = await run_of(folded, zoom, Section.GROUPS, USERS)
    for outcome in outcomes.values():
        assert not outcome.complete
        assert outcome.interrupted
        assert "run this again" in str(outcome.why)
    assert await logged(folded) == before
    zoom.breaks = None
    outcomes = await run_of(folded, zoom, Section.GROUPS, USERS)
    assert all(outcome.complete for outcome in outcomes.values())
    assert await logged(folded) == before


async def test_an_api_that_breaks_in_the_middle_ends_nobody(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]

    def before(path: str) -> None:
        if path == "/users/Bob":
            zoom.breaks = "500"

    zoom.before = before
    assert not (await run_of(folded, zoom, USERS))[USERS].complete
    assert await rows(folded, FORMER) == []


async def test_pending_people_are_known_by_their_email(folded: Database, zoom: ZoomAccount) -> None:
    await deliver(
        folded,
        [told(zoom, "user.created", {"id": "Dee", "email": "DEE@example.com"}, ago=90,
              creation_type="create")],
    )  # fmt: skip
    zoom.unreadable = {"/users/.*@.*": (404, 1001)}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.new, outcome.repaired, outcome.gone) == (3, 1, 0)
    assert ("Dee", "pending") in await rows(folded, STATUSES)
    assert not [path for path in zoom.asked if "@" in path]


async def test_a_pending_person_without_any_id_is_counted(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.users["Dee"]["nameless"] = True
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.read, outcome.complete) == (3, True)
    assert outcome.unreadable["pending people"].startswith("1 ")


async def test_somebody_in_two_listings_is_what_the_first_with_an_id_says(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    zoom.users["twin"] = {**zoom.users["Ada"], "status": "pending"}
    for _ in range(2):
        outcome = (await run_of(folded, zoom, USERS))[USERS]
        assert (outcome.new, outcome.repaired) == (0, 0)
    assert ("Ada", "active") in await rows(folded, STATUSES)


async def test_somebody_who_moves_between_listings_is_what_the_later_one_says(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.users["Ada"]["dept"] = "old"
    await run_of(folded, zoom, USERS)
    zoom.users["Ada"]["dept"] = "new"
    lists = []

    def before(path: str) -> None:
        if path == "/users":
            lists.append(path)
            zoom.later(1)
            if len(lists) == 2:
                zoom.users["Ada"] |= {"status": "inactive", "dept": "old"}

    zoom.before = before
    await run_of(folded, zoom, USERS)
    assert await rows(folded, "SELECT status, dept FROM directory.users WHERE user_id = 'Ada'") == [
        ("inactive", "old")
    ]


async def test_a_delivery_that_is_newer_than_the_reading_wins(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    zoom.users["Ada"]["dept"] = "as read"
    overtaking = told(
        zoom, "user.updated", {"id": "Ada", "dept": "later"}, ago=-3600
    )  # fmt: skip
    await deliver(folded, [overtaking])
    await until_folded(folded)
    assert (await run_of(folded, zoom, USERS))[USERS].repaired == 0
    assert await rows(folded, "SELECT dept FROM directory.users WHERE user_id = 'Ada'") == [
        ("later",)
    ]


async def test_a_deletion_that_is_newer_than_the_reading_wins(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    deletion = told(zoom, "user.deleted", {"id": "Ada", "email": "ada@example.com"}, ago=-3600)
    await deliver(folded, [deletion])
    zoom.users["Ada"]["dept"] = "as read"
    await run_of(folded, zoom, USERS)
    assert [row[:2] for row in await rows(folded, FORMER)] == [("Ada", "deleted")]


async def test_drift_ends_by_an_observation(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.later()
    zoom.users["Ada"]["first_name"] = "Adah"
    await deliver(
        folded,
        [told(zoom, "user.updated", {"id": "Ada", "first_name": "Adah"},
              old_object={"id": "Ada", "first_name": "Adele"})],
    )  # fmt: skip
    assert await rows(folded, "SELECT path FROM directory.drift ORDER BY 1") == [("first_name",)]
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert outcome.repaired == 1
    assert await rows(folded, "SELECT path FROM directory.drift") == []
    assert (await run_of(folded, zoom, USERS))[USERS].repaired == 0


async def test_an_operator_heals_one_persons_drift(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    zoom.later()
    zoom.users["Ada"]["first_name"] = "Adah"
    await deliver(
        folded,
        [told(zoom, "user.updated", {"id": "Ada", "first_name": "Adah"},
              old_object={"id": "Ada", "first_name": "Adele"})],
    )  # fmt: skip
    acts = "SELECT convert_from(body, 'UTF8')::jsonb -> 'payload' FROM log.events WHERE source = 'operator'"
    drift = "SELECT entity_id, path FROM directory.drift"
    assert await rows(folded, drift) == [("Ada", "first_name")]
    outcomes, act = await healed(folded, zoom, "Ada", dry_run=True)
    assert (outcomes[0].repaired, act) == (1, None)
    assert len(await rows(folded, drift)) == 1
    outcomes, act = await healed(folded, zoom, "Ada")
    assert outcomes[0].repaired == 1
    await until_folded(folded)
    assert await rows(folded, drift) == []
    ((payload,),) = await rows(folded, acts)
    counts = {"read": 1, "new": 0, "repaired": 1, "gone": 0}
    assert json.loads(payload) == {
        "account_id": zoom.account,
        "operator": "ann",
        "object": {"id": "Ada", "users": counts, "settings": outcomes[1].counts()},
    }
    assert (
        await folded.fetchval("SELECT source FROM log.events WHERE position = $1", act)
        == "operator"
    )
    _, act = await healed(folded, zoom, "Ada")
    assert act is None
    assert len(await rows(folded, acts)) == 1


async def test_rows_without_groups_prove_nothing_unless_the_counts_agree(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]["group_ids"]
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert outcome.repaired == 1
    assert await rows(folded, MEMBERS) == [("g1", "Ada")]
    assert "/groups/g1/members" not in zoom.asked
    zoom.users["Bob"]["member_of"] = ["g1"]
    for repaired in (1, 0):
        assert (await run_of(folded, zoom, USERS))[USERS].repaired == repaired
        assert await rows(folded, MEMBERS) == [("g1", "Ada"), ("g1", "Bob")]
    zoom.unreadable = {"/groups": (400, 200)}
    del zoom.users["Bob"]["member_of"]
    assert (await run_of(folded, zoom, USERS))[USERS].repaired == 0


async def test_sets_of_groups_that_are_cut_short_are_completed_once(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.has_group("g2")
    zoom.users["Ada"]["member_of"] = ["g1", "g2"]
    for new, repaired in ((4, 0), (0, 0)):
        outcome = (await run_of(folded, zoom, USERS))[USERS]
        assert (outcome.new, outcome.repaired) == (new, repaired)
        assert await rows(folded, MEMBERS) == [("g1", "Ada"), ("g1", "Bob"), ("g2", "Ada")]


async def test_without_the_scope_of_users_the_section_says_which(
    folded: Database, zoom: ZoomAccount
) -> None:
    zoom.unreadable = {"/users": (400, 4711)}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert not outcome.complete
    assert "user:read:list_users:admin" in str(outcome.why)
    zoom.unreadable = {"/roles": (400, 4711)}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert outcome.complete
    assert "role:read:list_roles:admin" in str(outcome.why)
    assert await rows(folded, "SELECT role FROM directory.users WHERE user_id = 'Ada'") == [(None,)]


async def test_without_the_scope_of_a_user_nobody_ends(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom, USERS)
    del zoom.users["Bob"]
    zoom.unreadable = {"/users/.*": (400, 4711)}
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.complete) == (0, False)
    assert "user:read:user:admin" in str(outcome.why)


async def test_a_dry_run_tells_and_appends_nothing(folded: Database, zoom: ZoomAccount) -> None:
    await run_of(folded, zoom)
    before = await folded.fetchval("SELECT count(*) FROM log.events")
    del zoom.users["Bob"]
    zoom.users["Ada"]["dept"] = "Sales"
    zoom.has("Eve")
    dry = (await run_of(folded, zoom, dry_run=True))[USERS]
    assert await folded.fetchval("SELECT count(*) FROM log.events") == before
    real = (await run_of(folded, zoom))[USERS]
    assert dry == real
    assert (real.new, real.repaired, real.gone) == (1, 1, 1)


async def test_people_known_by_presence_alone_are_found_or_gone(
    folded: Database, zoom: ZoomAccount
) -> None:
    seen = [
        told(zoom, "user.presence_status_updated", {"id": user, "presence_status": "Away"}, ago=60)
        for user in ("ada", "ghost")
    ]
    await deliver(folded, seen)
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.new, outcome.gone) == (4, 1)
    assert await rows(folded, "SELECT user_id FROM directory.unresolved_users") == []
    assert (await run_of(folded, zoom, USERS))[USERS].gone == 0


async def test_one_person(folded: Database, zoom: ZoomAccount) -> None:
    zoom.settings["Ada"] = {"in_meeting": {"chat": True}}
    users, settings = await person_of(folded, zoom, "ADA@example.com".lower())
    assert (users.new, settings.new) == (1, 1)
    assert await rows(folded, MEMBERS) == [("g1", "Ada")]
    zoom.users["Ada"] |= {"group_ids": [], "company": "Acme"}
    users, settings = await person_of(folded, zoom, "ada")
    assert (users.repaired, settings.repaired) == (1, 0)
    assert await rows(folded, MEMBERS) == []
    del zoom.users["Ada"]
    users, settings = await person_of(folded, zoom, "Ada")
    assert (users.gone, settings.read) == (1, 0)
    assert [row[:2] for row in await rows(folded, FORMER)] == [("Ada", "gone")]


def test_every_section_but_deliveries_is_read() -> None:
    assert READ == (Section.GROUPS, Section.USERS, Section.SETTINGS)


async def test_what_deliveries_told_already_is_no_difference(
    folded: Database, zoom: ZoomAccount
) -> None:
    ada = zoom.users["Ada"]
    profile = {
        **{name: ada[name] for name in ("id", "email", "first_name", "last_name", "display_name")},
        "type": 2, "dept": "", "role": "Member",
        "custom_attributes": [{"key": "k", "name": "n", "value": 1}],
    }  # fmt: skip
    added = {"id": "g1", "members": [{"id": "Ada"}, {"email": "bob@example.com"}]}
    await deliver(
        folded,
        [
            told(zoom, "user.created", profile, ago=90, creation_type="autoCreate"),
            told(zoom, "group.member_added", added, ago=80),
        ],
    )
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.new, outcome.repaired) == (3, 0)
    assert (await logged(folded)).count("rest.user_observed") == 3


async def test_members_by_an_email_that_nobody_has_are_ended(
    folded: Database, zoom: ZoomAccount
) -> None:
    entries = [{"email": "ADA@example.com"}, {"email": "left@example.com"}]
    about = {"id": "g1", "members": entries}
    await deliver(folded, [told(zoom, "group.member_added", about, ago=60)])
    assert await rows(folded, MEMBERS) == [
        ("g1", "email:ada@example.com"), ("g1", "email:left@example.com"),
    ]  # fmt: skip
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.complete, outcome.gone) == (True, 1)
    assert await rows(folded, MEMBERS) == [("g1", "Ada"), ("g1", "Bob")]
    before = await logged(folded)
    assert (await run_of(folded, zoom, USERS))[USERS].gone == 0
    assert await logged(folded) == before


async def test_a_former_user_who_was_named_again_is_settled(
    folded: Database, zoom: ZoomAccount
) -> None:
    about = {"id": "Eve", "email": "eve@example.com"}
    again = {"id": "g1", "members": [about]}
    await deliver(
        folded,
        [
            told(zoom, "user.deleted", about, ago=60),
            told(zoom, "group.member_added", again, ago=50),
        ],
    )
    named = "SELECT user_id FROM directory.unresolved_users"
    assert await rows(folded, named) == [("Eve",)]
    assert (await run_of(folded, zoom, USERS))[USERS].gone == 1
    assert await rows(folded, named) == []
    assert [row[:2] for row in await rows(folded, FORMER)] == [("Eve", "deleted")]
    assert (await run_of(folded, zoom, USERS))[USERS].gone == 0


async def test_what_a_members_listing_adds_overrides_no_later_delivery(
    folded: Database, zoom: ZoomAccount
) -> None:
    """Ada's row lacks g2, which the members' listing shows; she leaves g1 between the two answers."""
    zoom.has_group("g2")
    zoom.users["Ada"]["member_of"] = ["g1", "g2"]
    about = {"id": "g1", "members": [{"id": "Ada"}]}

    def between(path: str) -> None:
        if path == "/groups/g2/members" and not left:
            left.append(path)
            zoom.later(4)

    left: list[str] = []
    zoom.before = between
    await run_of(folded, zoom, USERS)
    assert left
    removal = told(zoom, "group.member_deleted", about, ago=2)
    await deliver(folded, [removal])
    assert await rows(folded, MEMBERS) == [("g1", "Bob"), ("g2", "Ada")]


async def test_whoever_is_denied_once_and_shown_then_stays(
    folded: Database, zoom: ZoomAccount
) -> None:
    await run_of(folded, zoom, USERS)
    bob = zoom.users.pop("Bob")

    def back_again(path: str) -> None:
        if path == "/users/Bob" and zoom.asked.count(path) == 2:
            zoom.users["Bob"] = bob | {"dept": "Back"}

    zoom.before = back_again
    outcome = (await run_of(folded, zoom, USERS))[USERS]
    assert (outcome.gone, outcome.repaired) == (0, 1)
    assert await rows(folded, FORMER) == []
    assert await rows(folded, "SELECT dept FROM directory.users WHERE user_id = 'Bob'") == [
        ("Back",)
    ]
