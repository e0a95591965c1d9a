"""Every command: what it does, where it writes, its exit code."""

import asyncio
import json
import re
import stat
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import click
import pytest
import typer.main

from projector.cli.app import app
from projector.database import open_database
from projector.log.quarantine import Suspect, keep
from projector.projections import PROJECTIONS
from projector.zoom.events import digest_of
from projector.zoom.signature import sign
from tests.command_rig import execute, fold, projector, query
from tests.conftest import database_of, run_on
from tests.ingress_rig import NOWHERE, SECRET, event_body
from tests.processes import free_port

PAYLOADS = Path(__file__).parent.parent / "payloads"
STORY = PAYLOADS / "all.ndjson"
NAMES = [projection.name for projection in PROJECTIONS]

# The commands and options that scripts, dashboards and runbooks may rely on.
COMMANDS: dict[str, set[str]] = {
    "up": set(),
    "serve": set(),
    "project": set(),
    "console": {"--address"},
    "migrate": {"--print-sql"},
    "rebuild": {"NAMES", "--dry-run", "--processes", "--by"},
    "reconcile": {"--only", "--dry-run", "--every", "--person", "--max-removals", "--json", "--by"},
    "verify": {"NAMES", "--processes", "--log", "--anchor"},
    "grant": {"ROLE", "LOGIN", "--create", "--password-file", "--no-password"},
    "check": {"--json"},
    "alerts": {"--runbook"},
    "dashboard": set(),
    "status": {"--json", "--watch"},
    "wait": {"--position", "--timeout"},
    "export": {"FILE", "--redact", "--overwrite"},
    "import": {"FILE"},
    "dead-letters list": {"--dismissed", "--json"},
    "dead-letters show": {"POSITION", "--reveal", "--json"},
    "dead-letters retry": {"POSITIONS", "--by"},
    "dead-letters dismiss": {"POSITION", "--projection", "--reason", "--by"},
    "drift list": {"--acknowledged", "--json"},
    "drift show": {"ENTITY", "ENTITY_ID", "PATH", "--account", "--reveal", "--json"},
    "drift acknowledge": {"ENTITY", "ENTITY_ID", "PATH", "--all", "--account", "--reason", "--by"},
    "quarantine list": {"--limit", "--json"},
    "quarantine show": {"ROW_ID", "--reveal", "--json"},
    "quarantine reverify": {"--by"},
    "quarantine purge": {"IDS", "--before", "--reason", "--yes", "--by"},
    "declare model": {"MODEL", "--account", "--since", "--dry-run", "--by", "--json"},
    "declare ranking": {"FILE", "--withdraw", "--account", "--since", "--dry-run", "--by", "--json"},
    "declare primary-group": {"FILE", "--account", "--since", "--dry-run", "--by", "--json"},
    "simulate": {
        "--url", "--events", "--users", "--before", "--seed", "--days", "--until", "--rate", "--concurrency",
        "--duplicates", "--disorder", "--lose", "--time-scale", "--api", "--api-port", "--api-plan",
        "--api-refuse", "--among-real-accounts",
    },
    "dsn": set(),
    "completion": {"SHELL"},
    "sql": {"QUERY", "OPTIONS"},
    "subject": {"PERSON", "--to", "--account", "--overwrite", "--by"},
    "timeline": {"WHO", "--since", "--until", "--json"},
    "changes": {"--follow", "--after", "--account", "--entity", "--json"},
    "snapshot": {"FILE", "--overwrite"},
    "replay": {"--into", "--known-at", "--at", "--processes", "--drop"},
}  # fmt: skip


def commands(group: Any, prefix: str = "") -> dict[str, click.Command]:
    """Every command by its words."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = hasattr(command, "commands")
        found |= commands(command, f"{prefix}{name} ") if inner else {prefix + name: command}
    return found


def words(command: click.Command) -> set[str]:
    """A command's options and arguments as typed."""
    return {
        option if option.startswith("-") else option.upper()
        for parameter in command.params
        for option in parameter.opts
    }


