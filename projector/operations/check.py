"""All checks: reads part by part, and judges. What cannot be read is a finding too."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg

from projector.config import Settings
from projector.database import UNAVAILABLE, open_database
from projector.database_reasons import went_away
from projector.errors import ConfigurationError, DatabaseUnavailable
from projector.operations.disk import room_in, servers_folder
from projector.operations.finding import Finding, worst_first
from projector.operations.of_coverage import of_coverage, of_epoch, of_losses
from projector.operations.of_deliveries import (
    TOLD,
    accounts_of,
    of_events_never_received,
    of_quarantine,
    of_refusals,
    of_silence,
)
from projector.operations.of_folding import of_dead_letters, of_drift, of_projections
from projector.operations.of_server import (
    disk_full,
    not_checked,
    of_database,
    of_room,
    of_schema,
    read_only,
)
from projector.operations.of_settings import not_subscribed, of_not_subscribed, of_settings
from projector.operations.reading import Reader
from projector.rest.session import has_credentials
from projector.schema.migrations import migrations, read_applied

# A statement that takes longer is given up, and told of.
STATEMENT_SECONDS: Final = 10.0

Part = Callable[[], Awaitable[Iterable[Finding]]]


async def check(
    settings: Settings, url: str | ConfigurationError, own_folder: Path | None = None
) -> list[Finding]:
    """Everything that is wrong, worst first; `url`: of the database, or why there is none.

    `own_folder`: where the embedded server keeps its data, where that is meant. Raises ConfigurationError
    where a setting cannot be read.
    """
    found = list(of_settings(settings))
    left_out = not_subscribed(settings)
    if own_folder is not None:
        found += of_room(room_in(own_folder))
    try:
        if isinstance(url, ConfigurationError):
            raise url
        database = await open_database(url, size=2)
        try:
            checks = Checks(settings, Reader(database, STATEMENT_SECONDS), left_out)
            found += await checks.run(folder_known=own_folder is not None)
        finally:
            await database.close()
    except (DatabaseUnavailable, ConfigurationError) as error:
        found.append(of_database(error))
    if disk_full() in found:  # what the server says of its disk is enough
        found = [one for one in found if one == disk_full() or not one.code.startswith("disk-")]
    return worst_first(found)


class Checks:
    """The checks of one database that answers."""

    def __init__(self, settings: Settings, reader: Reader, left_out: frozenset[str]) -> None:
        self._settings = settings
        self._read = reader
        self._left_out = left_out

    async def run(self, *, folder_known: bool) -> list[Finding]:
        """Every finding. Raises DatabaseUnavailable where the database goes away meanwhile."""
        found = await self._of("schema", self._schema)
        if any(one.code in ("schema-behind", "schema-newer", "not-checked") for one in found):
            return found
        parts: tuple[tuple[str, Part], ...] = (
            ("disk of the database", partial(self._room, folder_known=folder_known)),
            ("projections", self._projections),
            ("dead letters and drift", self._standing),
            ("quarantine", self._quarantine),
            ("refused deliveries", self._refusals),
            ("silence", self._silence),
            ("coverage and epoch", self._coverage),
        )
        for what, part in parts:
            found += await self._of(what, part)
        return found

    async def _of(self, what: str, part: Part) -> list[Finding]:
        try:
            return list(await part())
        except (TimeoutError, asyncpg.QueryCanceledError):
            return [not_checked(what, "the database took too long")]
        except asyncpg.InsufficientPrivilegeError:
            return [not_checked(what, "this database role may not read it")]
        except UNAVAILABLE as error:
            raise went_away(error, "look at its log, and run this again") from None

    async def _schema(self) -> Iterable[Finding]:
        try:
            applied, serves = await read_applied(self._read.database)
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            applied, serves = 0, 0
        return of_schema(applied, serves, len(migrations()))

    async def _room(self, *, folder_known: bool) -> Iterable[Finding]:
        try:
            await self._read.extend()
        except asyncpg.DiskFullError:
            return [disk_full()]
        except asyncpg.ReadOnlySQLTransactionError:
            return [read_only()]
        if folder_known:
            return []
        folder = await servers_folder(self._read)
        return of_room(None if folder is None else room_in(folder))

    async def _projections(self) -> Iterable[Finding]:
        return of_projections(await self._read.projections())

    async def _standing(self) -> Iterable[Finding]:
        now = await self._read.now()
        dead, drift = await self._read.dead_letters(), await self._read.drift()
        return [*of_dead_letters(dead, now), *of_drift(drift, now)]

    async def _quarantine(self) -> Iterable[Finding]:
        settings = self._settings
        return of_quarantine(
            await self._read.quarantine(),
            settings.quarantine_rows,
            settings.quarantine_bytes,
            await self._read.now(),
        )

    async def _refusals(self) -> Iterable[Finding]:
        heard = await self._read.heard()
        last_good = max((one.last for one in heard if one.last is not None), default=None)
        refused = await self._read.refusals(TOLD)
        return of_refusals(refused, last_good, await self._read.now())

    async def _silence(self) -> Iterable[Finding]:
        heard = await self._read.heard()
        accounts = accounts_of(heard, await self._read.activity())
        now = await self._read.now()
        came = {one.event for one in heard if one.last is not None and now - one.last < TOLD}
        return [
            *of_silence(accounts, now, self._left_out),
            *of_events_never_received(accounts, now, self._left_out),
            *of_not_subscribed(self._left_out, came),
        ]

    async def _coverage(self) -> Iterable[Finding]:
        covered, now = await self._read.coverage(), await self._read.now()
        configured = None
        if has_credentials(self._settings):
            configured = (self._settings.zoom_account_id or "").strip()
        return [
            *of_coverage(covered, configured, now),
            *of_epoch(await self._read.epoch(), covered, now),
            *of_losses(await self._read.losses(), covered),
        ]
