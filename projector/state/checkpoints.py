"""Checkpoints: how far each projection has folded, and which replica holds the lease on it.

A lease is lost as soon as the checkpoint's epoch changes. Time-outs are in seconds.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from projector.database import Queryable
from projector.statements import queries

_SQL: Final = queries("state")


class Checkpoint(NamedTuple):
    """A projection's position, the digest of its event there, and its epoch."""

    position: int
    digest: bytes | None
    epoch: int


class LeaseState(NamedTuple):
    """A checkpoint, and whether the replica that asked holds the lease on it."""

    projection: str
    version: int
    position: int
    epoch: int
    held: bool


async def read_checkpoint(
    database: Queryable, projection: str, *, timeout: float | None = None
) -> Checkpoint:
    """Return the checkpoint of a projection, which `migrate` has created."""
    row = (await database.fetch(_SQL["checkpoint"], projection, timeout=timeout))[0]
    return Checkpoint(row["position"], row["digest"], row["epoch"])


async def fence_checkpoint(database: Queryable, projection: str) -> Checkpoint:
    """Lock a checkpoint and raise its epoch: the lease's holder can write no more."""
    return Checkpoint(*(await database.fetch(_SQL["fence_checkpoint"], projection))[0])


async def note_error(
    database: Queryable, projection: str, error: str | None, epoch: int, *, timeout: float
) -> None:
    """Set or clear the error that `status` shows for a projection, if the epoch is still this one."""
    await database.fetch(_SQL["note_error"], projection, error, epoch, timeout=timeout)


async def hold_leases(
    database: Queryable, replica: str, versions: Mapping[str, int], ttl: timedelta
) -> list[LeaseState]:
    """Renew a replica's leases, and take or release leases to reach its share; returns every checkpoint.

    `versions`: the version of each projection that the replica folds.
    """
    rows = await database.fetch(
        _SQL["hold_leases"],
        replica, list(versions), list(versions.values()), ttl,
        timeout=ttl.total_seconds(),
    )  # fmt: skip
    return [LeaseState(*row) for row in rows]


async def release_leases(database: Queryable, replica: str, *, timeout: float) -> None:
    """Release every lease of a replica that stops."""
    await database.fetch(_SQL["release_leases"], replica, timeout=timeout)
