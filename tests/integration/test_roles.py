"""Least privilege: as each role, what its process must do works, and everything else is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from projector.database import Database, open_database
from projector.errors import SwapFailed
from projector.history.feed import cursor_at_start, read_page
from projector.live.housekeeping import drop_abandoned_rebuilds, forget_old_digests, seal_log
from projector.log.append import append
from projector.log.quarantine import list_rows, purge, reverify
from projector.log.seals import verify_chain
from projector.observations.outcome import Section
from projector.projections import PROJECTIONS, projection_named
from projector.rebuild.rebuild import rebuild
from projector.rebuild.replay import Replay, drop_replay, replay
from projector.schema.migrate import migrate
from projector.schema.roles import Role
from projector.state.dead_letters import retry_dead_letters
from projector.state.rebuilds import claim_rebuild
from projector.state.shadow import Shadow
from projector.state.status import read_status
from tests.dump_schema import SCHEMAS
from tests.ingress_rig import OTHER_SECRET, event_body, serving, signed
from tests.integration.test_quarantine import kept, suspect
from tests.integration.test_runtime_versions import NEW, NOW, is_of
from tests.logins import login_with
from tests.runtime_rig import (
    append_bodies,
    append_story,
    assert_oracle_agrees,
    assert_verified,
    delivery,
    no_progress,
    rebuild_leftovers,
    renamed,
    replica,
    story,
    until,
    until_folded,
)
from tests.zoom_rest_rig import ZoomAccount, logged, run_of

pytestmark = pytest.mark.versions

As = Callable[[Role], Awaitable[Database]]


@pytest.fixture
async def as_role(database: Database, database_url: str) -> AsyncIterator[As]:
    """Opens the database as a login with one role."""
    opened = []

    async def open_as(role: Role) -> Database:
        opened.append(await open_database(await login_with(database, database_url, role), size=16))
        return opened[-1]

    # The clone of a database has the grants on what is in it, not those on itself.
    await migrate(database)
    yield open_as
    for each in opened:
        each.terminate()


# ---- what each must be able to do ---------------------------------------------------------------------


async def test_a_whole_ingress_replica_works_as_an_ingress(
    database: Database, database_url: str
) -> None:
    url = await login_with(database, database_url, Role.INGRESS)
    body = event_body()
    async with serving(url) as zoom:
        await zoom.until_ready()
        assert (await zoom.post(body)).headers["X-Event-Position"] == "1"
        assert (await zoom.post(body)).headers["X-Event-Duplicate"] == "true"
        other = event_body()
        assert (await zoom.post(other, signed(other, OTHER_SECRET))).status == 401
        await until(lambda: database.fetchval("SELECT count(*) = 1 FROM log.quarantine"))
        assert (await zoom.get("/readyz")).status == 200
    rows = await database.fetch("SELECT body, source FROM log.events")
    assert [tuple(row) for row in rows] == [(body, "webhook")]


async def test_a_projector_folds_upgrades_rebuilds_and_cleans_up(
    database: Database, as_role: As
) -> None:
    projector = await as_role(Role.PROJECTOR)
    await append_story(database, story(5, 300))
    async with replica(projector):
        await until_folded(projector, 60)
    async with replica(projector, projections=NEW):
        await until(lambda: is_of(projector, NOW + 1), 60)
    await assert_nothing_is_left(projector)
    await database.fetch(OF_THIS_RELEASE, NOW)
    await rebuild(projector, PROJECTIONS, no_progress)
    await assert_oracle_agrees(database)
    await assert_verified(projector)
    assert (await read_status(projector)).quarantine == 0
    await database.fetch("UPDATE log.digests SET seen_at = now() - interval '3 days'")
    assert await forget_old_digests(projector, 2) > 0
    await seal_log(projector, 100)
    assert await database.fetchval("SELECT position FROM log.seals") == 100


async def assert_nothing_is_left(database: Database) -> None:
    await until(lambda: _no_leftovers(database), 60)


async def _no_leftovers(database: Database) -> bool:
    return await rebuild_leftovers(database) == 0


@pytest.mark.parametrize("first", [None, Role.OPERATOR], ids=["superuser", "operator"])
async def test_a_projector_rebuilds_what_others_rebuilt(
    database: Database, as_role: As, first: Role | None
) -> None:
    await append_story(database, story(6, 100))
    other = database if first is None else await as_role(first)
    await rebuild(other, PROJECTIONS, no_progress)
    await assert_all_belongs_to_projectors(database)
    await database.fetch("DROP FUNCTION directory.groups_at")
    async with replica(other, projections=NEW):  # views are made anew
        await until(lambda: is_of(other, NOW + 1), 60)
    await assert_nothing_is_left(database)
    assert await database.fetchval("SELECT to_regproc('directory.groups_at') IS NOT NULL")
    await assert_all_belongs_to_projectors(database)
    await database.fetch(OF_THIS_RELEASE, NOW)
    await rebuild(await as_role(Role.PROJECTOR), PROJECTIONS, no_progress)
    await assert_oracle_agrees(database)


OF_THIS_RELEASE = "UPDATE state.checkpoints SET version = $1 WHERE projection = 'freshness'"
OWNED_BY_OTHERS = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace IN ('state'::regnamespace, 'directory'::regnamespace)
  AND c.relowner <> 'projector_projector'::regrole
UNION ALL
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace IN ('state'::regnamespace, 'directory'::regnamespace)
  AND p.proowner <> 'projector_projector'::regrole
"""


