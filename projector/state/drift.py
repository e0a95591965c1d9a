"""Drift: list what stands, and what somebody acknowledged."""

import json
from datetime import datetime
from typing import Any, Final, NamedTuple

from projector.database import Queryable
from projector.statements import queries

_SQL: Final = queries("state")


class Drifting(NamedTuple):
    """A row of drift; `known` and `reported` are JSON values.

    `digest`: SHA-256 of the bytes of the event that reported it, in hex. The last three: null unless it
    is acknowledged.
    """

    account_id: str
    entity: str
    entity_id: str
    path: str
    known: Any
    reported: Any
    event_at: datetime
    position: int
    digest: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    reason: str | None


async def list_drift(
    database: Queryable,
    *,
    acknowledged: bool | None = False,
    entity: str | None = None,
    entity_id: str | None = None,
    path: str | None = None,
    account: str | None = None,
) -> list[Drifting]:
    """Return the drift that nobody acknowledged, or what somebody did, or (None) both.

    Of one entity, path or account alone where these are given; ids of people match in any case.
    """
    rows = await database.fetch(_SQL["drift"], acknowledged, entity, entity_id, path, account)
    return [
        Drifting(*row)._replace(known=_value(row["known"]), reported=_value(row["reported"]))
        for row in rows
    ]


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
