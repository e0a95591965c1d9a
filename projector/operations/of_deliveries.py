"""What is wrong with deliveries: an account or an event is silent, or deliveries are refused."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from projector.operations.finding import Finding, note, warning, wrong
from projector.operations.readings import Active, Heard, Quarantined, Refused
from projector.operations.rhythm import (
    DAY,
    HOUR,
    WEEKS,
    History,
    expected,
    is_event_silent,
    is_silent,
)
from projector.operations.words import ago, clock, count, listed
from projector.zoom.accounts import is_simulated
from projector.zoom.catalogue import EVERYDAY
from projector.zoom.signature import Refusal

SUBSCRIPTION: Final = (
    "look at the app's event subscription in Zoom's Marketplace (validated, switched on, this address), "
    "at the ingress's log and `/readyz`, and then run `projector reconcile` for what was missed"
)

# From when on an event that never came tells something.
OBSERVED_SECONDS: Final = 7 * DAY
OBSERVED_EVENTS: Final = 200

# A refusal is told of for a day; for an hour where a good delivery came after it.
TOLD: Final = DAY
TOLD_AFTER_GOOD: Final = HOUR

FILLING: Final = 0.8


class Account(NamedTuple):
    """An account: every event of it, and the histories of those that came."""

    account_id: str
    heard: Sequence[Heard]
    events: Mapping[str, History]
    whole: History | None


def accounts_of(heard: Sequence[Heard], activity: Sequence[Active]) -> list[Account]:
    """The accounts with their histories."""
    by_event: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for active in activity:
        by_event[active.account_id, active.event][active.hour] = active.events
    by_account: dict[str, list[Heard]] = defaultdict(list)
    for one in heard:
        by_account[one.account_id].append(one)
    return [_account(name, some, by_event) for name, some in by_account.items()]


def _account(
    name: str, heard: Sequence[Heard], by_event: Mapping[tuple[str, str], Mapping[int, float]]
) -> Account:
    events = {
        one.event: History(one.since, one.last, by_event.get((name, one.event), {}))
        for one in heard
        if one.last is not None and one.since is not None
    }
    if not events:
        return Account(name, heard, events, None)
    last = max(history.last for history in events.values())
    hours: dict[int, float] = defaultdict(float)
    for history in events.values():
        for hour, number in history.hours.items():
            if hour >= last // HOUR - WEEKS * 7 * 24 - 1:
                hours[hour] += number
    first = min(history.first for history in events.values())
    return Account(name, heard, events, History(first, last, hours))


def of_silence(
    accounts: Sequence[Account], now: float, not_subscribed: Collection[str]
) -> Iterator[Finding]:
    """One finding a silent account; of another account one for all its silent events."""
    for account in accounts:
        if account.whole is None or not any(account.whole.hours.values()):
            continue
        if is_silent(account.whole, now):
            yield _silent(account, account.whole, now)
        else:
            yield from _silent_events(account, now, not_subscribed)


def _silent(account: Account, history: History, now: float) -> Finding:
    due = expected(history, now).deliveries
    do = SUBSCRIPTION
    if is_simulated(account.account_id):
        do = "it is simulated: run `projector simulate` again, or leave it"
    return wrong(
        "silent-account", f"account {account.account_id}",
        f"silent for {ago(now - history.last)}, since {clock(history.last)}; by its own rhythm about "
        f"{count(due, 'delivery')} should have come",
        do,
    )  # fmt: skip


def silent_events(account: Account, now: float, not_subscribed: Collection[str]) -> list[str]:
    """The events of an account that is not silent itself that came regularly, and do not any more."""
    return sorted(
        event
        for event, history in account.events.items()
        if event not in not_subscribed and is_event_silent(history, now)
    )


def _silent_events(
    account: Account, now: float, not_subscribed: Collection[str]
) -> Iterator[Finding]:
    if silent := silent_events(account, now, not_subscribed):
        last = max(account.events[event].last for event in silent)
        yield warning(
            "silent-event", f"account {account.account_id}",
            f"{listed(silent)} came regularly and not since {clock(last)}, while other events come",
            "see that they are still ticked in the app's event subscription, or name them in "
            "PROJECTOR_NOT_SUBSCRIBED; `projector reconcile` repairs what was missed",
        )  # fmt: skip


def of_events_never_received(
    accounts: Sequence[Account], now: float, not_subscribed: Collection[str]
) -> Iterator[Finding]:
    """One finding an account that has been observed for a while and lacks events altogether."""
    for account in accounts:
        since = min((one.since for one in account.heard if one.since is not None), default=None)
        came = sum(one.events for one in account.heard)
        if since is None or (now - since < OBSERVED_SECONDS and came < OBSERVED_EVENTS):
            continue
        never = [
            one.event for one in account.heard if not one.events and one.event not in not_subscribed
        ]
        if never:
            everyday = [event for event in never if event in EVERYDAY]
            rare = [event for event in never if event not in EVERYDAY]
            level = warning if everyday else note
            yield level(
                "never-received", f"account {account.account_id}",
                f"{listed(everyday + rare)} never came since {clock(since)}",
                "tick what is missing in the app's event subscription, or name what is left out on "
                "purpose in PROJECTOR_NOT_SUBSCRIBED",
            )  # fmt: skip


def of_refusals(
    refused: Sequence[Refused], last_good: float | None, now: float
) -> Iterator[Finding]:
    """Wrong secrets, failed validations and the like; `last_good`: when a good delivery last came."""
    for one in refused:
        good_since = last_good is not None and last_good > one.last_at
        if now - one.last_at > (TOLD_AFTER_GOOD if good_since else TOLD):
            continue
        good_meanwhile = last_good is not None and last_good >= one.first_at
        if (finding := _refusal(one, now, good_meanwhile=good_meanwhile)) is not None:
            yield finding


def _refusal(one: Refused, now: float, *, good_meanwhile: bool) -> Finding | None:
    since = f"since {clock(one.first_at)}, the last {ago(now - one.last_at)} ago"
    many = f"{one.refused:,} refused {since}"
    meanwhile = "good ones came meanwhile" if good_meanwhile else "no good one came meanwhile"
    level = warning if good_meanwhile else wrong
    match one.reason:
        case Refusal.WRONG:
            return level(
                "wrong-secret", "deliveries", f"signed with a secret unknown here: {many}; {meanwhile}",
                "put the secret token that Zoom shows for the app into PROJECTOR_ZOOM_SECRET_TOKENS (old "
                "and new, comma-separated), restart the ingress, and run `projector quarantine reverify`",
            )  # fmt: skip
        case Refusal.STALE:
            return level(
                "stale-signature", "deliveries",
                f"rightly signed, but with a time more than 5 minutes off: {many}; {meanwhile}",
                "set the clock of the ingress's machine, look for a proxy that delays requests, and run "
                "`projector quarantine reverify`",
            )  # fmt: skip
        case "validation":
            return level(
                "validation-failed", "URL validation", f"{many}; {meanwhile}",
                "put that app's secret token into PROJECTOR_ZOOM_SECRET_TOKENS, restart the ingress, and "
                "press Validate in the app's event subscription",
            )  # fmt: skip
        case "dropped-signed":
            return wrong(
                "quarantine-dropped", "quarantine", f"had no room for signed deliveries: {many}",
                "see `projector quarantine list`, reverify or purge, and raise "
                "PROJECTOR_QUARANTINE_ROWS, _BYTES or _PER_SECOND",
            )  # fmt: skip
        case "too-large":
            return note(
                "too-large", "deliveries", f"larger than the limit: {many}",
                "where they are Zoom's, raise PROJECTOR_MAX_BODY_BYTES; Zoom does not repeat them",
            )  # fmt: skip
    return None


def of_quarantine(
    rows: Sequence[Quarantined], most_rows: int, most_bytes: int, now: float
) -> Iterator[Finding]:
    """What is in the quarantine, by reason, and whether it fills."""
    for signed in (True, False):
        some = [one for one in rows if one.signed is signed]
        if some:
            yield _quarantined(some, now, signed=signed)
    used_rows, used_bytes = sum(one.rows for one in rows), sum(one.bytes for one in rows)
    share = max(
        used / most
        for used, most in ((used_rows, most_rows), (used_bytes, most_bytes), (0, 1))
        if most
    )
    if share >= FILLING:
        level = wrong if share >= 1 else warning
        yield level(
            "quarantine-full", "quarantine",
            f"{min(share, 1):.0%} full, with {count(used_rows, 'row')} of {most_rows:,}",
            "see `projector quarantine list`; `projector quarantine reverify` or `purge`, or raise "
            "PROJECTOR_QUARANTINE_ROWS and _BYTES",
        )  # fmt: skip


def _quarantined(some: Sequence[Quarantined], now: float, *, signed: bool) -> Finding:
    reasons = listed([f"{one.rows:,} {one.reason}" for one in some])
    says = f"holds {reasons}, the oldest from {ago(now - min(one.since for one in some))} ago"
    if signed:
        return warning(
            "quarantined", "quarantine", f"{says}; they are rightly signed, and not in the log",
            "see `projector quarantine list`, then `projector quarantine reverify`",
        )  # fmt: skip
    return note(
        "quarantined-unsigned", "quarantine", says,
        "where a secret was missing, set it and run `projector quarantine reverify`; else `purge`",
    )  # fmt: skip
