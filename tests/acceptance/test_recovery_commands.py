"""Dead letters, drift and quarantine as a person works them off: what is shown, said, done and recorded."""

import json
from typing import Any

import pytest

from tests.acceptance.test_commands import append_lock_kept, quarantine
from tests.command_rig import execute, fold, projector, query
from tests.ingress_rig import event_body
from tests.oracle.story import event
from tests.processes import command

NOBODY = event(
    "user.created", 1,
    {"email": "uma@x.test", "first_name": "Uma", "host_key": "123456", "type": 2, "note": "\ud800\u0000"},
    operator="ann@x.test",
)  # fmt: skip
BLANK = event("group.member_added", 2, {"id": "g", "members": [{}]})
KNOWN = event("user.created", 3, {"id": "Uma", "dept": "Sales", "pic_url": "https://x.test/1"})
MOVED = event(
    "user.updated", 4, {"id": "Uma", "dept": "Labs", "pic_url": "https://x.test/3"},
    {"id": "Uma", "dept": "Office", "pic_url": "https://x.test/2"},
)  # fmt: skip
ACTS = (
    "SELECT position, event, convert_from(body, 'UTF8')::jsonb #>> '{payload}' FROM log.events "
    "WHERE source = 'operator' ORDER BY position"
)


@pytest.fixture
def url(database_url: str) -> str:
    """DSN of a database with two dead letters, at 1 and 2, and drift of two paths, at 4; folded."""
    told = b"\n".join((NOBODY, BLANK, KNOWN, MOVED))
    assert projector("import", "-", stdin=told, database_url=database_url).code == 0
    fold(database_url)
    return database_url


