"""What is missing before anything is read: scopes that the app lacks, events that never came."""

from typing import Final, NamedTuple

from projector.database import Database
from projector.rest.client import RestClient
from projector.rest.endpoints import (
    ACCOUNT_SETTINGS,
    GROUP,
    GROUP_ADMINS,
    GROUP_LOCKS,
    GROUP_MEMBERS,
    GROUP_SETTINGS,
    GROUPS,
    ROLES,
    USER,
    USER_SETTINGS,
    USERS,
    missing_scopes,
)
from projector.statements import queries
from projector.zoom.catalogue import EVENTS

_SQL: Final = queries("observations")

# What every account can grant; its locks, and the delivery log, are for few.
_WANTED: Final = (
    USERS, USER, USER_SETTINGS, ROLES, GROUPS, GROUP, GROUP_MEMBERS, GROUP_ADMINS, GROUP_SETTINGS,
    GROUP_LOCKS, ACCOUNT_SETTINGS,
)  # fmt: skip


class Forecast(NamedTuple):
    """The scopes that the app lacks by what its token says, and the events of which none ever came."""

    missing_scopes: list[str]
    never_received: list[str]


async def forecast(client: RestClient, database: Database) -> Forecast:
    """Ask for the token's scopes and for the directory's freshness; raises what the client raises."""
    scopes = missing_scopes(await client.scopes(), _WANTED)
    rows = await database.fetch(_SQL["events_received"], client.account_id)
    received = {row[0] for row in rows}
    return Forecast(sorted(scopes), [event for event in EVENTS if event not in received])
