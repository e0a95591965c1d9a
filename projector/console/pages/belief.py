"""How far to believe what a page shows: what contradicts it, and what was read of Zoom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from projector.console.documents import parsed
from projector.console.snapshot import Snapshot


class Belief(NamedTuple):
    """`drift`: the newest of what is in doubt, of which there is `in_doubt`.

    `since`: when the first event of the account came. `coverage`: rows of the view, by section.
    """

    drift: list[dict[str, Any]]
    in_doubt: int
    since: datetime | None
    coverage: dict[str, asyncpg.Record]


async def belief(read: Snapshot, drift: str, account: str, entity: Sequence[str] | str) -> Belief:
    """Read it for a person or a group of an account. `drift`: the statement that finds what is in doubt."""
    rows = await read.rows(drift, account, entity)
    observed = await read.row("account_observed", account)
    covered = await read.rows("account_coverage", account)
    return Belief(
        [
            {**row, "known": parsed(row["known"]), "reported": parsed(row["reported"])}
            for row in rows
        ],
        rows[0]["total"] if rows else 0,
        observed["since"] if observed else None,
        {row["section"]: row for row in covered},
    )
