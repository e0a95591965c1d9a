"""The quarantine, worked off: verified again with a new secret, or purged."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from projector.config import Settings
from projector.database import Database
from projector.errors import ConfigurationError, ProjectorError
from projector.log import quarantine
from projector.log.quarantine import Reverified
from projector.operations.acts import About, Act, record, record_within


class NotQuarantined(ProjectorError):
    """The quarantine has no such row."""


class Purged(NamedTuple):
    """How many rows were deleted, and the position of the act; None where there were none."""

    rows: int
    act: int | None


def secrets_of(settings: Settings) -> Sequence[bytes]:
    """Return the secrets to verify with. Raises ConfigurationError where there is none."""
    secrets = settings.secrets()
    if not secrets:
        raise ConfigurationError(
            "no secret to verify with: set PROJECTOR_ZOOM_SECRET_TOKENS to the one that was missing"
        )
    return secrets


async def reverify(
    database: Database, secrets: Sequence[bytes], who: str
) -> tuple[Reverified, int | None]:
    """Append what a secret verifies by now; returns what came of it, and the position of the act.

    None where nothing left the quarantine.
    """
    done = await quarantine.reverify(database, secrets)
    if not done.appended and not done.duplicates:
        return done, None
    [act] = await record(database, Act.QUARANTINE_REVERIFIED, who, About(done._asdict()))
    return done, act


async def purge(
    database: Database,
    who: str,
    *,
    ids: Sequence[int] | None = None,
    before: datetime | None = None,
    reason: str | None = None,
) -> Purged:
    """Delete rows of these ids, received before a time, or all; the act is of the same commit.

    Raises NotQuarantined where one of the ids is none, and deletes nothing then.
    """
    async with database.transaction() as connection:
        if ids is not None:
            missing = set(ids) - await quarantine.present(connection, ids)
            if missing:
                raise NotQuarantined(
                    f"the quarantine has no row {', '.join(map(str, sorted(missing)))}, so nothing was "
                    "deleted; `projector quarantine list` shows what it has"
                )
        rows = await quarantine.purge(connection, before=before, ids=ids)
        if not rows:
            return Purged(0, None)
        told = {
            "rows": rows,
            "ids": None if ids is None else sorted(set(ids)),
            "before": None if before is None else before.isoformat(),
            "reason": reason,
        }
        told = {name: value for name, value in told.items() if value is not None}
        act = await record_within(connection, Act.QUARANTINE_PURGED, who, About(told))
    return Purged(rows, act)
