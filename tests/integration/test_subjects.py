"""Everything that is kept about a person: found in every place, and nothing of anybody else."""

import json
import zlib
from collections import Counter
from typing import Any

import pytest

from projector.database import Database
from projector.log.append import append
from projector.operations.acts import About, Act, act_body
from projector.operations.subjects import in_bodies
from projector.operations.subjects.finding import Found, find_all, record_reading
from projector.operations.subjects.in_state import rows_of_state
from projector.operations.subjects.person import NobodyMeant, Person, find_person
from projector.operations.subjects.tables import CANNOT_NAME, SPECIAL, STATE
from projector.zoom.events import digest_of
from tests.integration.test_quarantine import kept, suspect
from tests.oracle.story import T0_MS, event
from tests.runtime_rig import append_bodies, delivery, no_progress, replica, until_folded

ANNA, BOB = "AnnaQ7-vXbeR3fGy6UwLA0", "BobbyK2-oPz8KdMh2VtYg1"
MAIL, OLD, FIRST, LISTED = "Anna.Aho@x.test", "anna.berg@x.test", "a.berg@old.test", "aa@old.test"
BOBS, BOSS = "bob.quill@y.test", "the.boss@y.test"
OTHERS = (BOB, BOBS, BOSS, "Quillfeather", "Bobby-Ray")
ESCAPED = MAIL.replace("@", "\\u0040").replace("A", "\\u0041")


def anna(**more: Any) -> dict[str, Any]:
    return {"id": ANNA, **more}


def bob(**more: Any) -> dict[str, Any]:
    return {
        "id": BOB,
        "email": BOBS,
        "first_name": "Bobby-Ray",
        "last_name": "Quillfeather",
        **more,
    }


def in_group(name: str, at: int, *people: dict[str, Any], **payload: Any) -> bytes:
    kind = "admins" if "admin" in name else "members"
    return event(f"group.{name}", at, {"id": "g1", "name": "Labs", kind: list(people)}, **payload)


BOBS_DRIFT = event("user.updated", 70, bob(dept="Attic"), {"id": BOB, "dept": "Cellar"})
NO_ACCOUNT = event("user.created", 60, {"id": ANNA, "email": MAIL}, account=None, operator=BOSS)
ANNAS_DRIFT = event("user.updated", 71, anna(dept="Attic"), anna(dept="Cellar", manager=BOBS))