@pytest.fixture(scope="module")
def story(server: str, template: str) -> Iterator[str]:
    """A database with the story, folded; others are cloned from it."""
    name = f"story_{uuid.uuid4().hex[:12]}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    url = database_of(server, name)
    assert projector("import", str(STORY), database_url=url).code == 0
    fold(url)
    yield name
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def folded(server: str, story: str) -> Iterator[str]:
    """DSN of a database with the story, folded."""
    name = f"folded_{uuid.uuid4().hex[:12]}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {story} STRATEGY file_copy")
    yield database_of(server, name)
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_url(server: str) -> AsyncIterator[str]:
    """DSN of a database without our schemas."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    await run_on(server, f"CREATE DATABASE {name}")
    yield database_of(server, name)
    await run_on(server, f"DROP DATABASE {name} WITH (FORCE)")


def test_every_command_is_there_with_its_options_and_says_what_it_does() -> None:
    found = commands(typer.main.get_command(app))
    assert {name: words(command) for name, command in found.items()} == COMMANDS
    for name, command in found.items():
        assert command.help, name
        for parameter in command.params:
            told = getattr(parameter, "help", None)
            assert told, (name, parameter.name)


@pytest.mark.parametrize(
    "wrong",
    [["sing"], ["wait", "--until", "3"], ["wait", "--position", "x"], ["wait", "--position", "-5"],
     ["wait", "--position", str(2**63)], ["wait", "--timeout", "-1"],
     ["quarantine", "list", "--limit", str(2**63)]],
)  # fmt: skip
def test_a_command_line_that_makes_no_sense_is_a_usage_error(wrong: list[str]) -> None:
    ran = projector(*wrong)
    assert ran.code == 2
    assert ran.data == b""
    assert wrong[-1] in ran.said or wrong[-2] in ran.said


# ---- the schema --------------------------------------------------------------------------------


def test_migrate_says_what_it_did_and_a_second_time_does_nothing(empty_url: str) -> None:
    first = projector("migrate", database_url=empty_url)
    assert (first.code, first.data) == (0, b"")
    assert first.said.startswith("migrated: 0001_log, 0002_state")
    assert projector("migrate", database_url=empty_url).said == "nothing to migrate\n"


def test_printed_sql_makes_an_empty_database_a_migrated_one(empty_url: str) -> None:
    printed = projector("migrate", "--print-sql")
    assert (printed.code, printed.said) == (0, "")
    execute(empty_url, printed.text)
    assert projector("migrate", database_url=empty_url).said == "nothing to migrate\n"
    assert projector("import", str(STORY), database_url=empty_url).code == 0
    fold(empty_url)
    assert projector("verify", database_url=empty_url).code == 0


def test_printed_sql_is_one_transaction(empty_url: str) -> None:
    spoilt = projector("migrate", "--print-sql").text.replace("COMMIT;", "SELECT 1/0;\nCOMMIT;")
    with pytest.raises(Exception, match="division by zero"):
        execute(empty_url, spoilt)
    assert query(empty_url, "SELECT FROM pg_namespace WHERE nspname IN ('log', 'projector')") == []


# ---- what goes wrong with a database -------------------------------------------------------------


def test_a_database_that_is_not_there_is_one_sentence() -> None:
    for command in ("status", "migrate", "wait", "verify"):
        ran = projector(command, database_url=NOWHERE)
        assert "nothing listens at" in ran.sentence()
        assert ran.code == 3


def test_a_database_of_another_name_is_one_sentence(server: str) -> None:
    ran = projector("status", database_url=database_of(server, "atlantis"))
    assert "check the database's name in PROJECTOR_DATABASE_URL" in ran.sentence()
    assert ran.code == 3


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_name_is_one_sentence(server: str, encoding: str) -> None:
    name = f"narrow_{uuid.uuid4().hex[:12]}"
    execute(
        server,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' "
        "LC_CTYPE 'C' LOCALE_PROVIDER libc",
    )
    try:
        ran = projector("migrate", database_url=database_of(server, name))
    finally:
        execute(server, f"DROP DATABASE {name}")
    assert f"encoding is {encoding}" in ran.sentence()
    assert "ENCODING 'UTF8'" in ran.said


def test_no_database_at_all_is_one_sentence(tmp_path: Path) -> None:
    for command in ("status", "dsn", "serve", "project"):
        ran = projector(command, data_dir=str(tmp_path))
        assert "PROJECTOR_DATABASE_URL" in ran.sentence()
        assert str(tmp_path) in ran.said
        assert ran.code == 2


@pytest.mark.parametrize("command", ["status", "wait", "verify", "project", "export -"])
def test_a_schema_that_is_missing_or_too_new_is_one_sentence(
    empty_url: str, database_url: str, command: str
) -> None:
    missing = projector(*command.split(), database_url=empty_url)
    assert "run `projector migrate`" in missing.sentence()
    assert missing.code == 4
    newer = "INSERT INTO projector.migrations (number, name, serves) VALUES (999, '0999_x', 999)"
    execute(database_url, newer)
    too_new = projector(*command.split(), database_url=database_url)
    assert "run a newer release" in too_new.sentence()
    assert too_new.code == 4


def test_migrate_leaves_a_schema_that_is_too_new_alone(database_url: str) -> None:
    execute(
        database_url,
        "INSERT INTO projector.migrations (number, name, serves) VALUES (999, '0999_x', 999);"
        "DROP VIEW directory.users CASCADE",
    )
    ran = projector("migrate", database_url=database_url)
    assert "run a newer release" in ran.sentence()
    assert ran.code == 4
    assert query(database_url, "SELECT to_regclass('directory.users') IS NULL") == [(True,)]


def test_a_role_that_may_not_is_one_sentence(database_url: str) -> None:
    role = f"stranger_{uuid.uuid4().hex[:8]}"
    execute(database_url, f"CREATE ROLE {role}")
    url = f"{database_url}&options=-c%20role%3D{role}"
    try:
        assert "may not" in projector("status", database_url=url).sentence()
        assert "may not migrate" in projector("migrate", database_url=url).sentence()
    finally:
        execute(database_url, f"DROP ROLE {role}")


# ---- status, wait, dsn ---------------------------------------------------------------------------


def test_status_as_json_tells_everything(folded: str) -> None:
    ran = projector("status", "--json", database_url=folded)
    assert (ran.code, ran.said) == (0, "")
    told = json.loads(ran.data)
    assert told["head"] == 21
    assert [p["projection"] for p in told["projections"]] == sorted(NAMES)
    for projection in told["projections"]:
        assert projection["position"] == 21
        assert projection["lag_events"] == 0
        assert projection["lag_seconds"] == 0
        assert {"owner", "state", "version", "error"} <= projection.keys()
    assert {"dead_letters", "drift", "quarantine"} <= told.keys()
    assert sum(account["events"] for account in told["freshness"]) == 21


def test_status_for_people_is_whole_where_there_is_no_terminal(folded: str) -> None:
    execute(folded, "UPDATE state.checkpoints SET owner = 'a-host-of-some-length:12345:0123abcd'")
    ran = projector("status", database_url=folded)
    assert (ran.code, ran.said) == (0, "")
    assert "…" not in ran.text
    for name in NAMES:
        assert any(line.split()[:2] == [name, "21"] for line in ran.lines), name
    assert ran.text.count("a-host-of-some-length:12345:0123abcd") == len(NAMES)
    assert "dead letters 0" in ran.text
    assert "21 events" in ran.text


@contextmanager
def append_lock_kept(dsn: str) -> Iterator[int]:
    """An administrator's session holds the append lock beyond its transaction; yields its process id."""
    loop = asyncio.new_event_loop()
    holder = loop.run_until_complete(asyncpg.connect(dsn))
    try:
        loop.run_until_complete(holder.execute("SELECT pg_advisory_lock(7017, 1)"))
        yield int(loop.run_until_complete(holder.fetchval("SELECT pg_backend_pid()")))
    finally:
        loop.run_until_complete(holder.close())
        loop.close()


