"""The roles that `migrate` makes, and giving one to a login."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import asyncpg

from projector.database import Connection, Database, Queryable
from projector.errors import ConfigurationError, ProjectorError, SchemaMismatch
from projector.statements import queries

_SQL: Final = queries("roles")

LONGEST_NAME: Final = 63  # bytes
SALT_BYTES: Final = 16
# What PostgreSQL itself takes, so that a server need not work harder for one login than for another.
ITERATIONS: Final = 4096


class Role(StrEnum):
    """What a login may do; README, Run it for real."""

    READER = "directory_reader"
    INGRESS = "projector_ingress"
    PROJECTOR = "projector_projector"
    OPERATOR = "projector_operator"


class GrantRefused(ProjectorError):
    """The role cannot be given to that login."""


@dataclass(frozen=True)
class Granted:
    """What was done. `had`: the login had the role before."""

    made: bool
    password_set: bool
    had: bool


def verifier(password: str) -> str:
    """Return what PostgreSQL stores in place of a password: the password itself never leaves this process.

    Raises ConfigurationError for what cannot be a password in every client.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise ConfigurationError(
            "the password must be printable ASCII, one line of it; choose another one"
        )
    salt = secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_b64(salt)}${_b64(stored)}:{_b64(server)}"


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


async def missing_right(database: Queryable) -> str | None:
    """Return a sentence that says which right only the database's owner can give, or None.

    A rebuild by a projector of its own login makes a schema for the new rows.
    """
    rows = await database.fetch(_SQL["lacks_create"])
    if not rows:
        return None
    return (
        f"a projector with a login of its own cannot rebuild yet: run `{rows[0][0]}` as the owner of the "
        "database"
    )


async def grant(
    database: Database,
    role: Role,
    login: str,
    *,
    create: bool = False,
    password: str | None = None,
    first_password: str | None = None,
) -> Granted:
    """Give a role to a login. `create`: make the login where there is none.

    `password` becomes its password; without one `first_password` does, but of a new login alone.
    It may run again. Raises GrantRefused where there is no such login, where it needs no role, or where this
    database role may not grant; SchemaMismatch where `migrate` has not made the role yet.
    """
    if login in tuple(Role):
        raise GrantRefused(f"{login} is no login but one of the roles; name the login that gets it")
    if len(login.encode()) > LONGEST_NAME:
        raise GrantRefused(
            f"a login has a name of at most {LONGEST_NAME} bytes; choose a shorter one"
        )
    stored, first = (None if p is None else verifier(p) for p in (password, first_password))
    try:
        async with database.transaction() as connection:
            made, had = await _made_and_had(connection, role, login, create)
            if made:
                await _run(connection, "create_login", login, stored or first)
            elif stored is not None:
                await _run(connection, "set_password", login, stored)
            if not had:
                await _run(connection, "grant", role, login)
            return Granted(made, stored is not None, had)
    except asyncpg.InsufficientPrivilegeError as error:
        raise GrantRefused(
            f"this database role may not give {role} to {login} ({error.args[0]}); run this as the role that "
            "ran `projector migrate`, or as a superuser"
        ) from error
    except asyncpg.ReservedNameError as error:
        raise GrantRefused(f"{login} is a name that PostgreSQL keeps; choose another") from error


async def _made_and_had(
    connection: Connection, role: Role, login: str, create: bool
) -> tuple[bool, bool]:
    """Return whether the login must be made, and whether it has the role; raises for what cannot be."""
    if not await connection.fetchval(_SQL["made_by_migrate"], role):
        raise SchemaMismatch(f"there is no role {role} yet; run `projector migrate`")
    found = await connection.fetchrow(_SQL["login"], login, role)
    if found is None and not create:
        raise GrantRefused(f"there is no login {login}; --create makes it")
    if found is not None and found["rolsuper"]:
        raise GrantRefused(f"{login} is a superuser and may do everything; name another login")
    if found is not None and create and not found["rolcanlogin"]:
        raise GrantRefused(
            f"{login} is a group of roles and cannot log in; name another login, or leave out --create"
        )
    return found is None, found is not None and found["has"]


async def _run(connection: Connection, name: str, *arguments: str | None) -> None:
    """Have the server quote the arguments of a statement, then run it."""
    await connection.execute(await connection.fetchval(_SQL[name], *arguments))
