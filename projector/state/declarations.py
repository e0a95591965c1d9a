"""Declarations: what stands declared at a moment, and whom and what a declaration may name."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from projector.database import Database, Queryable
from projector.folding.tables import STANDS
from projector.statements import queries

_SQL: Final = queries("state")

Kind = Literal["model", "ranking", "primary_group"]
By = Literal["id", "email"]

# The statements.
_DECLARED: Final[dict[Kind, str]] = {
    "model": "declared_model",
    "ranking": "declared_ranking",
    "primary_group": "declared_primary_group",
}
_PEOPLE_BY: Final[dict[By, str]] = {"id": "people_by_id", "email": "people_by_email"}


class Declared(NamedTuple):
    """What stands declared at a moment: since when, and until when, if not for ever; epoch milliseconds."""

    value: Any
    since_ms: int
    until_ms: int | None


class Somebody(NamedTuple):
    """A user; `primary_group_id` is null where no event told it."""

    user_key: str
    user_id: str
    primary_group_id: str | None


async def declared(
    database: Queryable, kind: Kind, account: str, moment: datetime | None, keys: Sequence[str]
) -> dict[str, Declared]:
    """Return what stands declared with the events up to a moment, or all, folded; also null, once taken back.

    By the key of the user; of a model or a ranking by "".
    """
    rows = await database.fetch(_SQL[_DECLARED[kind]], account, moment, keys)
    return {
        row["user_key"]: Declared(
            None if row["value"] is None else json.loads(row["value"]),
            _time_ms(row["folded"]),
            None if row["until"] == STANDS else _time_ms(row["until"]),
        )
        for row in rows
    }


def _time_ms(order: bytes) -> int:
    """The event time in an order."""
    return int.from_bytes(order[:8], "big")


async def unfolded_declaration(database: Database) -> int | None:
    """Return the position of the newest declaration that is not folded yet; None where there is none."""
    position: int | None = await database.fetchval(_SQL["unfolded_declaration"])
    return position


async def groups_of(database: Queryable, account: str) -> dict[str, str | None]:
    """Return the names of an account's groups by id."""
    return {row[0]: row[1] for row in await database.fetch(_SQL["groups_of"], account)}


async def people(
    database: Queryable, account: str, by: By, asked: AbstractSet[str]
) -> dict[str, list[Somebody]]:
    """Return the users of an account by the keys or the lower-cased e-mails asked for."""
    found: dict[str, list[Somebody]] = {}
    for row in await database.fetch(_SQL[_PEOPLE_BY[by]], account, sorted(asked)):
        found.setdefault(row["asked"], []).append(Somebody(*list(row)[1:]))
    return found
