"""What this replica acknowledged lately, so that it can tell after a failover what of it is gone."""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from projector.log.append import Appended
from projector.zoom.delivery import Delivery

# A standby that may be promoted is behind by less than this, or by fewer deliveries.
KEPT: Final = timedelta(minutes=5)
KEPT_DELIVERIES: Final = 200_000


class Receipt(NamedTuple):
    """An acknowledged delivery, as the log would know it again."""

    received_at: datetime
    event_ts: int | None
    digest: bytes


class Acknowledged:
    """The receipts of the last minutes before the newest, however long ago that was; no bodies."""

    def __init__(self, most: int = KEPT_DELIVERIES) -> None:
        self._receipts: deque[tuple[datetime, int | None, bytes]] = deque(maxlen=most)
        # The position and digest of the newest, where the log is known to hold it.
        self.last: tuple[int, bytes] | None = None

    def add(self, delivery: Delivery, appended: Appended) -> None:
        """Keep the receipt of a delivery that is being acknowledged; 0.3 us."""
        self._receipts.append((delivery.received_at, delivery.event_ts, delivery.digest))
        self.last = (appended.position, delivery.digest)

    def forget_old(self) -> None:
        """Forget what is older than KEPT, by the time of the newest."""
        receipts = self._receipts
        if receipts:
            oldest = receipts[-1][0] - KEPT
            while receipts[0][0] < oldest:
                receipts.popleft()

    def receipts(self) -> list[Receipt]:
        """All that is kept, each delivery once, in their order."""
        return [Receipt(*receipt) for receipt in dict.fromkeys(self._receipts)]

    def forget(self, gone: Collection[Receipt]) -> None:
        """Forget what is known to be lost."""
        lost = {tuple(receipt) for receipt in gone}
        kept = [receipt for receipt in self._receipts if receipt not in lost]
        self._receipts.clear()
        self._receipts.extend(kept)
