"""`declare` as a person runs it: what is shown, said, appended, and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from projector.operations import declarations
from tests.command_rig import Ran, fold, query
from tests.command_rig import projector as run_command
from tests.oracle.story import event

ACCOUNT = "A"
STORY = [
    event("user.created", 1, {"id": "Uma", "email": "Uma@x.test"}),
    event("user.created", 2, {"id": "Bob", "email": "bob@x.test", "primary_group_id": "g1"}),
    event("user.created", 3, {"id": "Cy1", "email": "same@x.test"}),
    event("user.created", 4, {"id": "Cy2", "email": "same@x.test"}),
    event("group.created", 5, {"id": "g1", "name": "Sales"}),
    event("group.created", 6, {"id": "g2", "name": "Labs, East"}),
    event("group.created", 7, {"id": "g3", "name": "Twin"}),
    event("group.created", 8, {"id": "g4", "name": "Twin"}),
    event("group.created", 9, {"id": "gone", "name": "Gone"}),
    event("group.deleted", 10, {"id": "gone"}),
]
RANKING = b'# the highest first\n\nSales\n"Labs, East",of no account\ng3\n  g4\n'
APPENDED = (
    "SELECT event, convert_from(body, 'UTF8')::jsonb #>> '{}' FROM log.events "
    "WHERE source = 'declared' ORDER BY position"
)
SHOWN = (
    "SELECT kind, user_id, value #>> '{}', declared_by FROM directory.declarations ORDER BY 1, 2"
)


@pytest.fixture
def url(database_url: str) -> str:
    """DSN of a database with four people and four groups of one account, folded."""
    told = b"\n".join(STORY)
    assert run_command("import", "-", stdin=told, database_url=database_url).code == 0
    fold(database_url)
    return database_url


def declare(url: str, *arguments: str, stdin: bytes = b"") -> Ran:
    return run_command("declare", *arguments, stdin=stdin, database_url=url)


def appended(url: str) -> list[dict[str, Any]]:
    """The bodies of the declarations in the log."""
    return [json.loads(body) for _, body in query(url, APPENDED)]


def test_a_model_is_declared_shown_and_taken_back(url: str) -> None:
    done = declare(url, "model", "legacy", "--by", "ann")
    assert (done.code, done.lines) == (0, [f"model\t{ACCOUNT}\t-\t->\tlegacy"])
    assert done.said == "declared 1, unchanged 0; recorded at position 11\n"
    (body,) = appended(url)
    assert body["payload"] == {
        "account_id": ACCOUNT,
        "operator": "ann",
        "object": {"id": ACCOUNT, "model": "legacy"},
    }
    fold(url)
    assert query(url, SHOWN) == [("model", None, "legacy", "ann")]
    again = declare(url, "model", "legacy")
    assert (again.code, again.data, again.said) == (0, b"", "declared 0, unchanged 1\n")
    back = declare(url, "model", "unknown")
    assert back.lines == [f"model\t{ACCOUNT}\tlegacy\t->\t-"]
    fold(url)
    assert query(url, SHOWN) == []
    assert declare(url, "model", "unknown").said == "declared 0, unchanged 1\n"
    assert len(appended(url)) == 2


def test_a_dry_run_appends_nothing(url: str) -> None:
    head = query(url, "SELECT max(position) FROM log.events")
    ran = declare(url, "ranking", "-", "--dry-run", stdin=RANKING)
    assert (ran.code, ran.lines) == (0, [f"ranking\t{ACCOUNT}\t-\t->\tg1 > g2 > g3 > g4"])
    assert ran.said == "would declare 1, unchanged 0; nothing was appended\n"
    assert query(url, "SELECT max(position) FROM log.events") == head


def test_a_ranking_is_a_file_of_ids_and_names(url: str, tmp_path: Path) -> None:
    file = tmp_path / "ranking"
    file.write_bytes(b"\xef\xbb\xbf" + RANKING.replace(b"\n", b"\r\n"))
    assert declare(url, "ranking", str(file), "--by", "ann").code == 0
    fold(url)
    assert json.loads(query(url, SHOWN)[0][2]) == ["g1", "g2", "g3", "g4"]
    plain = declare(url, "ranking", "-", stdin=b"Sales\nLabs, East\ng3\ng4")
    assert plain.said == "declared 0, unchanged 1\n"
    assert declare(url, "ranking", "--withdraw").code == 0
    fold(url)
    assert query(url, SHOWN) == []


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"Sales\ng1\ng2\ng3\ng4", ["line 2: line 1 has Sales (g1) already"]),
        (b"g1\ng2\ng3", ["Twin (g4) is not ranked"]),
        (b"g1\ng2\nTwin\ng4", ["line 3: several groups are called Twin", "g3, g4"]),
        (b"g1\ng2\ng3\ng4\n\nGone", ["line 6: no group of the account has the id or name Gone"]),
        (b"sales\x1b\nx\n", ["line 1: no group", "\ufffd", "; and 1 more"]),
        (b"\xff", ["UTF-8"]),
    ],
)
def test_a_bad_ranking_is_refused_line_by_line(url: str, file: bytes, told: list[str]) -> None:
    refused = declare(url, "ranking", "-", stdin=file)
    assert all(word in refused.sentence() for word in told), refused.said
    assert refused.code == 1
    assert appended(url) == []


def test_primary_groups_are_declared_by_id_and_by_e_mail(url: str) -> None:
    file = b'Person,Group\n# who sits where\numa@X.test,"Labs, East"\nCY1,g1\nbob,Labs\n'
    refused = declare(url, "primary-group", "-", stdin=file)
    assert "line 5: no group of the account has the id or name Labs" in refused.sentence()
    done = declare(url, "primary-group", "-", stdin=file.replace(b"bob,Labs", b"bob,g2"))
    assert done.lines == [
        "primary_group\tUma\t-\t->\tg2",
        "primary_group\tCy1\t-\t->\tg1",
        "primary_group\tBob\t-\t->\tg2",
    ]
    warning, summary = done.said.splitlines()
    assert warning == (
        "warning: line 5: events say that the primary group of Bob is Sales (g1), and what events say wins"
    )
    assert summary == "declared 3, unchanged 0; recorded at positions 11 to 13"
    fold(url)
    changed = declare(url, "primary-group", "-", "--json", stdin=b"UMA,\nCy1,Sales\n")
    document = json.loads(changed.text)
    (only,) = document["declarations"]
    assert (only["user_id"], only["before"], only["after"]) == ("Uma", "g2", None)
    assert (document["unchanged"], document["positions"], document["warnings"]) == (1, [14], [])
    fold(url)
    assert [row[1:3] for row in query(url, SHOWN)] == [("Bob", "g2"), ("Cy1", "g1")]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"Uma\n", "line 1 is no person,group"),
        (b"Uma,g1,g2", "line 1 is no person,group"),
        (b",g1", "line 1 is no person,group"),
        (b'"Uma,g1', "line 1 is no person,group"),
        (b"Uma,g1\numa@x.test,g2", "line 2: line 1 has the same person already"),
        (b"same@x.test,g1", "line 1: several people have the e-mail same@x.test; name one by id: Cy1, Cy2"),
        (b"who@x.test,g1", "line 1: nobody in the account has the id or e-mail who@x.test"),
        (b"Uma,Twin", "line 1: several groups are called Twin"),
        (b"person,group\n", "the file names nobody"),
    ],
)  # fmt: skip
def test_a_bad_file_of_people_is_refused_line_by_line(url: str, file: bytes, told: str) -> None:
    refused = declare(url, "primary-group", "-", stdin=file)
    assert told in refused.sentence()
    assert refused.code == 1
    assert appended(url) == []


def test_since_is_the_event_time_and_a_correction_of_the_same_time_wins(url: str) -> None:
    """Whatever their digests are; and what holds only until a later declaration says so."""
    since = ("--since", "2026-01-01")
    day = 1767225600000
    for number, model in enumerate(("legacy", "priority", "legacy", "priority")):
        assert declare(url, "model", model, *since).code == 0
        fold(url)
        at = "SELECT value #>> '{}' FROM directory.declarations"
        assert query(url, at) == [(model,)], number
    assert [body["event_ts"] - day for body in appended(url)] == [0, 1, 2, 3]
    early = declare(url, "model", "legacy", "--since", "2025-01-01T00:00+01:00")
    assert "only until a later declaration that stands" in early.said
    fold(url)
    then = "SELECT value #>> '{}' FROM directory.declarations_at('2025-06-01')"
    assert query(url, then) == [("legacy",)]
    assert query(url, "SELECT value #>> '{}' FROM directory.declarations") == [("priority",)]


@pytest.mark.parametrize("since", ["2999-01-01", "1969-01-01", "soon"])
def test_a_time_to_come_is_refused(url: str, since: str) -> None:
    refused = declare(url, "model", "legacy", "--since", since)
    assert "--since" in refused.sentence()
    assert refused.code == 2


def test_what_is_asked_the_wrong_way_is_one_sentence(url: str, tmp_path: Path) -> None:
    for arguments in (
        ["ranking"],
        ["ranking", "x", "--withdraw"],
        ["model", "legacy", "--by", " "],
    ):
        refused = declare(url, *arguments)
        refused.sentence()
        assert refused.code == 2
    missing = declare(url, "primary-group", str(tmp_path / "none"))
    assert "cannot be read" in missing.sentence()


def test_an_account_is_named_where_there_are_several(url: str) -> None:
    other = event("group.created", 1, {"id": "g9", "name": "Sales"}, account="other")
    run_command("import", "-", stdin=other, database_url=url)
    fold(url)
    assert f"--account: {', '.join(sorted([ACCOUNT, 'other']))}" in (
        declare(url, "model", "legacy").sentence()
    )
    assert "no such account" in declare(url, "model", "legacy", "--account", "x").sentence()
    ranked = declare(url, "ranking", "-", "--account", "other", stdin=b"Sales")
    assert ranked.lines == ["ranking\tother\t-\t->\tg9"]


def test_without_an_account_it_says_what_to_do(database_url: str) -> None:
    assert "projector reconcile" in declare(database_url, "model", "legacy").sentence()


def test_what_is_not_folded_yet_is_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a declaration would be left out because it says what stood before the last one."""
    monkeypatch.setattr(declarations, "FOLD_SECONDS", 0.3)
    assert declare(url, "model", "legacy").code == 0
    assert "position 11 is not folded yet" in declare(url, "model", "priority").sentence()


def test_whoever_may_operate_may_declare_and_a_reader_may_not(url: str) -> None:
    done = declare(f"{url}&role=projector_operator", "primary-group", "-", stdin=b"Uma,Sales")
    assert (done.code, done.lines) == (0, ["primary_group\tUma\t-\t->\tg1"]), done.said
    declare(f"{url}&role=directory_reader", "model", "legacy").sentence()
    assert len(appended(url)) == 1


def test_by_http_it_folds_as_nothing_and_exports_keep_the_source(url: str, tmp_path: Path) -> None:
    by_http = event("declared.model", 20, {"id": ACCOUNT, "model": "legacy"})
    run_command("import", "-", stdin=by_http, database_url=url)
    assert declare(url, "ranking", "-", stdin=RANKING).code == 0
    fold(url)
    assert [row[0] for row in query(url, SHOWN)] == ["ranking"]
    assert run_command("export", str(tmp_path / "log"), database_url=url).code == 0
    told = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    sources = {json.loads(one["body"])["event"]: one["source"] for one in told}
    assert sources["declared.ranking"] == "declared"
    assert sources["declared.model"] == "import"
