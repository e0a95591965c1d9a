"""The section of deliveries: what Zoom's own log of the last seven days shows as failed."""

from datetime import UTC, datetime, timedelta
from typing import Final

from projector.errors import ConfigurationError
from projector.log.read import sent_at
from projector.observations.delivery_log import Failed, absent, failed_delivery, is_validation
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import BATCH, Reading
from projector.rest.endpoints import WEBHOOK_LOGS
from projector.rest.failures import NotThere, Unreadable
from projector.rest.paging import Incomplete

KEPT: Final = timedelta(days=7)
# Zoom refuses a range that begins earlier, by its own clock.
_MARGIN: Final = timedelta(minutes=5)
_WINDOW: Final = timedelta(days=1)
_FAILED: Final = "2"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class DeliveriesSection:
    """Reads Zoom's delivery log, and appends as sent what the log does not hold."""

    def __init__(self, reading: Reading, outcome: Outcome) -> None:
        self._reading = reading
        self._outcome = outcome
        self._no_events = 0

    async def read(self) -> None:
        """Read the section, a day at a time, the oldest first.

        Raises ConfigurationError where it is not known whose log to read.
        """
        if self._reading.options.app_id is None:
            raise ConfigurationError(
                "PROJECTOR_ZOOM_APP_ID is not set, so it is not known whose delivery log to read; set it to "
                "the id of the app that sends the webhooks, or leave `deliveries` out of --only"
            )
        now = datetime.now(UTC)
        since = now - KEPT + _MARGIN
        try:
            while since < now:
                until = min(since + _WINDOW, now)
                await self._window(self._reading.options.app_id, since, until)
                since = until
        except (Unreadable, NotThere) as error:
            self._outcome.fail(str(error))
        if self._no_events:
            self._outcome.unreadable["bodies"] = (
                f"{self._no_events} failed deliveries are logged without a body that is an event"
            )

    async def _window(self, app_id: str, since: datetime, until: datetime) -> None:
        listing = self._reading.client.listing(
            WEBHOOK_LOGS,
            app_id,
            type=_FAILED,
            **{"from": since.strftime(_TIME), "to": until.strftime(_TIME)},
        )
        async for page in listing:
            now = datetime.now(UTC)
            rows = [row for row in page.rows if not is_validation(row)]
            found = [failed_delivery(row, self._reading.options.secrets, now) for row in rows]
            failed = [one for one in found if one is not None]
            self._no_events += len(found) - len(failed)
            self._outcome.read += len(rows)
            for start in range(0, len(failed), BATCH):
                await self._recover(failed[start : start + BATCH])
            self._reading.report(Section.DELIVERIES, self._outcome.read, 0)
        if isinstance(listing.proof, Incomplete):
            self._outcome.fail(listing.proof.why)

    async def _recover(self, failed: list[Failed]) -> None:
        times = {one.delivery.event_ts for one in failed} - {None}
        held = await sent_at(self._reading.database, sorted(time for time in times if time))
        self._outcome.new += await self._reading.deliver(absent(failed, held), "recovered")
