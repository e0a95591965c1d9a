"""The moment that a page shows, and the one with which it compares that."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from projector.console.asked import Asked

# After every event; the driver sends it as infinity.
FOREVER: Final = datetime.max  # noqa: DTZ901  it is no time of any zone
_EARLIER: Final = {
    "a day ago": timedelta(days=1),
    "a week ago": timedelta(weeks=1),
    "a month ago": timedelta(days=30),
}


class Moments(NamedTuple):
    """`at` is what the page shows, None: now. `versus`: what that is compared with, None: nothing."""

    at: datetime | None
    versus: datetime | None

    @property
    def until(self) -> datetime:
        """The moment shown, or FOREVER."""
        return self.at or FOREVER

    @property
    def compared(self) -> tuple[datetime, datetime] | None:
        """The two moments compared, the earlier one first; None where none are."""
        if self.versus is None:
            return None
        if self.at is None or self.versus < self.at:
            return self.versus, self.until
        return self.at, self.versus


def moments_of(asked: Asked) -> Moments:
    """Return what `at` and `versus` ask for. Raises Misasked."""
    return Moments(asked.moment("at"), asked.moment("versus"))


def earlier() -> dict[str, datetime]:
    """Return moments that people ask for, by what they call them, to the second."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {name: now - length for name, length in _EARLIER.items()}


def just_before(moment: datetime) -> datetime:
    """The last moment before an event: events have times in milliseconds."""
    return moment - timedelta(milliseconds=1)
