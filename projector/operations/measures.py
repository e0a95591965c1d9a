"""What a projecting process shows of the database."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from projector.database_reasons import reason_of
from projector.operations.disk import room_in, servers_folder
from projector.operations.gauges import Values
from projector.operations.of_deliveries import Account, accounts_of
from projector.operations.of_folding import is_stuck
from projector.operations.reading import Reader
from projector.operations.readings import Heard
from projector.operations.rhythm import expected, is_silent
from projector.schema.migrations import migrations, read_applied

NAMED_ACCOUNTS: Final = 20
OTHER: Final = "other"
RECENT_SECONDS: Final = 3600.0
# What changes slowly, and takes longer to read.
SLOW_SECONDS: Final = 60.0

_log = structlog.get_logger()


class Measures:
    """Reads every gauge. `replica`: the name by which this process holds leases, once it has one.

    `own_folder`: where the embedded server keeps its data, if that is the server.
    """

    def __init__(self, quarantine_rows: int, own_folder: Path | None = None) -> None:
        self.replica: str | None = None
        self._quarantine_rows = quarantine_rows
        self._folder = own_folder
        self._slow: Values = {}
        self._slow_until = 0.0
        self._accounts: dict[str, Account] = {}

    async def __call__(self, reader: Reader) -> Values:
        """Every gauge that can be read; a part that takes too long, or may not be read, is left out."""
        values: Values = {}
        if time.monotonic() >= self._slow_until:
            self._slow = {}
            for part in (self._sizes, self._room, self._rhythms):
                await _put(self._slow, part, reader)
            self._slow_until = time.monotonic() + SLOW_SECONDS
        for part in (
            self._schema, self._projections, self._standing, self._quarantine, self._accounts_now,
            self._reconcile, self._epoch,
        ):  # fmt: skip
            await _put(values, part, reader)
        return self._slow | values

    async def _schema(self, reader: Reader) -> Values:
        applied, _ = await read_applied(reader.database)
        return {"projector_schema_behind": {"": float(applied < len(migrations()))}}

    async def _projections(self, reader: Reader) -> Values:
        rows = await reader.projections()
        return {
            "projector_log_head_position": {"": max((row.head for row in rows), default=0)},
            "projector_projection_position": {row.projection: row.position for row in rows},
            "projector_projection_lag_events": {row.projection: row.lag_events for row in rows},
            "projector_projection_lag_seconds": {row.projection: row.lag_seconds for row in rows},
            "projector_projection_stuck": {row.projection: float(is_stuck(row)) for row in rows},
            "projector_lease_owned": {row.projection: float(row.owned) for row in rows},
            "projector_lease_mine": {
                row.projection: float(row.owned and row.owner == self.replica) for row in rows
            },
            "projector_rebuild_position": {
                row.projection: row.rebuild_position
                for row in rows
                if row.rebuild_position is not None
            },
            "projector_dead_letters_open": {row.projection: 0 for row in rows},
        }

    async def _standing(self, reader: Reader) -> Values:
        return {
            "projector_dead_letters_open": {
                one.subject: one.number for one in await reader.dead_letters()
            },
            "projector_drift_open": dict.fromkeys(ENTITIES, 0.0)
            | {one.subject: one.number for one in await reader.drift()},
        }

    async def _quarantine(self, reader: Reader) -> Values:
        rows = await reader.quarantine()
        refused = await reader.refusals(RECENT_SECONDS)
        return {
            "projector_quarantine_rows": {"": sum(one.rows for one in rows)},
            "projector_quarantine_bytes": {"": sum(one.bytes for one in rows)},
            "projector_quarantine_limit_rows": {"": self._quarantine_rows},
            "projector_refused_deliveries_recent": {one.reason: one.refused for one in refused},
        }

    async def _rhythms(self, reader: Reader) -> Values:
        accounts = accounts_of(await reader.heard(), await reader.activity())
        self._accounts = {account.account_id: account for account in accounts}
        return {}

    async def _accounts_now(self, reader: Reader) -> Values:
        heard, now = await reader.heard(), await reader.now()
        last: dict[str, float] = {}
        due: dict[str, float] = {}
        silent: dict[str, float] = {}
        names = _named(heard)
        for account, at in _last_by_account(heard).items():
            name = account if account in names else OTHER
            last[name] = max(last.get(name, 0.0), at)
            known = self._accounts.get(account)
            if known is not None and known.whole is not None and any(known.whole.hours.values()):
                rhythm = known.whole._replace(last=max(at, known.whole.last))
                due[name] = max(due.get(name, 0.0), expected(rhythm, now).deliveries)
                silent[name] = max(silent.get(name, 0.0), float(is_silent(rhythm, now)))
        return {
            "projector_last_received_timestamp_seconds": last,
            "projector_silence_expected_deliveries": due,
            "projector_account_silent": silent,
        }

    async def _reconcile(self, reader: Reader) -> Values:
        complete: dict[str, float] = {}
        for one in await reader.coverage():
            if one.complete_at is not None:
                complete[one.section] = min(
                    complete.get(one.section, one.complete_at), one.complete_at
                )
        return {
            "projector_reconcile_complete_timestamp_seconds": complete,
            "projector_reconcile_running": {"": float(await reader.reconcile_running())},
        }

    async def _epoch(self, reader: Reader) -> Values:
        epoch = await reader.epoch()
        if epoch is None:
            return {}
        losses = await reader.losses()
        return {
            "projector_epoch_number": {"": epoch.number},
            "projector_epoch_timestamp_seconds": {"": epoch.begun_at},
            "projector_deliveries_lost": {
                "": sum(loss.lost for loss in losses if loss.epoch == epoch.epoch)
            },
        }

    async def _sizes(self, reader: Reader) -> Values:
        log, state = await reader.sizes()
        return {"projector_log_bytes": {"": log}, "projector_state_bytes": {"": state}}

    async def _room(self, reader: Reader) -> Values:
        folder = self._folder or await servers_folder(reader)
        room = None if folder is None else await asyncio.to_thread(room_in, folder)
        if room is None:
            return {}
        return {
            "projector_disk_free_bytes": {"": room.free},
            "projector_disk_size_bytes": {"": room.size},
        }


ENTITIES: Final = (
    "user", "group", "user_settings", "group_settings", "group_locks", "personal_note",
)  # fmt: skip


async def _put(values: Values, part: Callable[[Reader], Awaitable[Values]], reader: Reader) -> None:
    """Add what a part reads, label by label; where the database keeps it from us, leave it out."""
    try:
        read = await part(reader)
    except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError) as error:
        _log.warning("gauges_left_out", part=part.__name__, reason=reason_of(error).what)
        return
    for name, by_label in read.items():
        values[name] = values.get(name, {}) | by_label


def _last_by_account(heard: Sequence[Heard]) -> dict[str, float]:
    last: dict[str, float] = {}
    for one in heard:
        if one.last is not None:
            last[one.account_id] = max(last.get(one.account_id, 0.0), one.last)
    return last


def _named(heard: Sequence[Heard]) -> set[str]:
    """The accounts that are shown by name: the busiest. More names would be more series without end."""
    events: dict[str, int] = defaultdict(int)
    for one in heard:
        events[one.account_id] += one.events
    busiest = sorted(events, key=lambda account: (-events[account], account))
    return set(busiest[:NAMED_ACCOUNTS])
