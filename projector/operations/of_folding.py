"""What is wrong with the projections: they lag, are stuck, or left events out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from projector.operations.finding import Finding, note, warning, wrong
from projector.operations.readings import ProjectionNow, Standing
from projector.operations.words import ago, count, listed

# Seconds.
STUCK: Final = 60.0
LAG_WARNING: Final = 60.0
LAG_WRONG: Final = 600.0
# Who catches up with more than this folds an import, or what came while nobody folded, and moves.
CATCHING_UP: Final = 86_400.0


def is_stuck(now: ProjectionNow) -> bool:
    """Whether events wait and the projection has not moved for a minute."""
    waits = min(now.lag_seconds, now.unmoved_seconds)
    return now.lag_events > 0 and waits > STUCK


def of_projections(projections: Sequence[ProjectionNow]) -> list[Finding]:
    """One finding for all projections with the same trouble; the first trouble of each that applies."""
    left = list(projections)
    findings: list[Finding] = []
    for applies, finding in _TROUBLES:
        some = [one for one in left if applies(one)]
        left = [one for one in left if one not in some]
        if some:
            findings += finding(some)
    return findings


def _beyond(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    yield wrong(
        "projection-beyond-head", _names(some),
        "folded events that the log does not hold, as after restoring an older backup",
        f"run `projector rebuild {' '.join(one.projection for one in some)}`",
    )  # fmt: skip


def _stale(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    yield wrong(
        "projection-stale", _names(some),
        "waits for a newer release to rebuild it, and no replica of any release folds or rebuilds it",
        "start `projector project` of the newest release, and see its log",
    )  # fmt: skip


def _unowned(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    waiting = max(one.lag_events for one in some)
    says = "no live replica folds it"
    do = "start `projector project` (or `up`); if one runs, see its log"
    if any(is_stuck(one) for one in some):
        longest = max(min(one.lag_seconds, one.unmoved_seconds) for one in some)
        yield wrong(
            "projection-stuck", _names(some),
            f"{says}, with {count(waiting, 'event')} waiting for {ago(longest)}", do,
        )  # fmt: skip
    else:
        yield warning("projection-idle", _names(some), says, do)


def _stuck(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    for reason in sorted({one.error or "" for one in some}):
        alike = [one for one in some if (one.error or "") == reason]
        waiting = max(one.lag_events for one in alike)
        longest = max(min(one.lag_seconds, one.unmoved_seconds) for one in alike)
        why = f" after an error: {reason}" if reason else ""
        yield wrong(
            "projection-stuck", _names(alike),
            f"has not moved for {ago(longest)}, with {count(waiting, 'event')} waiting{why}",
            "see the log of the replica that `projector status` names, and restart that replica",
        )  # fmt: skip


def _waiting(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    for reason in sorted({one.error or "" for one in some}):
        alike = [one for one in some if (one.error or "") == reason]
        yield warning(
            "projection-waits", _names(alike), f"waits after an error, to try again: {reason}",
            "see the log of the replica that `projector status` names",
        )  # fmt: skip


def _lagging(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    seconds = max(one.lag_seconds for one in some)
    events = max(one.lag_events for one in some)
    level = wrong if seconds > LAG_WRONG else warning
    yield level(
        "projection-lag", _names(some), f"is {ago(seconds)} behind, {count(events, 'event')}",
        "watch `projector status --watch`; where it grows, start another `projector project`, or "
        "give the database more to work with",
    )  # fmt: skip


def _catching_up(some: Sequence[ProjectionNow]) -> Iterator[Finding]:
    seconds = max(one.lag_seconds for one in some)
    events = max(one.lag_events for one in some)
    yield note(
        "projection-catching-up", _names(some),
        f"folds what was received {ago(seconds)} ago, with {count(events, 'event')} to go",
        "wait, or watch `projector status --watch`",
    )  # fmt: skip


_Trouble = tuple[
    Callable[[ProjectionNow], bool], Callable[[Sequence[ProjectionNow]], Iterator[Finding]]
]
_TROUBLES: Final[tuple[_Trouble, ...]] = (
    (lambda one: one.state == "beyond head", _beyond),
    (lambda one: one.state == "stale" and one.rebuild_position is None, _stale),
    (lambda one: one.state == "stale", lambda _: iter(())),  # and is being rebuilt
    (lambda one: not one.owned, _unowned),
    (is_stuck, _stuck),
    (lambda one: one.error is not None, _waiting),
    (lambda one: one.lag_seconds > CATCHING_UP, _catching_up),
    (lambda one: one.lag_seconds > LAG_WARNING, _lagging),
)


def of_dead_letters(standing: Sequence[Standing], now: float) -> list[Finding]:
    """One finding a projection that left events out."""
    return [
        warning(
            "dead-letters", f"projection {one.subject}",
            f"could not fold {_many(one, 'event')}{_since(one, now)}",
            "see `projector dead-letters list`; after a release that can fold them, "
            "`projector dead-letters retry`",
        )
        for one in standing
    ]  # fmt: skip


def of_drift(standing: Sequence[Standing], now: float) -> list[Finding]:
    """One finding an entity that events contradict."""
    return [
        warning(
            "drift", one.subject.replace("_", " "),
            f"{_many(one, 'value')} contradicted by Zoom{_since(one, now)}: a delivery was lost, "
            "or is still to come",
            "see `directory.drift`; what stays for two hours `projector reconcile` heals",
        )
        for one in standing
    ]  # fmt: skip


def _names(some: Sequence[ProjectionNow]) -> str:
    names = [one.projection for one in some]
    return f"{'projection' if len(names) == 1 else 'projections'} {listed(names)}"


def _many(one: Standing, noun: str) -> str:
    return f"{'more than ' if one.more else ''}{count(one.number, noun)}"


def _since(one: Standing, now: float) -> str:
    return "" if one.since is None else f", the first {ago(now - one.since)} ago"