async def assert_all_belongs_to_projectors(database: Database) -> None:
    assert await database.fetch(OWNED_BY_OTHERS) == []


async def test_a_projector_drops_what_a_killed_rebuild_of_others_left(
    database: Database, as_role: As
) -> None:
    users = projection_named("users")
    await claim_rebuild(database, "users", "killed", timedelta(seconds=1))
    await Shadow(database, users, "rebuild_users_0123abcd").create()
    await database.fetch("UPDATE state.rebuilds SET heartbeat_at = now() - interval '1 hour'")
    await drop_abandoned_rebuilds(await as_role(Role.PROJECTOR))
    assert await rebuild_leftovers(database) == 0


@pytest.mark.parametrize(
    "in_the_way",
    ["ALTER TABLE state.users OWNER TO CURRENT_USER",
     "CREATE VIEW public.mine AS SELECT user_id FROM state.users"],
)  # fmt: skip
async def test_what_a_projector_may_not_replace_is_told(
    database: Database, as_role: As, in_the_way: str
) -> None:
    await database.fetch(in_the_way)
    with pytest.raises(SwapFailed, match=r"may not replace .*`projector migrate`"):
        await rebuild(await as_role(Role.PROJECTOR), [projection_named("users")], no_progress)
    assert await rebuild_leftovers(database) == 0


async def test_a_replay_of_an_operator_is_dropped_by_a_projector(as_role: As) -> None:
    operator, projector = await as_role(Role.OPERATOR), await as_role(Role.PROJECTOR)
    await append_bodies(operator, [renamed(1)])
    assert await replay(operator, Replay("as_then", 1), no_progress, processes=1) == 1
    reader = await as_role(Role.READER)
    assert len(await reader.fetch("SELECT * FROM as_then.users")) == 1
    await drop_replay(projector, "as_then")


async def test_migrate_hands_over_what_an_older_release_made(
    database: Database, as_role: As
) -> None:
    await database.fetch("ALTER TABLE state.users OWNER TO CURRENT_USER")
    await database.fetch("ALTER FUNCTION state.at OWNER TO CURRENT_USER")
    await database.fetch("ALTER VIEW directory.users OWNER TO CURRENT_USER")
    await database.fetch("CREATE SCHEMA rebuild_users_0123abcd")
    await database.fetch("CREATE TABLE rebuild_users_0123abcd.users ()")
    await migrate(database)
    await assert_all_belongs_to_projectors(database)
    await rebuild(await as_role(Role.PROJECTOR), [projection_named("users")], no_progress)
    assert await rebuild_leftovers(database) == 0