TOLD = {
    "listed by e-mail before she had an id": in_group("member_added", 1, {"email": OLD}, bob()),
    "created": event(
        "user.created", 2,
        anna(email=OLD, first_name="Anna", last_name="Berg", dept="Sales", manager=BOBS, host_key="424242"),
        operator=BOSS, creation_type="create",
    ),
    "another one created by her": event("user.created", 3, bob(dept="Sales", manager=MAIL), operator=MAIL),
    "member with others": in_group("member_added", 4, bob(), anna(email=OLD), operator=BOSS),
    "admin with others": in_group("admin_added", 5, anna(), bob(), operator=BOSS),
    "operator of another's change": event(
        "user.updated", 6, bob(dept="Lab"), bob(dept="Sales"), operator=MAIL
    ),
    "new e-mail, and one that nothing else tells": event(
        "user.updated", 7, anna(email=MAIL, last_name="Aho"), anna(email=FIRST, last_name="Berg")
    ),
    "group settings by her": event(
        "group.settings_updated", 8, {"id": "g1", "settings": {"in_meeting": {"chat": True}}}, operator=MAIL
    ),
    "presence": event("user.presence_status_updated", 9, {"id": ANNA.lower(), "presence_status": "Away"}),
    "note": event("user.personal_notes_updated", 10, anna(personal_notes="away"), anna(personal_notes="")),
    "sign-in": event("user.signed_in", 11, anna(client_type="mac", version="5.1.2")),
    "sign-out": event("user.signed_out", 12, anna(client_type="mac", version="5.1.2")),
    "settings": event("user.settings_updated", 13, anna(settings={"in_meeting": {"chat": True}})),
    "deleted": event("user.deleted", 20, anna(email=MAIL), operator=BOSS),
    "back": event("user.created", 30, anna(email=MAIL, first_name="Anna", last_name="Aho"), operator=BOSS),
    "signed out everywhere": event("user.updated", 31, anna(), operation="sign_out_from_all_devices"),
    "a former e-mail, in an event that nobody knows": event(
        "meeting.started", 40, {"id": "m1", "host": FIRST.upper(), "topic": "Bobby-Ray", "guests": [BOBS]}
    ),
    "dead letter": NO_ACCOUNT,
    "listed in a dead letter": in_group("member_added", 61, {"id": ANNA, "email": LISTED}, account=None),
    "an e-mail that only that one tells": event("meeting.started", 45, {"host": LISTED}),
    "drift": ANNAS_DRIFT,
    "escaped": event("meeting.ended", 41, {"host": "HOST"}).replace(b"HOST", ESCAPED.encode()),
    "in a text": event("meeting.noted", 42, {"text": f"ask {MAIL}, or {BOBS}"}),
    "UTF-16": event("meeting.wide", 43, {"host": MAIL}).decode().encode("utf-16"),
    "by number of nobody": event("meeting.long", 44, {"host": ANNA.upper()}),
}  # fmt: skip
OWN = {
    "observed": ("rest", event(
        "rest.user_observed", 50, anna(email=MAIL, status="active", group_ids=["g1", "g2"]), run="r1")),
    "observed without": ("rest", event(
        "rest.group_members_observed", 51, {"id": "g2", "absent": [{"email": OLD}, {"email": BOBS}]})),
    "declared": ("declared", event(
        "declared.primary_group", 52, anna(primary_group_id="g1"), operator=BOSS)),
    "declared by her": ("declared", event(
        "declared.ranking", 53, {"id": "A", "groups": ["g1"]}, operator=MAIL)),
    "dismissed": ("operator", act_body(
        Act.DEAD_LETTER_DISMISSED, BOSS, T0_MS + 80,
        About({"id": digest_of(BOBS_DRIFT).hex(), "projection": "users", "reason": f"of {MAIL}"}))),
    "acknowledged": ("operator", act_body(
        Act.DRIFT_ACKNOWLEDGED, BOSS, T0_MS + 81,
        About({"id": ANNA, "entity": "user", "path": "dept", "event": digest_of(ANNAS_DRIFT).hex(),
               "reason": "known"}, "A"))),
    "reconciled": ("operator", act_body(Act.PERSON_RECONCILED, BOSS, T0_MS + 82, About({"id": MAIL}, "A"))),
}  # fmt: skip
# It names her by the digest of her event alone: that is in state, and no text about her is in the log.
BY_DIGEST = act_body(
    Act.DEAD_LETTER_DISMISSED, BOSS, T0_MS + 83,
    About({"id": digest_of(NO_ACCOUNT).hex(), "projection": "users", "reason": "a test"}),
)  # fmt: skip
# Near to hers, and not hers.
NOT_HERS = [
    event("meeting.started", 90, {"host": f"joh{MAIL}"}),
    event("meeting.started", 91, {"host": f"{MAIL}.example"}),
    event("meeting.started", 92, {"host": MAIL.replace("@", "\\u0041@")}),
    event("user.updated", 93, bob(dept="Shop")),
    BOBS_DRIFT,
    in_group("member_added", 94, bob()),
    in_group("admin_deleted", 95, bob(), operator=BOSS),
]


@pytest.fixture
async def story(database: Database) -> Database:
    """All of it, folded; two bodies in the quarantine, and an unfinished reading."""
    await append_bodies(database, [*TOLD.values(), *NOT_HERS])
    for source, body in OWN.values():
        await append(database, [delivery(body)], source=source)  # type: ignore[arg-type]
    await append(database, [delivery(BY_DIGEST)], source="operator")
    async with replica(database):
        await until_folded(database)
    about_her = json.dumps(
        {"event": "user.updated", "payload": {"object": anna(email=MAIL)}}
    ).encode()
    no_json = f"<host>{ESCAPED}</host>".encode()
    others = json.dumps({"event": "user.updated", "payload": {"object": bob()}}).encode()
    assert await kept(database, suspect(about_her), suspect(no_json), suspect(others)) == "kkk"
    await unfinished(database, "A", anna(email=MAIL), bob())
    return database


async def unfinished(database: Database, account: str, *people: dict[str, Any]) -> None:
    """Leave an unfinished reading of an account that has read these, each in a step of its own."""
    run = f"run of {account}"
    begin = "INSERT INTO observations.runs (run, account_id, asked) VALUES ($1, $2, 'users')"
    await database.fetch(begin, run, account)
    for number, person in enumerate(people):
        done = zlib.compress(json.dumps([person]).encode())
        step = "INSERT INTO observations.progress VALUES ($1, 'users', $2, $3)"
        await database.fetch(step, run, str(number), done)


async def all_of(database: Database, who: str, account: str | None = None) -> Found:
    return await find_all(database, who, account, no_progress)


def records(found: Found, place: str) -> list[dict[str, Any]]:
    (one,) = [p for p in found.as_json()["places"] if p["place"] == place]
    assert one["count"] == len(one["records"])
    return list(one["records"])