def test_status_names_whoever_keeps_the_append_lock(folded: str) -> None:
    with append_lock_kept(folded) as pid:
        time.sleep(1.2)
        ran = projector("status", database_url=folded)
    assert ran.code == 0
    assert re.search(rf"append lock: held for \d\.\d s by session {pid} ", ran.text)


def test_status_names_the_session_of_another_role_as_well_as_it_may(
    folded: str,
) -> None:
    role = f"watcher_{uuid.uuid4().hex[:8]}"
    execute(folded, f"CREATE ROLE {role} IN ROLE pg_read_all_data")
    try:
        with append_lock_kept(folded) as pid:
            ran = projector("status", database_url=f"{folded}&options=-c%20role%3D{role}")
    finally:
        execute(folded, f"DROP ROLE {role}")
    assert (ran.code, ran.said) == (0, "")
    assert f"held by session {pid} of another role; a member of pg_monitor" in ran.text


def test_wait_returns_once_everything_is_folded(folded: str) -> None:
    for position in ([], ["--position", "21"], ["--position", "3"]):
        ran = projector("wait", *position, database_url=folded)
        assert (ran.code, ran.data, ran.said) == (0, b"", "")


def test_wait_fails_when_the_time_is_out_and_says_who_is_behind(folded: str) -> None:
    ran = projector("wait", "--position", "22", "--timeout", "0.1", database_url=folded)
    assert ran.code == 1
    assert ran.data == b""
    assert all(name in ran.said for name in NAMES)
    execute(folded, "UPDATE state.checkpoints SET position = 20 WHERE projection = 'groups'")
    ran = projector("wait", "--timeout", "0", database_url=folded)
    assert ran.code == 1
    assert ran.said.startswith("still behind: groups;")


