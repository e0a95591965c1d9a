"""The migrations, and the check that a database's schema and this code serve each other."""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from projector.database import Queryable
from projector.errors import SchemaMismatch
from projector.statements import queries, sql_root

_SQL: Final = queries("schema")

_FILE: Final = re.compile(r"(\d{4})_[a-z_]+\.sql")
_SERVES: Final = re.compile(r"-- serves: (\d+)\n")


class Migration(NamedTuple):
    """A step of the schema. `serves`: the number of the oldest code that the result still serves."""

    number: int
    name: str
    serves: int
    text: str


@cache
def migrations(folder: Path | None = None) -> list[Migration]:
    """Return all migrations in order; raises ValueError for a gap in the numbers or a missing header."""
    found = []
    for path in sorted((folder or sql_root() / "migrations").glob("*.sql")):
        named, text = _FILE.fullmatch(path.name), path.read_text(encoding="utf-8")
        serves = _SERVES.match(text)
        if named is None or serves is None:
            raise ValueError(
                f"{path.name}: give it a name like 0001_log.sql and a first line '-- serves: N'"
            )
        found.append(Migration(int(named[1]), path.stem, int(serves[1]), text))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3 and so on")
    return found


async def read_applied(database: Queryable) -> tuple[int, int]:
    """Return the number of the newest migration, and that of the oldest code that the schema serves."""
    row = (await database.fetch(_SQL["applied"]))[0]
    return int(row[0]), int(row[1])


async def check_schema(database: Queryable) -> None:
    """Raise SchemaMismatch unless the schema has what this code needs and still serves it."""
    try:
        applied, serves = await read_applied(database)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        raise SchemaMismatch("the database has no schema yet; run `projector migrate`") from None
    needed = len(migrations())
    if applied < needed:
        raise SchemaMismatch(
            f"the schema is at migration {applied} and this code needs {needed}; "
            "run `projector migrate`"
        )
    if serves > needed:
        raise SchemaMismatch(too_old(serves, needed))


def too_old(serves: int, number: int) -> str:
    """Return the message for a schema that no longer serves code of this number."""
    return (
        f"the schema serves code from migration {serves} on and this code is of {number}; "
        "run a newer release of the projector"
    )