async def test_an_operator_reconciles_recovers_and_reads(as_role: As) -> None:
    operator, zoom = await as_role(Role.OPERATOR), ZoomAccount()
    zoom.has("u1", company="Acme")
    async with replica(await as_role(Role.PROJECTOR)):
        assert (await run_of(operator, zoom, Section.USERS))[Section.USERS].complete
        assert (await logged(operator)).count("rest.user_observed") == 1
        for number, source in enumerate(
            ("import", "quarantine", "recovered", "declared", "operator")
        ):
            await append(operator, [delivery(renamed(number))], source=source)  # type: ignore[arg-type]
        await until_folded(operator)
    assert await retry_dead_letters(operator) == (0, [])
    assert (await read_page(operator, await cursor_at_start(operator))).lines
    assert not (await verify_chain(operator, None, no_progress)).findings


async def test_an_operator_works_the_quarantine_off(database: Database, as_role: As) -> None:
    operator = await as_role(Role.OPERATOR)
    await kept(database, suspect(), suspect())
    assert len(await list_rows(operator)) == 2
    assert (await reverify(operator, [OTHER_SECRET])).appended == 2
    await kept(database, suspect())
    assert await purge(operator) == 1


# ---- and what it must not -----------------------------------------------------------------------------

RELATIONS = """
    SELECT format('%I.%I', c.relnamespace::regnamespace, c.relname) FROM pg_class c
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S') AND c.relnamespace = ANY ($1::regnamespace[])
"""
# With nulls the planner does without a strict function, and without asking who may call it.
CALLS = """
    SELECT p.proname, format('%I.%I(%s)', n.nspname, p.proname, (
        SELECT string_agg('NULL::' || t::regtype, ', ') FROM unnest(p.proargtypes) t))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prorettype <> 'trigger'::regtype AND NOT p.proisstrict AND n.nspname = ANY ($1::text[])
"""
CALLABLE = """
    SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY ($1::text[])
      AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
"""
NOTHING = "'{}', '{}', '{}', '{}', '{}', '{}'"


async def assert_refused(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetch(statement)


# They tell whether bytes that the caller has are in the log, and nothing of what it holds.
INGRESS_CALLS = {
    *("append_webhooks", "keep", "count_refusals"),
    *("epoch", "epoch_after", "note_losses"),
}


async def test_an_ingress_reads_nothing_back(database: Database, as_role: As) -> None:
    ingress = await as_role(Role.INGRESS)
    relations = {row[0] for row in await database.fetch(RELATIONS, SCHEMAS)}
    assert {"log.events", "log.quarantine", "state.users", "directory.users"} <= relations
    for relation in relations - {"projector.migrations"}:
        await assert_refused(ingress, f"SELECT 1 FROM {relation} LIMIT 1")
        await assert_refused(ingress, f"TABLE {relation}")
    calls = dict(map(tuple, await database.fetch(CALLS, SCHEMAS)))
    assert {"append_webhooks", "keep", "append", "read", "hold_leases"} <= set(calls)
    assert set(calls) >= INGRESS_CALLS
    for name in set(calls) - INGRESS_CALLS:
        await assert_refused(ingress, f"SELECT {calls[name]}")
    callable_by_name = await ingress.fetch(CALLABLE, SCHEMAS)
    assert sorted(row[0] for row in callable_by_name) == sorted(INGRESS_CALLS)


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT log.append({NOTHING}, 'rest', '{{}}', '{{}}')",
        f"SELECT log.append({NOTHING}, 'webhook', '{{}}', '{{}}')",
        "INSERT INTO log.events (position) VALUES (1)",
        "INSERT INTO log.digests VALUES (1, '', 1)",
        "DELETE FROM log.quarantine",
        "UPDATE projector.migrations SET serves = 0",
        "CREATE TABLE public.mine (n int)",
        "CREATE SCHEMA mine",
        "SET ROLE projector_projector",
    ],
)
async def test_an_ingress_does_nothing_else(as_role: As, statement: str) -> None:
    await assert_refused(await as_role(Role.INGRESS), statement)