def test_dsn_is_the_url_and_nothing_else() -> None:
    assert projector("dsn", database_url=NOWHERE).data == f"{NOWHERE}\n".encode()


# ---- verify and rebuild --------------------------------------------------------------------------


def test_verify_agrees_then_names_the_row_that_was_tampered_with(folded: str) -> None:
    clean = projector("verify", database_url=folded)
    assert clean.code == 0
    assert [line.split("\t")[0] for line in clean.lines] == NAMES
    execute(folded, "UPDATE state.users SET status = 'inactive' WHERE user_key IN "
            "(SELECT user_key FROM state.users ORDER BY 1 LIMIT 1)")  # fmt: skip
    execute(folded, "DELETE FROM state.freshness WHERE event = 'group.created'")
    key = query(folded, "SELECT account_id, user_key FROM state.users ORDER BY user_key LIMIT 1")[0]

    tampered = projector("verify", database_url=folded)
    assert tampered.code == 1
    assert f"  different in users: {', '.join(key)} (status)" in tampered.lines
    assert any(line.startswith("  missing in freshness: ") for line in tampered.lines)
    assert projector("verify", "groups", database_url=folded).code == 0

    foretold = projector("rebuild", "--dry-run", "users", database_url=folded)
    assert foretold.code == 0
    assert "1 would change" in foretold.lines[0]
    assert projector("verify", "users", database_url=folded).code == 1

    rebuilt = projector("rebuild", "users", "freshness", database_url=folded)
    assert rebuilt.code == 0
    assert rebuilt.lines == [
        "users\trebuilt up to position 21",
        "freshness\trebuilt up to position 21",
    ]
    assert projector("verify", database_url=folded).code == 0


def test_rebuild_without_a_name_rebuilds_everything(folded: str) -> None:
    ran = projector("rebuild", database_url=folded)
    assert ran.code == 0
    assert [line.split("\t")[0] for line in ran.lines] == NAMES


@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_a_projection_that_there_is_not_is_one_sentence(database_url: str, command: str) -> None:
    ran = projector(command, "users", "usres", database_url=database_url)
    sentence = ran.sentence()
    assert "no projection usres" in sentence
    assert all(name in sentence for name in NAMES)
    assert ran.code == 2


# ---- export and import ---------------------------------------------------------------------------