def acts(url: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Position, kind and payload of each act in the log."""
    return [
        (at, name.removeprefix("operator."), json.loads(payload))
        for at, name, payload in query(url, ACTS)
    ]


def standing(url: str) -> tuple[int, int]:
    """How many dead letters and how much drift `status` counts."""
    told = json.loads(projector("status", "--json", database_url=url).text)
    return told["dead_letters"], told["drift"]


# ---- dead letters --------------------------------------------------------------------------------


def test_a_dead_letter_is_shown_without_what_is_personal_or_secret(url: str) -> None:
    shown = projector("dead-letters", "show", "1", database_url=url)
    assert (shown.code, shown.said) == (0, "")
    assert "users: there is no payload.object.id" in shown.lines
    for word in ("user.created", "import", '"type": 2', "[secret]"):
        assert word in shown.text
    for word in ("uma@x.test", '"Uma"', "123456", "ann@x.test"):
        assert word not in shown.text
    revealed = projector("dead-letters", "show", "1", "--reveal", database_url=url)
    assert "uma@x.test" in revealed.text
    assert "\ufffd\ufffd" in revealed.text
    assert "123456" not in revealed.text


def test_a_dead_letter_is_shown_as_json(url: str) -> None:
    shown = projector("dead-letters", "show", "2", "--json", database_url=url)
    told = json.loads(shown.text)
    assert (told["position"], told["event"], told["source"]) == (2, "group.member_added", "import")
    (failed,) = told["dead"]
    assert failed["projection"] == "memberships"
    assert failed["dismissed_at"] is None
    assert told["body"]["payload"]["object"] == {"id": "g", "members": [{}]}
    assert told["body_not_shown"] is None


def test_a_huge_body_is_cut_on_a_terminal_and_whole_as_json(database_url: str) -> None:
    members = [{"x": n} for n in range(3000)]
    told = event("group.member_added", 2, {"id": "g", "members": members, "k" * 5000: True})
    projector("import", "-", stdin=told, database_url=database_url)
    fold(database_url)
    shown = projector("dead-letters", "show", "1", database_url=database_url)
    assert len(shown.lines) < 450
    assert max(map(len, shown.lines)) <= 501
    assert "more lines, which --json prints" in shown.lines[-1]
    whole = projector("dead-letters", "show", "1", "--json", database_url=database_url)
    assert len(json.loads(whole.text)["body"]["payload"]["object"]["members"]) == 3000


def test_what_is_no_dead_letter_is_one_sentence(url: str) -> None:
    for arguments in (
        ["show", "3"], ["retry", "3"], ["dismiss", "3", "--reason", "x"],
        ["dismiss", "1", "--projection", "groups", "--reason", "x"],
    ):  # fmt: skip
        ran = projector("dead-letters", *arguments, database_url=url)
        ran.sentence()
        assert ran.code == 1
    blank = projector("dead-letters", "dismiss", "1", "--reason", " ", database_url=url)
    assert "--reason" in blank.sentence()
    assert blank.code == 2
    assert acts(url) == []


def test_a_retry_says_what_is_left_and_why(url: str) -> None:
    ran = projector("dead-letters", "retry", database_url=url)
    assert (ran.code, ran.said) == (1, "folded 0, left 2\n")
    assert [line.split("\t")[:2] for line in ran.lines] == [["1", "users"], ["2", "memberships"]]
    assert all(line.split("\t")[2] for line in ran.lines)
    assert acts(url) == []


def test_a_dismissed_dead_letter_counts_no_more_and_stays_listed(url: str) -> None:
    """As processes of their own, as a person runs them."""
    done = command(
        "dead-letters", "dismiss", "1", "--reason", "the sender's test", "--by", "ann", database_url=url
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "dismissed position 1 in users; recorded at position 5\n"
    ((position, kind, payload),) = acts(url)
    assert (position, kind, payload["operator"]) == (5, "dead_letter_dismissed", "ann")
    assert payload["object"].keys() == {"id", "projection", "reason"}
    fold(url)
    assert standing(url) == (1, 2)
    listed = command("dead-letters", "list", database_url=url)
    assert [line.split("\t")[0] for line in listed.stdout.splitlines()] == ["2"]
    dismissed = projector("dead-letters", "list", "--dismissed", database_url=url)
    (fields,) = [line.split("\t") for line in dismissed.lines]
    assert (fields[0], fields[-2:]) == ("1", ["ann", "the sender's test"])
    assert "the sender's test" in projector("dead-letters", "show", "1", database_url=url).text
    assert projector("verify", database_url=url).code == 0


def test_a_retry_is_recorded_by_its_counts(url: str) -> None:
    execute(url, "UPDATE state.dead_letters SET position = 3 WHERE projection = 'users'")
    ran = projector("dead-letters", "retry", "3", "--by", "bob", database_url=url)
    assert (ran.code, ran.data) == (0, b"")
    assert ran.said == "folded 1, left 0; recorded at position 5\n"
    told = {"operator": "bob", "object": {"folded": 1, "left": 0}}
    assert acts(url) == [(5, "dead_letters_retried", told)]


# ---- drift ---------------------------------------------------------------------------------------


def test_drift_says_what_to_do_of_each_row(url: str) -> None:
    listed = projector("drift", "list", database_url=url)
    assert (listed.code, listed.said) == (0, "")
    assert [(line.split("\t")[1:4], line.split("\t")[-1]) for line in listed.lines] == [
        (["user", "Uma", "dept"], "projector reconcile --person Uma"),
        (["user", "Uma", "pic_url"], "acknowledge"),
    ]
    rows = json.loads(projector("drift", "list", "--json", database_url=url).text)
    assert [(row["path"], row["known"], row["position"]) for row in rows] == [
        ("dept", "[text of 5 characters]", 4),
        ("pic_url", "[text of 16 characters]", 4),
    ]


def test_drift_is_shown_with_the_event_that_reported_it(url: str) -> None:
    shown = projector("drift", "show", "user", "UMA", "dept", database_url=url)
    assert shown.code == 0
    assert "user.updated" in shown.text
    assert "Office" not in shown.text
    revealed = projector("drift", "show", "user", "uma", "--reveal", "--json", database_url=url)
    dept, picture = json.loads(revealed.text)
    assert (dept["known"], dept["reported"], picture["path"]) == ("Sales", "Office", "pic_url")
    assert dept["reported_by"]["body"]["payload"]["old_object"]["dept"] == "Office"
    nothing = projector("drift", "show", "group", "Uma", database_url=url)
    assert "projector drift list" in nothing.sentence()


def test_acknowledged_drift_counts_no_more_and_stays_listed(url: str) -> None:
    ran = projector(
        "drift", "acknowledge", "user", "uma", "pic_url", "--reason", "no reading tells it",
        "--by", "ann", database_url=url,
    )  # fmt: skip
    assert (ran.code, ran.data) == (0, b"")
    assert ran.said == "acknowledged 1; recorded at position 5\n"
    ((_, kind, payload),) = acts(url)
    assert (kind, payload["operator"], payload["account_id"]) == ("drift_acknowledged", "ann", "A")
    assert not {"known", "reported"} & payload["object"].keys()
    fold(url)
    assert standing(url) == (2, 1)
    listed = projector("drift", "list", "--acknowledged", database_url=url)
    (fields,) = [line.split("\t") for line in listed.lines]
    assert (fields[3], fields[-2:]) == ("pic_url", ["ann", "no reading tells it"])
    assert projector("verify", database_url=url).code == 0


def test_all_drift_of_an_entity_is_acknowledged_at_once(url: str) -> None:
    reason = ("--reason", "known")
    for wrong in (["user", "Uma"], ["user", "Uma", "dept", "--all"]):
        ran = projector("drift", "acknowledge", *wrong, *reason, database_url=url)
        ran.sentence()
        assert ran.code == 2
    ran = projector("drift", "acknowledge", "user", "Uma", "--all", *reason, database_url=url)
    assert ran.said == "acknowledged 2; recorded at positions 5 to 6\n"
    fold(url)
    assert standing(url) == (2, 0)


# ---- quarantine ----------------------------------------------------------------------------------


def test_a_quarantined_delivery_is_shown_redacted(database_url: str) -> None:
    body = json.dumps({"event": "user.x", "payload": {"email": "uma@x.test", "host_key": "1"}})
    quarantine(database_url, body.encode(), event="user.x")
    quarantine(database_url, b"{not json, uma@x.test", event="user.y")
    (one, two) = json.loads(
        projector("quarantine", "list", "--json", database_url=database_url).text
    )
    shown = projector("quarantine", "show", str(two["id"]), database_url=database_url)
    assert "uma@x.test" not in shown.text
    assert "[secret]" in shown.text
    revealed = projector(
        "quarantine", "show", str(two["id"]), "--reveal", "--json", database_url=database_url
    )
    told = json.loads(revealed.text)
    assert told["body"]["payload"] == {"email": "uma@x.test", "host_key": "[secret]"}
    broken = projector("quarantine", "show", str(one["id"]), "--reveal", database_url=database_url)
    assert "cannot be read as JSON" in broken.text
    assert "uma@x.test" not in broken.text
    assert (
        "quarantine list"
        in projector("quarantine", "show", "99", database_url=database_url).sentence()
    )


def test_single_rows_are_purged_with_a_reason(database_url: str) -> None:
    for number in range(3):
        quarantine(database_url, event_body(), event=f"user.n{number}")
    ids = [str(row[0]) for row in query(database_url, "SELECT id FROM log.quarantine ORDER BY id")]
    purge = ("quarantine", "purge", "--yes", "--by", "ann")
    no_reason = projector(*purge, ids[0], database_url=database_url)
    assert "--reason" in no_reason.sentence()
    assert no_reason.code == 2
    unknown = projector(*purge, ids[0], "999", "--reason", "x", database_url=database_url)
    assert "nothing was deleted" in unknown.sentence()
    ran = projector(*purge, ids[0], ids[1], "--reason", "a scanner", database_url=database_url)
    assert (ran.code, ran.said) == (0, "deleted 2; recorded at position 1\n")
    about = {"rows": 2, "ids": [int(ids[0]), int(ids[1])], "reason": "a scanner"}
    assert acts(database_url) == [(1, "quarantine_purged", {"operator": "ann", "object": about})]
    none_older = projector(*purge, "--before", "2020-01-01", database_url=database_url)
    assert (none_older.code, none_older.said) == (0, "deleted 0\n")
    assert len(acts(database_url)) == 1


def test_nothing_is_purged_where_its_act_cannot_be_recorded(database_url: str) -> None:
    quarantine(database_url, event_body(), event="user.x")
    with append_lock_kept(database_url):
        ran = projector("quarantine", "purge", "--yes", database_url=database_url)
        assert "`projector status` names that session" in ran.sentence()
    assert query(database_url, "SELECT count(*) FROM log.quarantine") == [(1,)]
    assert acts(database_url) == []


# ---- rebuild -------------------------------------------------------------------------------------


def test_a_rebuild_by_command_is_recorded(url: str) -> None:
    assert projector("rebuild", "users", "--dry-run", database_url=url).code == 0
    assert acts(url) == []
    ran = projector("rebuild", "users", "groups", "--by", "ann", database_url=url)
    assert ran.code == 0
    assert "recorded at position 5" in ran.said
    about = {"projections": ["users", "groups"]}
    assert acts(url) == [(5, "rebuilt", {"operator": "ann", "object": about})]
