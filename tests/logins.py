"""Logins that have one of the roles alone, on a server of a test."""

import os
import pwd
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from projector.database import Database
from projector.schema.roles import Role, grant


async def admit_everybody(dsn: str) -> None:
    """Let this account of the system in as any login; the embedded server knows one alone, its superuser."""
    names = Path(parse_qs(urlsplit(dsn).query)["host"][0]).parent / "pg_ident.conf"
    if not names.exists():
        return  # a server that trusts whoever reaches its socket
    line = f'projector "{pwd.getpwuid(os.geteuid()).pw_name}" all\n'
    if line not in names.read_text():
        with names.open("a") as file:
            file.write(line)
        connection = await asyncpg.connect(dsn)
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()


def url_as(dsn: str, login: str) -> str:
    """The URL by which a login comes to a database."""
    return dsn.replace("//projector@", f"//{login}@")


async def login_with(database: Database, dsn: str, role: Role) -> str:
    """Make a login with one role; returns its URL."""
    await admit_everybody(dsn)
    login = f"roles_test_{role.name.lower()}"
    await grant(database, role, login, create=True)
    return url_as(dsn, login)
