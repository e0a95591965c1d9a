"""What is wrong with what Zoom's REST API told, and what a failover took."""

from collections.abc import Iterator, Sequence
from typing import Final

from projector.operations.finding import Finding, warning, wrong
from projector.operations.readings import Covered, Epoch, Loss
from projector.operations.rhythm import DAY, HOUR
from projector.operations.words import ago, clock, count, listed

# Three times as long as `up` and the documented service leave between two runs.
OLDEST: Final = 3 * 6 * HOUR
# For so long Zoom's own log of deliveries tells what failed; afterwards a new epoch is history.
EPOCH_TOLD: Final = 7 * DAY

RECONCILE: Final = "run `projector reconcile`"


def of_coverage(
    covered: Sequence[Covered], configured: str | None, now: float
) -> Iterator[Finding]:
    """Sections read too long ago or in part; `configured`: the account whose credentials are set."""
    for account in sorted({one.account_id for one in covered}):
        sections = [one for one in covered if one.account_id == account]
        yield from _old(account, sections, now)
        if parts := [f"{one.section} ({one.unreadable})" for one in sections if one.unreadable]:
            yield warning(
                "coverage-unreadable", f"account {account}", f"could not be read: {listed(parts)}",
                f"give the app what is named there, then {RECONCILE}",
            )  # fmt: skip
    if configured is not None and configured not in {one.account_id for one in covered}:
        yield warning(
            "never-reconciled", f"account {configured}",
            "Zoom's REST API was never read, though its credentials are set",
            f"{RECONCILE}, and `projector reconcile --every 6h` beside the projectors",
        )  # fmt: skip


def _old(account: str, sections: Sequence[Covered], now: float) -> Iterator[Finding]:
    old = [one for one in sections if one.complete_at is None or now - one.complete_at > OLDEST]
    if old:
        parts = [
            f"{one.section} ({'never' if one.complete_at is None else ago(now - one.complete_at) + ' ago'})"
            for one in old
        ]
        yield warning(
            "coverage-old", f"account {account}", f"last read completely: {listed(parts)}",
            f"see why `projector reconcile --every 6h` or `up` does not, or {RECONCILE}",
        )  # fmt: skip


def of_epoch(epoch: Epoch | None, covered: Sequence[Covered], now: float) -> Iterator[Finding]:
    """The log began a new epoch, and nothing has compared the directory with Zoom since."""
    if epoch is None or epoch.number <= 1 or now - epoch.begun_at > EPOCH_TOLD:
        return
    if not reconciled_since(epoch.begun_at, covered):
        yield warning(
            "epoch-changed", "log",
            f"may have gone back: its epoch {epoch.number} began {clock(epoch.begun_at)}, after a failover, "
            "a restored backup or a move to another server",
            f"{RECONCILE} for what was lost; readers of the feed take a new `projector snapshot`",
        )  # fmt: skip


def of_losses(losses: Sequence[Loss], covered: Sequence[Covered]) -> Iterator[Finding]:
    """Acknowledged deliveries that a failover lost, until everything has been read from Zoom since."""
    left = [one for one in losses if one.lost and not reconciled_since(one.noticed_at, covered)]
    if left:
        starts = [one.first_received_at for one in left if one.first_received_at is not None]
        ends = [one.last_received_at for one in left if one.last_received_at is not None]
        hours = (
            f" received between {clock(min(starts))} and {clock(max(ends))}"
            if starts and ends
            else ""
        )
        total = count(sum(one.lost for one in left), "event")
        yield wrong(
            "deliveries-lost", "log", f"a failover lost {total}{hours}, which Zoom will not send again",
            f"reconcile these hours: {RECONCILE}; then make replication synchronous",
        )  # fmt: skip


def reconciled_since(at: float, covered: Sequence[Covered]) -> bool:
    """Whether every section that was ever read has been read completely since a time."""
    return bool(covered) and all(
        one.complete_at is not None and one.complete_at > at for one in covered
    )