def position_of(name: str) -> int:
    return [*TOLD, *(str(n) for n in range(len(NOT_HERS))), *OWN].index(name) + 1


async def test_every_event_that_names_her_is_found(story: Database) -> None:
    found = records(await all_of(story, ANNA.upper()), "log.events")
    names = [*TOLD, *OWN]
    at = {record["where"]["position"] for record in found}
    assert [name for name in names if position_of(name) not in at] == []
    assert len(at) == len(names)
    assert all(record["event_time"] and record["received_at"] for record in found)
    assert {record["source"] for record in found} == {"webhook", "rest", "declared", "operator"}


@pytest.mark.parametrize("who", [ANNA, MAIL.upper(), OLD])
async def test_she_is_found_by_whatever_she_was_called(story: Database, who: str) -> None:
    found = await all_of(story, who)
    person = found.as_json()["person"]
    assert ANNA in person["ids"]
    assert {email.lower() for email in person["emails"]} == {MAIL.lower(), OLD, FIRST, LISTED}
    assert set(person["names"]) == {"Anna Berg", "Anna Aho"}
    assert found.person.keys == {
        ANNA.lower(),
        *(f"email:{e}" for e in (MAIL.lower(), OLD, FIRST, LISTED)),
    }
    assert len(records(found, "log.events")) == len(TOLD) + len(OWN)


async def test_nothing_of_anybody_else_is_in_it(story: Database) -> None:
    text = json.dumps((await all_of(story, ANNA)).as_json(), ensure_ascii=False)
    assert [word for word in OTHERS if word.lower() in text.lower()] == []
    assert "424242" not in text
    assert '"host_key": "[secret]"' in text
    his = json.dumps((await all_of(story, BOB)).as_json(), ensure_ascii=False).lower()
    assert [word for word in (ANNA, MAIL, OLD, FIRST, "Aho") if word.lower() in his] == []


async def test_her_own_data_is_given_whole_and_of_lists_her_part(story: Database) -> None:
    found = {
        r["where"]["position"]: r["content"]
        for r in records(await all_of(story, ANNA), "log.events")
    }
    told = found[position_of("created")]["payload"]
    assert told["object"]["email"] == OLD
    assert (told["object"]["last_name"], told["object"]["dept"]) == ("Berg", "Sales")
    assert told["operator"] == told["object"]["manager"] == "[another person]"
    listed = found[position_of("member with others")]["payload"]
    assert listed["object"] == {"id": "g1", "name": "Labs", "members": [{"id": ANNA, "email": OLD}]}
    assert "operator" not in listed
    acted = found[position_of("operator of another's change")]
    assert acted["payload"] == {"account_id": "A", "operator": MAIL}
    assert (acted["event"], acted["event_ts"]) == ("user.updated", T0_MS + 6)
    assert found[position_of("another one created by her")]["payload"]["object"] == {
        "manager": MAIL
    }
    assert (
        found[position_of("in a text")]["payload"]["object"]["text"]
        == f"ask {MAIL}, or [another person]"
    )
    before = found[position_of("new e-mail, and one that nothing else tells")]["payload"][
        "old_object"
    ]
    assert before["email"] == FIRST


async def test_every_place_has_what_it_has(story: Database) -> None:
    found = await all_of(story, ANNA)
    counts = Counter({place.name: len(place.records) for place in found.places})
    assert set(counts) == {*SPECIAL, *(f"state.{name}" for name in STATE)}
    empty = {name for name, count in counts.items() if not count}
    assert empty == {
        "state.groups", "state.coverage", "state.account_settings", "state.account_settings_versions",
        "state.account_setting_paths", "state.group_setting_paths", "state.user_setting_paths",
        "state.declared_models", "state.declared_model_versions",
        # of the group that she changed nothing but the settings of
        "state.group_versions",
    }  # fmt: skip
    assert counts["log.quarantine"] == 2
    assert counts["observations.progress"] == 1
    assert (counts["state.dead_letters"], counts["state.dismissed_dead_letters"]) == (2, 2)
    for place in found.as_json()["places"]:
        assert place["what"]
        assert place["kept"]
        for record in place["records"]:
            assert record["where"]
            assert record["content"] or record["content_not_given"]
    profile = records(found, "state.users")[0]
    assert (profile["content"]["status"], profile["source"]) == ("active", "webhook")
    assert profile["event_time"]


async def test_what_is_in_the_quarantine_is_given_only_where_it_can_be_told_apart(
    story: Database,
) -> None:
    json_, other = records(await all_of(story, ANNA), "log.quarantine")
    assert json_["content"]["payload"]["object"]["email"] == MAIL
    assert (other["content"], "no JSON" in other["content_not_given"]) == (None, True)


