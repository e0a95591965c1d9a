"""Values as a page writes them: exact, whatever their size."""

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def number(value: int | None) -> str:
    """A whole number with thin spaces between thousands; a dash for None."""
    return "\u2013" if value is None else f"{value:,}".replace(",", "\u202f")


def iso(moment: datetime) -> str:
    """A moment for machines, to the microsecond that is known."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def exact(moment: datetime) -> str:
    """A moment for people, in UTC, to the second, and to the millisecond where there are any."""
    utc = moment.astimezone(UTC)
    text = utc.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}.{utc.microsecond // 1000:03d} UTC" if utc.microsecond else f"{text} UTC"


def duration(seconds: float) -> str:
    """A length of time in its two greatest units: `3 d 4 h`, `12 s`."""
    left = int(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
        if len(parts) == 2:  # noqa: PLR2004  two units say enough
            break
    return " ".join(parts) or "0 s"
