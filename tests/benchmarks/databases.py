"""Databases to measure on: migrated, each with a unique name."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg

from projector.database import open_database
from projector.embedded import EmbeddedServer
from projector.schema.migrate import migrate

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def server(url: str | None, folder: Path) -> Iterator[str]:
    """The URL of the given server, or of an embedded one with the product's own settings."""
    if url is not None:
        yield url
        return
    folder.chmod(0o711)  # the server's account must reach its own folder in it
    with EmbeddedServer(folder / "database") as embedded:
        yield embedded.dsn


@asynccontextmanager
async def fresh(server_url: str) -> AsyncIterator[str]:
    """The URL of a new, migrated database; dropped on the way out."""
    name = f"benchmark_{os.getpid()}_{os.urandom(4).hex()}"
    admin = await asyncpg.connect(server_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        url = _named(server_url, name)
        try:
            database = await open_database(url)
            await migrate(database)
            await database.close()
            yield url
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)", timeout=600)
    finally:
        await admin.close()


def _named(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{quote(name)}" + (f"?{query}" if query else "")


async def settle(url: str) -> None:
    """Flush what earlier work left unwritten: it would slow down the next measurement."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT", timeout=600)
    except asyncpg.InsufficientPrivilegeError:
        return  # a given server may not permit it; rounds then start less evenly
    finally:
        await connection.close()


async def forget_state(url: str) -> None:
    """Empty every projection and set its checkpoint to the start of the log."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'state' "
            "AND tablename NOT IN ('checkpoints', 'replicas', 'rebuilds')"
        )
        await connection.execute(f"TRUNCATE {', '.join('state.' + row['name'] for row in tables)}")
        await connection.execute(
            "UPDATE state.checkpoints "
            "SET position = 0, digest = NULL, owner = NULL, epoch = epoch + 1"
        )
    finally:
        await connection.close()


async def server_facts(url: str) -> dict[str, str | bool]:
    """The server's properties that figures depend on: version, compression, durability."""
    async with fresh(url) as other:
        connection = await asyncpg.connect(other)
        try:
            lz4 = await connection.fetchval(
                "SELECT attcompression = 'l' FROM pg_attribute "
                "WHERE attrelid = 'log.events'::regclass AND attname = 'body'"
            )
            version = await connection.fetchval("SHOW server_version")
            buffers = await connection.fetchval("SHOW shared_buffers")
            settings = {name: await connection.fetchval(f"SHOW {name}") for name in DURABLE}
        finally:
            await connection.close()
    return {
        "postgresql": version,
        "shared_buffers": buffers,
        "body_compression": "lz4" if lz4 else "server default (no lz4)",
        "durable": all(value == "on" for value in settings.values()),
    }