async def test_the_positions_that_state_names_are_enough_for_what_was_folded(
    story: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, positions = await rows_of_state(story, await find_person(story, ANNA))
    assert found
    monkeypatch.setattr(in_bodies.Naming, "patterns", lambda _: [])
    log = await in_bodies.search_log(
        story, await find_person(story, ANNA), 0, positions, no_progress
    )
    assert {position_of("created"), position_of("note"), position_of("back")} <= set(log.records)


async def test_reading_is_an_act_that_the_next_reading_shows(story: Database) -> None:
    found = await all_of(story, MAIL)
    at = await record_reading(story, found, "ops@host")
    row = (
        await story.fetch(
            "SELECT source, convert_from(body, 'UTF8') AS body FROM log.events WHERE position = $1",
            at,
        )
    )[0]
    told = json.loads(row["body"])
    assert (row["source"], told["event"]) == ("operator", "operator.subject_read")
    assert told["payload"] == {"account_id": "A", "operator": "ops@host", "object": {"id": ANNA}}
    again = records(await all_of(story, ANNA), "log.events")
    assert len(again) == len(TOLD) + len(OWN) + 1
    assert again[-1]["content"]["payload"]["operator"] == "[another person]"


async def test_who_had_the_same_email_is_not_mixed_up(database: Database) -> None:
    shared = "desk@x.test"
    await append_bodies(
        database,
        [
            event("user.created", 1, {"id": "First", "email": shared, "last_name": "Erstling"}),
            event(
                "user.updated",
                2,
                {"id": "First", "email": "first@x.test"},
                {"id": "First", "email": shared},
            ),
            event("user.created", 3, {"id": "Second", "email": shared, "last_name": "Zweitling"}),
            event(
                "user.updated",
                4,
                {"id": "Second", "dept": "D"},
                {"email": shared, "dept": "Zweitabteilung"},
            ),
            in_group("member_added", 5, {"id": "Second", "email": shared}),
            event("user.updated", 6, {"id": "Second", "manager": "first@x.test"}),
        ],
    )
    async with replica(database):
        await until_folded(database)
    with pytest.raises(NobodyMeant, match=r"several people have or had that e-mail.*first, second"):
        await find_person(database, shared)
    found = (await all_of(database, "first")).as_json()
    assert found["person"]["shared_emails"] == [shared]
    text = json.dumps(found)
    assert "Erstling" in text
    assert [word for word in ("Second", "second", "Zweit") if word in text] == []
    (log,) = [p for p in found["places"] if p["place"] == "log.events"]
    assert [r["where"]["position"] for r in log["records"]] == [1, 2, 6]


async def test_accounts_are_kept_apart(database: Database) -> None:
    for number, account in enumerate(("A", "B")):
        await append_bodies(
            database,
            [
                event(
                    "user.created", number, anna(email=MAIL, dept=f"in {account}"), account=account
                )
            ],
        )
        await unfinished(database, account, anna(dept=f"in {account}"))
        suspected = event("user.updated", 9, anna(dept=f"in {account}"), account=account)
        assert await kept(database, suspect(suspected)) == "k"
    await append_bodies(database, [event("meeting.started", 5, {"host": MAIL}, account="C")])
    async with replica(database):
        await until_folded(database)
    with pytest.raises(
        NobodyMeant, match="several accounts have them; name one with --account: A, B"
    ):
        await find_person(database, MAIL)
    found = await all_of(database, MAIL, "B")
    assert [r["where"]["position"] for r in records(found, "log.events")] == [2, 3]
    assert [
        len(records(found, place)) for place in ("log.quarantine", "observations.progress")
    ] == [1, 1]
    assert "in A" not in json.dumps(found.as_json())
    with pytest.raises(NobodyMeant, match="nobody is known by that"):
        await find_person(database, MAIL, "C")
    with pytest.raises(NobodyMeant, match="nobody is known by that"):
        await find_person(database, "nobody@x.test")


@pytest.mark.parametrize(
    "told",
    [
        in_group("member_added", 1, {"email": MAIL}),
        in_group("member_added", 1, {"id": ANNA, "email": MAIL}),
        event("user.presence_status_updated", 1, anna(email=MAIL, presence_status="Away")),
        event("user.signed_in", 1, anna(email=MAIL, client_type="mac", version="1.2")),
        event(
            "user.personal_notes_updated",
            1,
            anna(email=MAIL, personal_notes="n"),
            anna(personal_notes=""),
        ),
    ],
)
async def test_somebody_whom_no_profile_introduces_is_found(
    database: Database, told: bytes
) -> None:
    await append_bodies(database, [told])
    async with replica(database):
        await until_folded(database)
    found = await all_of(database, MAIL)
    assert len(records(found, "log.events")) == 1
    assert found.person.id in {ANNA, f"email:{MAIL.lower()}"}


async def test_the_log_is_searched_batch_by_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_bodies, "POSITIONS_AT_ONCE", 3)
    monkeypatch.setattr(in_bodies, "BYTES_AT_ONCE", 300)
    await append_bodies(database, [event("user.updated", n, anna(dept=f"d{n}")) for n in range(10)])
    async with replica(database):
        await until_folded(database)
    seen: list[tuple[int, int]] = []
    found = await find_all(database, ANNA, None, lambda done, head: seen.append((done, head)))
    assert len(records(found, "log.events")) == 10
    assert seen == [(3, 10), (6, 10), (9, 10), (10, 10)]