CHANGES_OF_THE_LOG = (
    "INSERT INTO log.events (position) VALUES (1)",
    "UPDATE log.events SET body = NULL",
    "DELETE FROM log.events",
    "TRUNCATE log.events",
    "DROP TABLE log.events CASCADE",
    "ALTER TABLE log.events DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "CREATE TABLE log.mine (n int)",
    "ALTER SCHEMA log RENAME TO mine",
    "INSERT INTO log.digests VALUES (1, '', 1)",
    "DELETE FROM log.digests",
    "INSERT INTO log.seals VALUES (1, sha256(''), 1)",
    "DELETE FROM log.seals",
    "INSERT INTO log.epochs VALUES (9, gen_random_uuid(), '')",
    "UPDATE projector.migrations SET serves = 0",
    "DROP SCHEMA projector CASCADE",
    "SELECT rolpassword FROM pg_authid",
)


@pytest.mark.parametrize("statement", CHANGES_OF_THE_LOG)
@pytest.mark.parametrize("role", [Role.PROJECTOR, Role.OPERATOR])
async def test_neither_projector_nor_operator_changes_the_log(
    database: Database, as_role: As, role: Role, statement: str
) -> None:
    await append_bodies(database, [renamed(1)])
    await assert_refused(await as_role(role), statement)


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT log.append({NOTHING}, 'operator', '{{}}', '{{}}')",
        f"SELECT log.append_webhooks({NOTHING}, '{{}}', '{{}}')",
        "SELECT log.keep('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', 1, 1)",
        "SELECT log.make_room(1, 1)",
        "SELECT body FROM log.quarantine",
        "SELECT signature_header FROM log.quarantine",
        "DELETE FROM log.quarantine",
        "DELETE FROM observations.leases",
        "INSERT INTO observations.leases (account_id, owner) VALUES ('A', 'me')",
        "SET ROLE projector_operator",
    ],
)
async def test_a_projector_appends_nothing(as_role: As, statement: str) -> None:
    await assert_refused(await as_role(Role.PROJECTOR), statement)


# ---- functions that do more than their caller may ------------------------------------------------------

DEFINERS = """
SELECT p.oid::regprocedure::text, n.nspname, p.proconfig,
       has_function_privilege('public', p.oid, 'EXECUTE') AS everybody,
       has_schema_privilege('public', n.oid, 'USAGE') AS reachable, p.proowner::regrole::text
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname = ANY ($1::text[])
"""


async def test_what_runs_with_its_owners_rights_is_pinned_and_not_everybodys(
    database: Database,
) -> None:
    rows = await database.fetch(DEFINERS, SCHEMAS)
    assert {"log.append_webhooks", "log.keep"} <= {row[0].partition("(")[0] for row in rows}
    for function, schema, settings, everybody, reachable, owner in rows:
        assert "search_path=pg_catalog, pg_temp" in settings, function
        # Views call functions of `state` with their reader's rights; nobody can call those by name.
        assert not reachable, function
        if schema == "state":
            assert owner == "projector_projector", function
        else:
            assert not everybody, function


async def test_nothing_in_the_log_may_be_called_by_everybody(database: Database) -> None:
    rows = await database.fetch(
        "SELECT p.oid::regprocedure::text FROM pg_proc p "
        "WHERE p.pronamespace IN ('log'::regnamespace, 'projector'::regnamespace) "
        "AND has_function_privilege('public', p.oid, 'EXECUTE')"
    )
    assert [row[0] for row in rows] == []


@pytest.mark.parametrize("read", ["directory.users", "log.epochs"])
async def test_a_swap_waits_for_older_snapshots_that_a_projector_cannot_see(
    database: Database, as_role: As, read: str
) -> None:
    projector = await as_role(Role.PROJECTOR)
    async with database.transaction(isolation="repeatable_read") as reader:
        await reader.fetch(f"SELECT FROM {read}")
        pid = await reader.fetchval("SELECT pg_backend_pid()")
        seen = await projector.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)
        assert seen is None
        assert len(await projector.fetchval("SELECT projector.earlier_readers()")) == 1
    assert await projector.fetchval("SELECT projector.earlier_readers()") == []
