"""Who may migrate: a superuser, or a role that may create schemas and roles; on servers without our roles."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from projector.database import Database, connect, open_database
from projector.embedded import EmbeddedServer
from projector.errors import DatabaseUnavailable, SchemaMismatch
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild
from projector.schema.migrate import migrate
from projector.schema.roles import Role, grant, missing_right
from tests.conftest import database_of, run_on
from tests.folders import new_folder
from tests.integration.test_roles import assert_all_belongs_to_projectors
from tests.logins import admit_everybody, login_with, url_as
from tests.other_postgres import found, serving
from tests.runtime_rig import append_bodies, no_progress, rebuild_leftovers, renamed, until

EMBEDDED = "embedded"
OWNER = "roles_test_owner"


@contextmanager
def _embedded() -> Iterator[str]:
    folder = new_folder("projector-tests")
    folder.chmod(0o711)
    try:
        with EmbeddedServer(folder, settings={"fsync": "off"}) as server:
            yield server.dsn
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=[EMBEDDED, *found()])
def unused(request: pytest.FixtureRequest) -> Iterator[str]:
    """DSN of a server without any of our roles."""
    release = request.param
    with _embedded() if release == EMBEDDED else serving(found()[release]) as dsn:
        asyncio.run(admit_everybody(dsn))
        yield dsn


async def owned(dsn: str, name: str, owner: str = OWNER) -> str:
    """A database that belongs to a login; returns the login's URL of it."""
    await run_on(dsn, f"CREATE DATABASE {name} OWNER {owner}")
    return url_as(database_of(dsn, name), owner)


async def migrated(url: str) -> Database:
    database = await open_database(url)
    await migrate(database)
    return database


async def test_databases_that_are_migrated_at_once_share_the_roles(unused: str) -> None:
    for n in range(4):
        await run_on(unused, f"CREATE DATABASE raced_{n}")
    databases = await asyncio.gather(
        *(migrated(database_of(unused, f"raced_{n}")) for n in range(4))
    )
    for database in databases:
        await assert_all_belongs_to_projectors(database)
        await database.close()


async def test_a_role_that_may_create_schemas_and_roles_migrates(unused: str) -> None:
    await run_on(unused, f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    first = await migrated(await owned(unused, "first"))
    await assert_all_belongs_to_projectors(first)
    assert await migrate(first) == []
    assert await missing_right(first) is None
    # It grants, folds what it appends, and rebuilds what a projector rebuilds; and the other way round.
    url = await login_with(first, database_of(unused, "first"), Role.PROJECTOR)
    projector = await open_database(url)
    await append_bodies(first, [renamed(n) for n in range(20)])
    for database in (first, projector, first):
        await rebuild(database, PROJECTIONS, no_progress)
        await assert_all_belongs_to_projectors(first)
    assert await rebuild_leftovers(first) == 0
    second = await migrated(await owned(unused, "second"))
    await assert_all_belongs_to_projectors(second)
    for database in (first, projector, second):
        await database.close()


async def test_another_owner_of_the_same_server_is_told_who_must_migrate(unused: str) -> None:
    await run_on(unused, f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    await run_on(unused, "CREATE ROLE roles_test_other LOGIN")
    await (await migrated(await owned(unused, "first"))).close()
    database = await open_database(await owned(unused, "second", "roles_test_other"))
    with pytest.raises(SchemaMismatch, match="may not migrate"):
        await migrate(database)
    # As the message's reason says, who may give the role lets it.
    await run_on(unused, "GRANT projector_projector TO roles_test_other")
    assert await migrate(database) != []
    await assert_all_belongs_to_projectors(database)
    await database.close()


async def test_who_does_not_own_the_database_is_told_what_its_owner_must_grant(unused: str) -> None:
    await run_on(unused, f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    await run_on(unused, "CREATE DATABASE foreign_one")
    await run_on(unused, f"GRANT CREATE ON DATABASE foreign_one TO {OWNER}")
    database = await migrated(url_as(database_of(unused, "foreign_one"), OWNER))
    said = await missing_right(database)
    assert said is not None
    await rebuild(database, PROJECTIONS, no_progress)  # it may itself
    await run_on(unused, said.split("`")[1])
    assert await missing_right(database) is None
    await database.close()


async def test_a_login_comes_in_with_its_password_and_no_other(unused: str) -> None:
    database = await migrated(database_of(unused, "postgres"))
    for password in ("first s3cret:$'\"%", "second"):
        await grant(database, Role.OPERATOR, "by_password", create=True, password=password)
        await _ask_for_passwords(database, unused)
        url = url_as(database_of(unused, "postgres"), "by_password")
        connection = await asyncpg.connect(url, password=password)
        assert await connection.fetch("SELECT * FROM directory.users") == []
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url, password="wrong")
    await database.close()


async def _ask_for_passwords(database: Database, dsn: str) -> None:
    rules = Path(await database.fetchval("SHOW hba_file"))
    told = "local all by_password scram-sha-256\n"
    text = rules.read_text()
    if not text.startswith(told):
        rules.write_text(told + text)
    await database.fetch("SELECT pg_reload_conf()")
    await until(lambda: _is_asked(dsn))


async def _is_asked(dsn: str) -> bool:
    try:
        await connect(url_as(database_of(dsn, "postgres"), "by_password"))
    except DatabaseUnavailable:
        return True
    return False
