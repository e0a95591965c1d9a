"""The migrations that there are, and whether a database's schema and this code serve each other."""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from projector.database import Queryable
from projector.errors import SchemaMismatch
from projector.statements import sql_root

_FILE: Final = re.compile(r"(\d{4})_[a-z_]+\.sql")
_SERVES: Final = re.compile(r"-- serves: (\d+)\n")


class Migration(NamedTuple):
    """A step of the schema. `serves` is the number of the oldest code that the result still serves."""

    number: int
    name: str
    serves: int
    text: str


@cache
def migrations(folder: Path | None = None) -> list[Migration]:
    """All migrations in order; raises ValueError where numbers have gaps or a header is missing."""
    found = []
    for path in sorted((folder or sql_root() / "migrations").glob("*.sql")):
        named, text = _FILE.fullmatch(path.name), path.read_text(encoding="utf-8")
        serves = _SERVES.match(text)
        if named is None or serves is None:
            raise ValueError(
                f"{path.name}: a name like 0001_log.sql and a first line '-- serves: N'"
            )
        found.append(Migration(int(named[1]), path.stem, int(serves[1]), text))
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3 and so on")
    return found


async def check_schema(database: Queryable) -> None:
    """Raise SchemaMismatch unless the schema has what this code needs and still serves it."""
    try:
        rows = await database.fetch(
            "SELECT coalesce(max(number), 0), coalesce(max(serves), 0) FROM projector.migrations"
        )
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        raise SchemaMismatch("the database has no schema yet; run `projector migrate`") from None
    applied, serves = rows[0]
    needed = len(migrations())
    if applied < needed:
        raise SchemaMismatch(
            f"the schema is at migration {applied} and this code needs {needed}; "
            "run `projector migrate`"
        )
    if serves > needed:
        raise SchemaMismatch(too_old(serves, needed))


def too_old(serves: int, number: int) -> str:
    """The sentence for a schema that no longer serves code of this number."""
    return (
        f"the schema serves code from migration {serves} on and this code is of {number}; "
        "run a newer release of the projector"
    )
