"""How often one request is tried before it is given up."""

import random
from typing import Final

import structlog

from projector.rest.clock import Clock
from projector.rest.failures import RestUnavailable
from projector.rest.transport import NoAnswer

MOST_ATTEMPTS: Final = 5
MOST_SECONDS: Final = 120.0
# Of "too many requests": the budget waits in between, so these may take an hour, or days of a daily limit.
MOST_REFUSALS: Final = 60

_logger = structlog.get_logger()


class Patience:
    """Waits between the attempts of one request, longer each time, and ends them.

    `asked`: what for, as in "users".
    """

    def __init__(self, clock: Clock, asked: str) -> None:
        self._clock = clock
        self._asked = asked
        self._attempts = 0
        self._refusals = 0
        self._spent = 0.0

    async def wait(self, trouble: NoAnswer) -> None:
        """Wait before the next attempt; raises RestUnavailable where there is to be none."""
        self._attempts += 1
        self._spent += trouble.seconds
        if self._attempts >= MOST_ATTEMPTS or self._spent >= MOST_SECONDS:
            raise RestUnavailable(
                f"Zoom's REST API {trouble}, asked {self._attempts} times for {self._asked}; check the "
                "network and https://status.zoom.us, and run this again"
            )
        _logger.warning("asked_in_vain", asked=self._asked, reason=str(trouble))
        most = 2.0 ** (self._attempts - 1)
        pause = random.uniform(most / 2, most)  # noqa: S311  jitter
        self._spent += pause
        await self._clock.sleep(pause)

    def refused(self) -> None:
        """Count a "too many requests"; raises RestUnavailable where that is all Zoom says."""
        self._refusals += 1
        if self._refusals >= MOST_REFUSALS:
            raise RestUnavailable(
                f"Zoom's REST API has answered {self._refusals} times that there are too many requests, "
                f"asked for {self._asked}; see which other app of the account uses up its rates, "
                "lower PROJECTOR_ZOOM_API_SHARE, and run this again"
            )
