"""The directory is compared once it has folded what the log holds."""

from projector.errors import ProjectorError
from projector.observations.reading import Reading
from projector.state.status import read_status, wait_for


class FoldBehind(ProjectorError):
    """The directory lags behind the log, so nothing can be compared with it."""


async def until_folded(reading: Reading) -> None:
    """Wait until the projections are at the head of the log as it is now. Raises FoldBehind."""
    seconds = reading.options.fold_seconds
    behind = await wait_for(reading.database, None, seconds)
    if not behind:
        return
    status = await read_status(reading.database)
    lags = [p for p in status.projections if p.projection in behind]
    most = max((p.lag_events for p in lags), default=0)
    advice = (
        "start `projector project`, and run this again"
        if all(p.owner is None for p in lags)
        else "wait until `projector status` shows no lag, and run this again"
    )
    raise FoldBehind(
        f"the directory is up to {most:,} events behind the log ({', '.join(sorted(behind))}) after "
        f"{seconds:.0f} s, so nothing can be compared with it; {advice}"
    )
