"""After each failover, whatever it lost of what this replica had acknowledged is told.

With synchronous replication that is nothing. Without, a promoted standby lacks what had not reached it; so
does a backup that is restored.
"""

import time
import uuid
from collections.abc import Callable
from typing import Final

import structlog

from projector.database import TROUBLE, Queryable
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable
from projector.ingress.acknowledged import Acknowledged, Receipt
from projector.ingress.metrics import Metrics
from projector.log.losses import epoch_after, note_losses
from projector.process import unique_name
from projector.telemetry import Recurring

# Longer than any append takes: by then no answer of the former server is on its way to the receipts.
SETTLE_SECONDS: Final = 3.0
ASKED_AT_ONCE: Final = 5000

_logger = structlog.get_logger()


class Losses:
    """Watches the log's epoch; where it changes, asks the log for what was acknowledged before.

    `leave` lets the connections that append go: after what runs now, none reaches the former server.
    """

    def __init__(
        self,
        lane: Queryable,
        acknowledged: Acknowledged,
        leave: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._lane = lane
        self._acknowledged = acknowledged
        self._leave = leave
        self._metrics = metrics
        self._replica = unique_name()
        self._epoch: uuid.UUID | None = None
        self._trouble = Recurring(_logger, "epoch_not_read")
        self._settled_at: float | None = None

    async def look(self) -> None:
        """Look once; to be called again and again. What fails is tried again by the next call."""
        try:
            # Until all has settled, the newest may be of the former log.
            seen = None if self._settled_at is not None else self._acknowledged.last
            epoch = await epoch_after(self._lane, self._epoch, seen)
            if self._epoch is not None and epoch != self._epoch:
                _logger.warning("epoch_changed", epoch=str(epoch), before=str(self._epoch))
                self._leave()
                self._settled_at = time.monotonic() + SETTLE_SECONDS
            self._epoch = epoch
            if self._settled_at is not None and time.monotonic() > self._settled_at:
                await self._report(epoch)
                self._acknowledged.last = self._settled_at = None
        except (DatabaseUnavailable, *TROUBLE) as error:
            reason = reason_of(error)
            self._trouble(reason.word, reason=reason.what, next="tried again")

    async def _report(self, epoch: uuid.UUID) -> None:
        receipts = self._acknowledged.receipts()
        gone: list[Receipt] = []
        for start in range(0, len(receipts), ASKED_AT_ONCE):
            some = receipts[start : start + ASKED_AT_ONCE]
            missing = await note_losses(self._lane, self._replica, *zip(*some, strict=True))
            self._metrics.acknowledged_lost.inc(sum(one.news for one in missing))
            gone += [some[one.place] for one in missing]
        if gone:
            self._acknowledged.forget(gone)
            times = [receipt.received_at for receipt in gone]
            _logger.error(
                "acknowledged_deliveries_lost", count=len(gone), epoch=str(epoch),
                first_received_at=min(times).isoformat(), last_received_at=max(times).isoformat(),
                next="run `projector reconcile`: the log lacks what Zoom sent in these hours",
            )  # fmt: skip
