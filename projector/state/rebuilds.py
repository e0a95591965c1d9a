"""The records of rebuilds: who rebuilds which projection, the position of its shadow, and the swap.

At most one rebuild per projection; its claim is valid while it is renewed. Time-outs are in seconds.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from projector.database import Queryable
from projector.statements import queries

_SQL: Final = queries("state")


class SwapLease(NamedTuple):
    """The lease that a rebuild takes for its swap: the live position, and the new epoch."""

    position: int
    epoch: int


class View(NamedTuple):
    """A view's qualified name and the SELECT that defines it."""

    name: str
    definition: str


async def claim_rebuild(
    database: Queryable, projection: str, owner: str, ttl: timedelta
) -> int | None:
    """Claim the rebuild of a projection; returns its epoch, or None if another claim is valid.

    A claim that was not renewed for `ttl` is taken over.
    """
    rows = await database.fetch(_SQL["claim_rebuild"], projection, owner, ttl)
    return int(rows[0][0]) if rows else None


async def renew_rebuilds(database: Queryable, owner: str, *, timeout: float) -> None:
    """Renew every claim of an owner."""
    await database.fetch(_SQL["beat_rebuilds"], owner, timeout=timeout)


async def place_rebuild(
    database: Queryable, projection: str, owner: str, position: int, digest: bytes | None
) -> None:
    """Record the position of the shadow tables, with the digest of the event there."""
    await database.fetch(_SQL["place_rebuild"], projection, owner, position, digest)


async def give_up_rebuild(database: Queryable, projection: str, owner: str) -> None:
    """Delete an owner's claim, if it still has it."""
    await database.fetch(_SQL["give_up_rebuild"], projection, owner)


async def abandoned_rebuilds(database: Queryable, silent_for: timedelta) -> list[str]:
    """Return the projections whose rebuild has not renewed its claim for `silent_for`: it was killed."""
    return [row[0] for row in await database.fetch(_SQL["abandoned_rebuilds"], silent_for)]


async def forget_abandoned_rebuild(
    database: Queryable, projection: str, silent_for: timedelta
) -> bool:
    """Delete the claim of an abandoned rebuild; False if it is gone or was renewed."""
    return bool(await database.fetch(_SQL["forget_abandoned_rebuild"], projection, silent_for))


async def shadow_schemas(database: Queryable, projection: str) -> list[str]:
    """Return the schemas that rebuilds and verifications of a projection have created."""
    return [row[0] for row in await database.fetch(_SQL["shadow_schemas"], projection)]


async def replay_schemas(database: Queryable, name: str, mark: str) -> list[str]:
    """Return the schema of that name, if it is marked as a replay's."""
    return [row[0] for row in await database.fetch(_SQL["replay_schemas"], name, mark)]


async def take_lease(database: Queryable, projection: str, owner: str) -> SwapLease:
    """Take a projection's lease for a swap: its folder can write no more."""
    return SwapLease(*(await database.fetch(_SQL["take_lease"], projection, owner))[0])


async def give_lease_back(database: Queryable, projection: str, owner: str) -> None:
    """Give back a lease that was taken for a swap, if this owner still has it."""
    await database.fetch(_SQL["give_lease_back"], projection, owner)


async def swap_checkpoint(
    database: Queryable,
    projection: str,
    epoch: int,
    position: int,
    digest: bytes | None,
    version: int,
) -> bool:
    """Set a checkpoint to that of the shadow tables; False if the lease is lost."""
    moved = await database.fetch(
        _SQL["swap_checkpoint"], projection, epoch, position, digest, version
    )
    return bool(moved)


async def earlier_readers(database: Queryable) -> list[str]:
    """Return the transactions whose snapshot may be older than the rows written so far."""
    rows = await database.fetch(_SQL["earlier_readers"])
    return list(rows[0][0])


async def act_as_projector(database: Queryable) -> None:
    """Let what the current transaction makes from now on belong to the role of projectors.

    Only the owner of tables and views can replace them, and the next rebuild may run with another login.
    """
    await database.fetch(_SQL["act_as_projector"])


async def act_as_oneself(database: Queryable) -> None:
    """End what act_as_projector began, before the transaction ends."""
    await database.fetch(_SQL["act_as_oneself"])


async def reads_no_view(database: Queryable) -> None:
    """Mark the current transaction as one that swaps need not wait for."""
    await database.fetch(_SQL["reads_no_view"])


async def still_open(database: Queryable, transactions: Sequence[str]) -> list[str]:
    """Return the transactions that have not ended."""
    rows = await database.fetch(_SQL["still_open"], list(transactions))
    return list(rows[0][0])


async def views_on(database: Queryable, tables: Sequence[str]) -> list[View]:
    """Return the views that read any of the tables; names include the schema."""
    return [View(*row) for row in await database.fetch(_SQL["views_on"], list(tables))]
