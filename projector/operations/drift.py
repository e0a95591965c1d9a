"""Drift, worked off: what heals it, and what somebody can only acknowledge."""

import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple

from projector.database import Database
from projector.errors import ProjectorError
from projector.observations.leaves import OTHERWISE_TYPED
from projector.operations.acts import About, Act, record
from projector.state.drift import Drifting, list_drift
from projector.zoom.catalogue import CATALOGUE, USER_OBSERVED

# The fields of a profile that Zoom's REST API tells.
_TOLD: Final = frozenset(CATALOGUE.by_sent_name[USER_OBSERVED].reads or ())

ACKNOWLEDGE: Final = "acknowledge"


class NoDrift(ProjectorError):
    """There is no such drift, or it is not clear which is meant."""


class Acknowledged(NamedTuple):
    """The rows that were acknowledged, and the position of the act of each."""

    rows: Sequence[Drifting]
    acts: Sequence[int]


def remedy(entity: str, entity_id: str, path: str) -> str:
    """The command that heals drift at a path: a `reconcile`, or ACKNOWLEDGE where no reading helps."""
    names = tuple(path.split("."))
    if names in OTHERWISE_TYPED.get(entity, ()):
        return ACKNOWLEDGE
    match entity:
        case "user" if names[0] in _TOLD:
            return f"projector reconcile --person {shlex.quote(entity_id)}"
        case "user_settings":
            return f"projector reconcile --person {shlex.quote(entity_id)}"
        case "group":
            return "projector reconcile --only groups"
        case "group_settings" | "group_locks":
            return "projector reconcile --only settings"
        case _:
            return ACKNOWLEDGE


async def selected(
    database: Database,
    entity: str,
    entity_id: str,
    path: str | None,
    account: str | None,
    *,
    acknowledged: bool | None = False,
) -> list[Drifting]:
    """Return the drift of an entity, or at one path of it. Raises NoDrift where there is none.

    Also where it stands in several accounts and none is named.
    """
    rows = await list_drift(
        database, acknowledged=acknowledged, entity=entity, entity_id=entity_id, path=path, account=account
    )  # fmt: skip
    if not rows:
        raise NoDrift("there is no such drift; `projector drift list` shows what there is")
    accounts = sorted({row.account_id for row in rows})
    if len(accounts) > 1:
        raise NoDrift(f"several accounts have it; name one with --account: {', '.join(accounts)}")
    return rows


async def acknowledge(
    database: Database,
    entity: str,
    entity_id: str,
    path: str | None,
    *,
    account: str | None,
    reason: str,
    who: str,
) -> Acknowledged:
    """Acknowledge the drift of an entity, or at one path of it; what another event reports there counts.

    The rows leave the view once the acts are folded. Raises NoDrift.
    """
    rows = await selected(database, entity, entity_id, path, account)
    about = [
        About(
            {
                "id": row.entity_id,
                "entity": row.entity,
                "path": row.path,
                "event": row.digest,
                "reason": reason,
            },
            row.account_id,
        )
        for row in rows
    ]
    return Acknowledged(rows, await record(database, Act.DRIFT_ACKNOWLEDGED, who, *about))