@pytest.mark.parametrize(
    ("who", "spelled"), [("kim@x.test", "\u212aim@x.test"), ("abi\u0307", "AB\u0130")]
)
async def test_letters_whose_small_form_is_plain_are_seen(
    database: Database, who: str, spelled: str
) -> None:
    raw = event("meeting.started", 2, {"host": "HOST"}).decode().replace("HOST", spelled)
    about = {"email": who, "id": "someone"} if "@" in who else {"id": who}
    await append_bodies(database, [event("user.created", 1, about), raw.encode()])
    async with replica(database):
        await until_folded(database)
    assert len(records(await all_of(database, who), "log.events")) == 2


# ---- no table and no column may be forgotten -----------------------------------------------------

COLUMNS = """
SELECT table_schema || '.' || table_name, column_name, data_type, is_generated = 'ALWAYS'
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema IN ('log', 'state') AND table_type = 'BASE TABLE'
ORDER BY 1, ordinal_position
"""
HOLDS_TEXT = {"text", "jsonb", "json", "bytea", "ARRAY", "character varying", "USER-DEFINED"}
BODIES = {("log.events", "body"), ("log.quarantine", "body")}
BYTES = {"folded": b"\0" * 41, "until": b"\xff"}


async def test_every_column_is_searched_or_cannot_name_a_person(database: Database) -> None:
    left = []
    searched = {f"state.{name}" for name in STATE}
    for table, column, kind, _ in await database.fetch(COLUMNS):
        known = (
            table in searched
            or (table, column) in BODIES
            or table == "state.dismissed_dead_letters"
        )
        if kind in HOLDS_TEXT and not known and column not in CANNOT_NAME.get(table, {}):
            left.append((table, column))
    assert left == []


async def test_what_cannot_name_a_person_is_there(database: Database) -> None:
    there = {(table, column) for table, column, *_ in await database.fetch(COLUMNS)}
    named = {(table, column) for table, columns in CANNOT_NAME.items() for column in columns}
    assert named <= there
    assert not {table for table, _ in named} & {f"state.{name}" for name in STATE}
    assert all(reason for columns in CANNOT_NAME.values() for reason in columns.values())
    assert {f"state.{name}" for name in STATE} <= {table for table, _ in there}


async def test_her_email_is_found_in_every_text_of_every_table_of_state(database: Database) -> None:
    """A row for each column, with her e-mail in that column alone."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind, generated in await database.fetch(COLUMNS):
        if table.removeprefix("state.") in STATE and not generated:
            tables.setdefault(table, {})[column] = kind
    wanted = set()
    for table, columns in tables.items():
        texts = [column for column, kind in columns.items() if kind in {"text", "jsonb"}]
        wanted |= {(table, column) for column in texts}
        for number, chosen in enumerate(texts):
            values = [value_of(column, kind, number, chosen) for column, kind in columns.items()]
            places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
            await database.fetch(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", *values
            )
    person = Person("A", frozenset({ANNA.lower()}), (ANNA,), (MAIL,), (), {}, frozenset())
    rows, _ = await rows_of_state(database, person)
    found = {
        (table, column) for table, _, row in rows for column in row if MAIL in str(row[column])
    }
    assert len(tables) == len(STATE)
    assert wanted - found == set()


def value_of(column: str, kind: str, number: int, chosen: str) -> Any:
    """A value that a column takes; for the column that is chosen, one with her e-mail."""
    match kind:
        case "text":
            return MAIL if column == chosen else f"text {number}"
        case "jsonb":
            return json.dumps({"host": MAIL} if column == chosen else {})
        case "bytea":
            return BYTES.get(column, b"")
        case "boolean":
            return False
        case _:
            return number
