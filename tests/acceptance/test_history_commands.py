"""`timeline`, `changes`, `snapshot` and `replay` as a person runs them; the feed killed with kill -9."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command_rig import execute, fold, projector, query
from tests.processes import PROJECTOR, environment

STORY = Path(__file__).parent.parent / "payloads" / "all.ndjson"
MARTA = "marta.brueckner@werkhof.example"


@pytest.fixture
def told(database_url: str) -> str:
    """DSN of a database that holds the story, folded."""
    assert projector("import", str(STORY), database_url=database_url).code == 0
    fold(database_url)
    return database_url


def value_of(dsn: str, statement: str) -> Any:
    return query(dsn, statement)[0][0]


def values(lines: list[dict[str, Any]]) -> dict[tuple[Any, ...], Any]:
    """What a consumer of these lines holds."""
    held: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        place = tuple(line.get(n) for n in ("account_id", "entity", "entity_id", "group_id"))
        if line["kind"] == "restated":
            held[place] = line["values"]
        elif line["kind"] == "change" and not line["late"]:
            document = held.setdefault(place, {})
            document.pop(line["path"], None)
            document |= {line["path"]: line["after"]} if "after" in line else {}
    return {(*place, path): v for place, some in held.items() for path, v in some.items()}


def test_a_timeline_tells_a_persons_story(told: str) -> None:
    ran = projector("timeline", MARTA.upper(), "--json", database_url=told)
    assert ran.code == 0
    entries = [json.loads(line) for line in ran.lines]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert {e["entity"] for e in entries} >= {"membership", "group_admin"}
    assert all(e["position"] for e in entries)
    words = projector("timeline", MARTA, database_url=told)
    assert len(words.lines) == len(entries)
    assert "became admin of Glashütte & Schliff" in words.text
    none = projector("timeline", MARTA, "--until", "2000-01-01", database_url=told)
    assert (none.code, none.text) == (0, "")


def test_a_group_is_found_by_any_name_it_had(told: str) -> None:
    by_name = projector("timeline", "glashütte & schliff", database_url=told)
    group = value_of(told, "SELECT group_id FROM directory.groups WHERE name LIKE 'Glash%'")
    assert by_name.lines == projector("timeline", group, database_url=told).lines
    assert "group name: - ->" in by_name.text or "group status" in by_name.text


def test_what_is_not_known_says_what_to_give(told: str) -> None:
    assert "directory.users" in projector("timeline", "nobody", database_url=told).sentence()
    wrong = projector("timeline", "x", "--since", "yesterday", database_url=told)
    assert "--since takes a date" in wrong.sentence()
    assert (
        "--after takes a cursor"
        in projector("changes", "--after", "x", database_url=told).sentence()
    )
    assert (
        "--entity takes some of"
        in projector("changes", "--entity", "x", database_url=told).sentence()
    )


def test_a_snapshot_and_the_feed_give_the_directory(told: str, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.ndjson"
    assert projector("snapshot", str(file), database_url=told).code == 0
    head, *entities, end = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert (head["kind"], end) == ("snapshot", {"kind": "end", "lines": len(entities)})
    whole = [json.loads(line) for line in projector("changes", "--json", database_url=told).lines]
    assert values(whole) == values(entities)
    assert projector("changes", "--after", head["cursor"], database_url=told).text == ""
    last = whole[-1]["cursor"]
    assert projector("changes", "--after", last, "--json", database_url=told).text == ""
    half = whole[len(whole) // 2]
    rest = projector("changes", "--after", half["cursor"], "--json", database_url=told).lines
    assert [json.loads(line) for line in rest] == whole[whole.index(half) + 1 :]
    some = projector("changes", "--json", "--entity", "group,membership", database_url=told).lines
    assert {json.loads(line)["entity"] for line in some} == {"group", "membership"}


def test_a_killed_consumer_goes_on_where_it_was(told: str) -> None:
    """kill -9 after any line: it goes on from the cursor of the last line that it had written."""
    chance, read, cursor = random.Random(5), list[dict[str, Any]](), None
    whole = [json.loads(line) for line in projector("changes", "--json", database_url=told).lines]
    while len(read) < len(whole):
        after = [] if cursor is None else ["--after", cursor]
        following = subprocess.Popen(
            [*PROJECTOR, "changes", "--follow", "--json", *after],
            stdout=subprocess.PIPE, env=environment(database_url=told),
        )  # fmt: skip
        assert following.stdout is not None
        try:
            for _ in range(min(chance.randint(5, 40), len(whole) - len(read))):
                read.append(json.loads(following.stdout.readline()))
        finally:
            following.kill()
            following.wait()
            following.stdout.close()
        cursor = read[-1]["cursor"]
    assert [{**line, "cursor": None} for line in read] == [
        {**line, "cursor": None} for line in whole
    ]


def test_a_cursor_of_another_log_is_refused(told: str) -> None:
    line = json.loads(projector("changes", "--json", database_url=told).lines[-1])
    cursor = line["cursor"]
    execute(told, "INSERT INTO log.epochs VALUES (99, gen_random_uuid(), log.place())")
    refused = projector("changes", "--after", cursor, database_url=told)
    assert refused.code == 5
    assert "another epoch" in refused.sentence()
    assert "projector snapshot" in refused.sentence()


def test_a_log_that_went_back_begins_a_new_epoch(told: str) -> None:
    lines = [json.loads(line) for line in projector("changes", "--json", database_url=told).lines]
    execute(
        told,
        "ALTER TABLE log.events DISABLE TRIGGER ALL;"
        "DELETE FROM log.events WHERE position > 15;"
        "UPDATE state.checkpoints SET position = 15, digest = NULL",
    )
    for cursor in (lines[-1]["cursor"], lines[0]["cursor"]):  # the second is good but for its epoch
        refused = projector("changes", "--after", cursor, database_url=told)
        assert refused.code == 5
        assert "epoch" in refused.sentence()
    assert value_of(told, "SELECT count(*) FROM log.epochs") == 2


def test_a_replay_is_made_read_and_dropped(told: str) -> None:
    made = projector("replay", "--known-at", "10", "--into", "ten", database_url=told)
    assert made.code == 0, made.said
    assert value_of(told, "SELECT max(last_position) FROM ten.users") <= 10
    assert value_of(told, "SELECT has_schema_privilege('directory_reader', 'ten', 'usage')")
    again = projector("replay", "--known-at", "10", "--into", "ten", database_url=told)
    assert "exists already" in again.sentence()
    assert projector("replay", "--drop", "--into", "ten", database_url=told).code == 0
    assert value_of(told, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ten%'") == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--known-at", "10", "--into", "Bad Name"], "--into takes the name"),
        (["--known-at", "10", "--into", "then"], "a word of SQL"),
        (["--known-at", "10", "--into", "state"], "exists already"),
        (["--known-at", "99999", "--into", "later"], "the log ends at position"),
        (["--into", "later"], "say --known-at"),
        (["--drop", "--into", "state"], "there is no replay"),
        (["--drop", "--into", "x", "--known-at", "1"], "--into alone"),
    ],
)  # fmt: skip
def test_a_replay_that_cannot_be_says_why(told: str, arguments: list[str], sentence: str) -> None:
    assert sentence in projector("replay", *arguments, database_url=told).sentence()
    assert value_of(told, "SELECT count(*) FROM state.users") > 0