def test_export_import_export_is_the_same(folded: str, empty_url: str, tmp_path: Path) -> None:
    to_stream = projector("export", "-", database_url=folded)
    assert to_stream.code == 0
    assert to_stream.said == "exported 21 events; left out: 0 erased, 0 repeated\n"
    assert len(to_stream.lines) == 21
    assert json.loads(to_stream.lines[0]).keys() == {"received_at", "request_id", "source", "body"}

    copy = tmp_path / "log.ndjson"
    assert projector("export", str(copy), database_url=folded).data == b""
    assert copy.read_bytes() == to_stream.data

    projector("migrate", database_url=empty_url)
    for told in ("imported 21, known already 0, bad 0\n", "imported 0, known already 21, bad 0\n"):
        ran = projector("import", "-", stdin=to_stream.data, database_url=empty_url)
        assert (ran.code, ran.text) == (0, told)
    assert projector("export", "-", database_url=empty_url).data == to_stream.data
    fold(empty_url)
    users = "SELECT * FROM directory.users ORDER BY account_id, user_id"
    assert query(empty_url, users) == query(folded, users) != []


def test_import_names_broken_lines_and_takes_the_others(database_url: str, tmp_path: Path) -> None:
    lines = STORY.read_bytes().splitlines()
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(b"\n".join([lines[0], b'{"event": ', lines[1], b"hunter2", lines[2]]))
    ran = projector("import", str(broken), database_url=database_url)
    assert ran.code == 1
    assert ran.text == "imported 3, known already 0, bad 2\n"
    assert [line.split(":")[0] for line in ran.said.splitlines()] == ["line 2", "line 4"]
    assert "hunter2" not in ran.said


@pytest.mark.parametrize("way", ["file", "stream"])
def test_import_takes_what_was_formatted_for_reading(
    database_url: str, tmp_path: Path, way: str
) -> None:
    deliveries = [json.loads(line) for line in STORY.read_bytes().splitlines()]
    envelope = {"received_at": "2026-05-01T00:00:00Z", "body": json.dumps({"event": "one.more"})}
    formatted = tmp_path / "formatted.json"
    bad: list[Any] = [{"event": 7}, *deliveries, envelope]
    formatted.write_text(json.dumps(bad, indent=2, ensure_ascii=False), encoding="utf-8")
    name, stdin = (str(formatted), b"") if way == "file" else ("-", formatted.read_bytes())
    ran = projector("import", name, stdin=stdin, database_url=database_url)
    assert (ran.code, ran.text) == (1, "imported 22, known already 0, bad 1\n")
    assert ran.said == "line 2: it is neither an envelope nor a delivery with a text `event`\n"
    fold(database_url)
    assert query(database_url, "SELECT count(*) FROM directory.group_admins") == [(1,)]
    again = projector("import", name, stdin=stdin, database_url=database_url)
    assert again.text == "imported 0, known already 22, bad 1\n"


def test_import_takes_one_payload_as_it_lies_in_the_tests(database_url: str) -> None:
    payload = PAYLOADS / "user.updated.json"
    ran = projector("import", str(payload), database_url=database_url)
    assert (ran.code, ran.text, ran.said) == (0, "imported 1, known already 0, bad 0\n", "")
    body = payload.read_bytes().strip()
    assert query(database_url, "SELECT body FROM log.events") == [(body,)]


def test_equal_complaints_are_summed_after_the_first_twenty(database_url: str) -> None:
    lines = [b"hunter2"] * 1_254 + [b'{"event": 7}'] + [STORY.read_bytes().splitlines()[0]]
    ran = projector("import", "-", stdin=b"\n".join(lines), database_url=database_url)
    assert (ran.code, ran.text) == (1, "imported 1, known already 0, bad 1,255\n")
    said = ran.said.splitlines()
    assert said[:20] == [f"line {number}: it is not JSON" for number in range(1, 21)]
    assert said[20].startswith("line 1255: it is neither")
    assert said[21:] == ["and 1,234 more lines: it is not JSON"]


