"""Whether everything arrives, is folded and can be believed: what `check` finds, for a reader alone."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from projector.console.snapshot import STATEMENT_SECONDS, Reading, Snapshot
from projector.operations.finding import Finding, Level, worst_first
from projector.operations.of_coverage import of_coverage
from projector.operations.of_deliveries import (
    TOLD,
    Account,
    accounts_of,
    of_events_never_received,
    of_quarantine,
    of_refusals,
    of_silence,
    silent_events,
)
from projector.operations.of_folding import of_dead_letters, of_drift, of_projections
from projector.operations.reading import DirectoryReader
from projector.operations.readings import (
    Covered,
    ProjectionNow,
    Quarantined,
    Refused,
    Standing,
)
from projector.operations.rhythm import has_event_rhythm, is_silent
from projector.operations.words import listed

# What stands open is counted so far, and no further.
MOST_COUNTED: Final = 500

# How one event sounds.
SILENT: Final = "silent"
USUAL: Final = "as usual"
RARE: Final = "too rare to tell"
NEVER: Final = "never came"
LEFT_OUT: Final = "left out on purpose"


class Verdict(NamedTuple):
    """An answer at first sight. `tone`: good, warn, bad, or plain where nothing is known yet."""

    answer: str
    tone: str
    says: str
    findings: Sequence[Finding]


class Rhythms(NamedTuple):
    """The accounts by id as they sounded at a time, in epoch seconds of the server's clock."""

    now: float
    accounts: Mapping[str, Account]

    def findings(self, account: str | None, not_subscribed: frozenset[str]) -> list[Finding]:
        """What is wrong with the deliveries of an account, or of all."""
        some = [one for one in self.accounts.values() if account in (None, one.account_id)]
        return [
            *of_silence(some, self.now, not_subscribed),
            *of_events_never_received(some, self.now, not_subscribed),
        ]

    def states(self, account: str, not_subscribed: frozenset[str]) -> dict[str, str]:
        """What the events of an account sound like, as far as they ever came."""
        one = self.accounts.get(account)
        if one is None or one.whole is None or not any(one.whole.hours.values()):
            return {}
        if is_silent(one.whole, self.now):
            silent = set(one.events) - not_subscribed
        else:
            silent = set(silent_events(one, self.now, not_subscribed))
        return {
            event: SILENT if event in silent else USUAL if has_event_rhythm(history) else RARE
            for event, history in one.events.items()
        }


def _reader(read: Snapshot) -> DirectoryReader:
    return DirectoryReader(read, STATEMENT_SECONDS)


async def _rhythms(read: Snapshot) -> Rhythms:
    reader = _reader(read)
    accounts = accounts_of(await reader.heard(), await reader.activity())
    return Rhythms(await reader.now(), {one.account_id: one for one in accounts})


async def _quarantine(read: Snapshot) -> list[Quarantined]:
    if not await read.rows("views_there", ["quarantine"]):
        return []
    return await _reader(read).quarantine()


QUARANTINE: Final = Reading("quarantine", 10, _quarantine)


async def _refused(read: Snapshot) -> list[Refused]:
    if not await read.rows("views_there", ["refusals"]):
        return []
    return await _reader(read).refusals(TOLD)


REFUSED: Final = Reading("refused", 10, _refused)
RHYTHMS: Final = Reading("rhythms", 20, _rhythms)


async def of_refused(read: Snapshot, last_good: datetime | None) -> list[Finding]:
    """What was refused, and what of it the quarantine holds; `last_good`: when a good delivery last came."""
    held, refused = (await read.lately(QUARANTINE)).value, (await read.lately(REFUSED)).value
    most = read.source.quarantine_rows, read.source.quarantine_bytes
    good = None if last_good is None else last_good.timestamp()
    return [
        *of_refusals(refused or (), good, time.time()),
        *of_quarantine(held or (), *most, time.time()),
    ]


def verdict(says: str, findings: Iterable[Finding]) -> Verdict:
    """An answer to a question: yes where nothing worth a warning was found."""
    ordered = worst_first(findings)
    worst = ordered[0].level if ordered else Level.NOTE
    answer, tone = {
        Level.WRONG: ("no", "bad"),
        Level.WARNING: ("not quite", "warn"),
        Level.NOTE: ("yes", "good"),
    }[worst]
    return Verdict(answer, tone, says, ordered)


def of_folding(
    projections: Sequence[asyncpg.Record], dead_letters: Sequence[Standing], now: float
) -> list[Finding]:
    """What is wrong with the projections; what ails all of them says so instead of naming each."""
    found = of_projections([ProjectionNow(**dict(row)) for row in projections])
    every = (
        f"projections {listed([row['projection'] for row in projections])}" if projections else ""
    )
    return [
        *(
            replace(one, subject="every projection") if one.subject == every else one
            for one in found
        ),
        *of_dead_letters(dead_letters, now),
    ]


def of_belief(
    drift: Sequence[Standing], coverage: Sequence[asyncpg.Record], now: float
) -> list[Finding]:
    """What is wrong with what the directory is compared with."""
    covered = [
        Covered(
            row["account_id"],
            row["section"],
            None if row["complete_at"] is None else row["complete_at"].timestamp(),
            row["unreadable"],
        )
        for row in coverage
    ]
    return [*of_drift(drift, now), *of_coverage(covered, None, now)]


def standing(rows: Sequence[asyncpg.Record]) -> list[Standing]:
    """What was counted of what stands open; at most MOST_COUNTED in all, and then there are more."""
    more = sum(row["number"] for row in rows) > MOST_COUNTED
    return [
        Standing(row["subject"], min(row["number"], MOST_COUNTED), row["since"], more)
        for row in rows
    ]
