"""Whether a login may read the directory, and as whom."""

from typing import Final, NamedTuple

import asyncpg

from projector.database import Connection
from projector.errors import SchemaMismatch
from projector.schema.roles import Role
from projector.statements import queries

_SQL: Final = queries("schema")


class Rights(NamedTuple):
    """What a login may do about the directory.

    `becomes_reader`: it may take the role directory_reader. `only_reads`: of the projector's schemas it may
    use `directory` alone, so it is no more than a reader whatever role it takes.
    """

    login: str
    becomes_reader: bool
    only_reads: bool


async def read_rights(connection: Connection) -> Rights:
    """Return the rights of a connection's login. Raises SchemaMismatch where there is no directory."""
    row = await connection.fetchrow(_SQL["reader_rights"])
    if row is None or not row["has_directory"]:
        raise SchemaMismatch("the database has no directory yet; run `projector migrate`")
    return Rights(row["login"], await _becomes_reader(connection), row["only_reads"])


def check_reader(rights: Rights) -> None:
    """Raise SchemaMismatch where a login may not take the role directory_reader."""
    if not rights.becomes_reader:
        raise SchemaMismatch(
            f"the login {rights.login} may not take the role {Role.READER}; run "
            f"`projector grant {Role.READER} {rights.login}` as the owner of the schema"
        )


async def _becomes_reader(connection: Connection) -> bool:
    """Try it: what that takes, beside membership, changed with PostgreSQL's releases."""
    try:
        async with connection.transaction():
            await connection.execute(_SQL["become_reader"])
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError):
        return False
    return True
