"""Overview: whether everything arrives, is folded and can be believed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from projector.console.activity import read_activity
from projector.console.asked import Asked
from projector.console.charts import Share, shares
from projector.console.errors import NotThere
from projector.console.judged import (
    LEFT_OUT,
    MOST_COUNTED,
    QUARANTINE,
    REFUSED,
    RHYTHMS,
    Rhythms,
    Verdict,
    of_belief,
    of_folding,
    of_refused,
    standing,
    verdict,
)
from projector.console.lately import AsOf
from projector.console.pages import Page, Shown
from projector.console.snapshot import Reading, Snapshot
from projector.console.words import duration, number
from projector.operations.of_deliveries import SUBSCRIPTION
from projector.operations.readings import Quarantined


async def _people(read: Snapshot) -> list[asyncpg.Record]:
    return await read.rows("people_counted")


async def _groups(read: Snapshot) -> list[asyncpg.Record]:
    return await read.rows("groups_counted")


async def _presence(read: Snapshot) -> list[asyncpg.Record]:
    return await read.rows("presence_counted")


PEOPLE: Final = Reading("people", 60, _people)
GROUPS: Final = Reading("groups", 60, _groups)
PRESENCE: Final = Reading("presence", 15, _presence)
READINGS: Final[tuple[Reading[Any], ...]] = (
    PEOPLE,
    GROUPS,
    PRESENCE,
    RHYTHMS,
    QUARANTINE,
    REFUSED,
)


async def _read(asked: Asked, read: Snapshot) -> Shown:
    accounts = await read.rows("accounts")
    chosen = _chosen(asked.text("account"), accounts)
    named = [row["account_id"] for row in accounts if chosen in (None, row["account_id"])]
    only = named[0] if len(named) == 1 else None
    now = datetime.now(UTC)
    await asyncio.gather(*map(read.lately, READINGS))  # at once, so that the first page waits once
    active = await read_activity(read, named)
    heard = await read.rows("freshness", named)
    last = max((row["last_received_at"] for row in heard if row["events"]), default=None)
    rhythms = await read.lately(RHYTHMS)
    counted = await read.lately(PEOPLE)
    presence = await read.lately(PRESENCE)
    today = active.last_day(now)
    sinces = [row["since"] for row in accounts if row["account_id"] in named and row["since"]]
    observed = min(sinces, default=None)
    return {
        "accounts": accounts,
        "account": chosen,
        "arriving": await _arriving(read, chosen, last, today),
        **await _folded_and_believed(read, named, now),
        "days": active.days,
        "chart": active.chart,
        "month": active.total,
        "today": today,
        "last": last,
        "observed": observed,
        "observed_for": None if observed is None else (now - observed).total_seconds(),
        "events": active.events(heard, _states(rhythms.value, only, read)) if only else None,
        "rhythms": rhythms,
        "presence": presence,
        "now_present": _by_status(presence, named),
        "counted": counted,
        "people": _by_status(counted, named),
        "quarantined": _quarantined(await read.lately(QUARANTINE)),
        "groups": await _group_count(read, named),
    }  # fmt: skip


def _chosen(account: str | None, accounts: Sequence[asyncpg.Record]) -> str | None:
    if account is not None and account not in {row["account_id"] for row in accounts}:
        raise NotThere("there is no such account; the overview lists those there are")
    return account


async def _arriving(
    read: Snapshot, account: str | None, last: datetime | None, today: int
) -> Verdict:
    refused = await of_refused(read, last)
    if last is None:
        return Verdict("not yet", "warn", f"Nothing has arrived yet: {SUBSCRIPTION}.", refused)
    ago = duration((datetime.now(UTC) - last).total_seconds())
    says = f"The last delivery came {ago} ago; {number(today)} within the last 24 hours."
    rhythms = await read.lately(RHYTHMS)
    if rhythms.value is None:
        why = rhythms.failed or "it is being read"
        says = f"{says} Whether that is as usual is not known: {why}."
        return Verdict("not known", "plain", says, refused)
    return verdict(says, [*rhythms.value.findings(account, read.source.not_subscribed), *refused])


async def _folded_and_believed(
    read: Snapshot, accounts: Sequence[str], now: datetime
) -> dict[str, Any]:
    at = now.timestamp()
    projections = await read.rows("projections")
    dead = standing(await read.rows("dead_letters_counted", MOST_COUNTED + 1))
    drift = standing(await read.rows("drift_counted", MOST_COUNTED + 1))
    coverage = [row for row in await read.rows("coverage") if row["account_id"] in accounts]
    behind = max((row["lag_events"] for row in projections), default=0)
    seconds = max((row["lag_seconds"] for row in projections), default=0.0)
    newest = max((row["complete_at"] for row in coverage if row["complete_at"]), default=None)
    head = max((row["head"] for row in projections), default=0)
    folded = f"Every projection has folded all of the log, up to position {number(head)}."
    if behind:
        folded = f"{number(behind)} events wait, the oldest for {duration(seconds)}."
    believed = "Zoom's REST API was never read, so only deliveries vouch for it."
    if newest is not None:
        believed = f"Compared with Zoom {duration((now - newest).total_seconds())} ago."
    return {
        "folded": verdict(folded, of_folding(projections, dead, at)),
        "believed": verdict(believed, of_belief(drift, coverage, at)),
        "lag": seconds if behind else 0.0,
        "behind": behind,
        "dead_letters": dead,
        "drift": drift,
        "most": MOST_COUNTED,
        "compared": None if newest is None else (now - newest).total_seconds(),
    }


def _by_status(counted: AsOf[list[asyncpg.Record]], accounts: Sequence[str]) -> list[Share] | None:
    if counted.value is None:
        return None
    parts: dict[str, int] = {}
    for row in counted.value:
        if row["account_id"] in accounts:
            name = row["status"] or "unknown"
            parts[name] = parts.get(name, 0) + row["number"]
    return shares(parts.items())


def _quarantined(counted: AsOf[list[Quarantined]]) -> int | None:
    return None if counted.value is None else sum(one.rows for one in counted.value)


async def _group_count(read: Snapshot, accounts: Sequence[str]) -> int | None:
    counted = await read.lately(GROUPS)
    if counted.value is None:
        return None
    numbers = (int(row["number"]) for row in counted.value if row["account_id"] in accounts)
    return sum(numbers)


def _states(rhythms: Rhythms | None, account: str, read: Snapshot) -> dict[str, str]:
    """How the events of an account sound, as far as that is known."""
    sounds = {} if rhythms is None else rhythms.states(account, read.source.not_subscribed)
    return sounds | dict.fromkeys(read.source.not_subscribed, LEFT_OUT)


OVERVIEW: Final = Page("/", "overview", "overview.html.j2", _read)