def test_an_export_or_snapshot_writes_over_nothing_unless_told(folded: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.ndjson"
    for command in ("export", "snapshot"):
        kept.write_bytes(b"yesterday's")
        ran = projector(command, str(kept), database_url=folded)
        assert f"{kept} is there already; name another file, or say --overwrite" in ran.sentence()
        assert ran.code == 2
        assert kept.read_bytes() == b"yesterday's"
        assert projector(command, str(kept), "--overwrite", database_url=folded).code == 0
        assert kept.read_bytes().startswith(b"{")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [kept]


def test_a_file_that_cannot_be_read_or_written_is_one_sentence(
    database_url: str, tmp_path: Path
) -> None:
    absent = projector("import", str(tmp_path / "absent"), database_url=database_url)
    assert "cannot be read (No such file" in absent.sentence()
    nowhere = projector("export", str(tmp_path / "no" / "file"), database_url=database_url)
    assert "cannot be written (No such file" in nowhere.sentence()


def test_an_export_that_cannot_begin_leaves_the_file_that_was_there(
    empty_url: str, tmp_path: Path
) -> None:
    kept = tmp_path / "log.ndjson"
    kept.write_bytes(b"the export of yesterday")
    for url in (NOWHERE, empty_url):
        projector("export", str(kept), database_url=url).sentence()
        assert kept.read_bytes() == b"the export of yesterday"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_one_sentence(folded: str) -> None:
    assert "No space left" in projector("export", "/dev/full", database_url=folded).sentence()


# ---- dead letters --------------------------------------------------------------------------------


def test_dead_letters_are_listed_and_retried(database_url: str) -> None:
    good = STORY.read_bytes().splitlines()[0]
    unfoldable = b'{"event":"user.created","event_ts":1,"payload":{"object":{"id":"u"}}}'
    projector("import", "-", stdin=unfoldable + b"\n" + good, database_url=database_url)
    fold(database_url)

    listed = projector("dead-letters", "list", database_url=database_url)
    assert (listed.code, listed.said) == (0, "")
    fields = [line.split("\t") for line in listed.lines]
    assert [field[:3] for field in fields] == [["1", "users", "user.created"]]
    assert fields[0][3]

    retried = projector("dead-letters", "retry", database_url=database_url)
    assert (retried.code, retried.said) == (1, "folded 0, left 1\n")
    assert retried.lines == ["1\tusers\tthere is no payload.account_id"]

    # As an earlier release may have left it.
    execute(
        database_url,
        "UPDATE state.dead_letters SET position = 2, event = 'user.updated'",
    )
    retried = projector("dead-letters", "retry", database_url=database_url)
    said = "folded 1, left 0; recorded at position 3\n"
    assert (retried.code, retried.data, retried.said) == (0, b"", said)
    assert projector("dead-letters", "list", database_url=database_url).data == b""


# ---- quarantine ----------------------------------------------------------------------------------


def quarantine(dsn: str, body: bytes, *, event: str, secret: bytes = SECRET) -> None:
    """Quarantine a delivery signed with `secret`."""
    stamp = "1700000000"
    suspect = Suspect(
        received_at=datetime.now(UTC),
        reason="signature",
        event=event,
        signed=False,
        request_id=None,
        timestamp=stamp,
        signature=sign(secret, stamp, body),
        digest=digest_of(body),
        body=body,
    )

    async def work() -> None:
        database = await open_database(dsn)
        await keep(database, [suspect], max_rows=10, max_bytes=100_000)
        await database.close()

    asyncio.run(work())


def test_the_quarantine_is_listed_and_cannot_steer_a_terminal(database_url: str) -> None:
    quarantine(database_url, event_body(), event="user.x\x1b[2J\t\n")
    quarantine(database_url, event_body(), event="user.y")
    ran = projector("quarantine", "list", database_url=database_url)
    assert ran.code == 0
    fields = [line.split("\t") for line in ran.lines]
    assert [field[3] for field in fields] == ["user.y", "user.x\ufffd[2J\ufffd\ufffd"]
    limited = projector("quarantine", "list", "--limit", "1", database_url=database_url)
    assert len(limited.lines) == 1
    assert "--limit" in limited.said


def test_the_quarantine_is_verified_again_with_the_secret_that_was_missing(
    database_url: str,
) -> None:
    quarantine(database_url, event_body(), event="user.x")
    quarantine(database_url, event_body(), event="user.x", secret=b"of nobody")
    without = projector("quarantine", "reverify", database_url=database_url)
    assert "PROJECTOR_ZOOM_SECRET_TOKENS" in without.sentence()
    assert without.code == 2
    ran = projector(
        "quarantine", "reverify",
        database_url=database_url, zoom_secret_tokens=f"new,{SECRET.decode()}",
    )  # fmt: skip
    said = "appended 1, known already 0, left 1; recorded at position 2\n"
    assert (ran.code, ran.said) == (0, said)
    sources = query(database_url, "SELECT source FROM log.events ORDER BY position")
    assert sources == [("quarantine",), ("operator",)]
    assert len(projector("quarantine", "list", database_url=database_url).lines) == 1


def test_reverify_says_who_is_in_its_way_and_takes_nothing_out(database_url: str) -> None:
    quarantine(database_url, event_body(), event="user.x")
    again = {"database_url": database_url, "zoom_secret_tokens": SECRET.decode()}
    with append_lock_kept(database_url):
        ran = projector("quarantine", "reverify", **again)
        assert "`projector status` names that session" in ran.sentence()
    assert projector("quarantine", "reverify", **again).said.startswith("appended 1,")


def test_the_quarantine_is_purged_after_asking(database_url: str) -> None:
    quarantine(database_url, event_body(), event="user.x")
    asked = projector("quarantine", "purge", stdin=b"n\n", database_url=database_url)
    assert asked.code == 1
    assert len(projector("quarantine", "list", database_url=database_url).lines) == 1
    purged = projector("quarantine", "purge", "--yes", database_url=database_url)
    said = "deleted 1; recorded at position 1\n"
    assert (purged.code, purged.data, purged.said) == (0, b"", said)
    assert projector("quarantine", "list", database_url=database_url).data == b""


# ---- simulate ------------------------------------------------------------------------------------


def test_simulate_says_what_it_lacks(tmp_path: Path) -> None:
    no_secret = projector("simulate", data_dir=str(tmp_path))
    assert "no secret to sign with" in no_secret.sentence()
    assert no_secret.code == 2
    no_port = projector("simulate", zoom_secret_tokens="x", port="0")
    assert "--url" in no_port.sentence()


def test_simulate_where_nobody_listens_is_one_sentence() -> None:
    ran = projector("simulate", zoom_secret_tokens="hunter2", port=str(free_port()))
    assert "hunter2" not in ran.sentence()


@pytest.mark.parametrize(
    "wrong",
    [["--events", "-1"], ["--users", "0"], ["--duplicates", "2"], ["--url", "ftp://127.0.0.1"],
     ["--days", "inf"], ["--days", "nan"], ["--rate", "nan"], ["--before", "-1"], ["--lose", "nan"]],
)  # fmt: skip
def test_simulate_refuses_what_makes_no_sense(wrong: list[str]) -> None:
    ran = projector("simulate", *wrong, zoom_secret_tokens="x", port="1")
    ran.sentence()
    assert ran.code == 2


# ---- settings ------------------------------------------------------------------------------------


def test_a_bad_setting_is_one_sentence_that_names_it_and_not_its_value() -> None:
    ran = projector("status", port="hunter2", log_level="hunter3", batch_events="0")
    sentence = ran.sentence()
    for name in ("PROJECTOR_PORT", "PROJECTOR_LOG_LEVEL", "PROJECTOR_BATCH_EVENTS"):
        assert name in sentence
    assert "hunter" not in sentence
    assert ran.code == 2


@pytest.mark.parametrize("setting", ["zoom_secret_tokens", "database_url"])
def test_a_setting_and_its_file_contradict_each_other(setting: str, tmp_path: Path) -> None:
    both = {setting: "hunter2", f"{setting}_file": str(tmp_path / "file")}
    ran = projector("status", **both)
    assert "keep one" in ran.sentence()
    assert "hunter2" not in ran.said


def test_a_file_of_a_setting_is_read_or_missed(folded: str, tmp_path: Path) -> None:
    file = tmp_path / "url"
    missed = projector("status", database_url_file=str(file))
    assert "PROJECTOR_DATABASE_URL_FILE" in missed.sentence()
    file.write_text(folded + "\n", encoding="utf-8")
    assert projector("status", database_url_file=str(file)).code == 0
