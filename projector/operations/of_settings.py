"""Settings that contradict one another. Those of other processes show only where they are this one's too."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from projector.config import Settings
from projector.errors import ConfigurationError
from projector.operations.finding import Finding, note, warning
from projector.operations.words import listed
from projector.rest.session import missing_credentials
from projector.zoom.catalogue import ALIASES, EVENTS


def not_subscribed(settings: Settings) -> frozenset[str]:
    """The events that are left out on purpose. Raises ConfigurationError for a name that is no event's."""
    given = [name.strip() for name in settings.not_subscribed.split(",") if name.strip()]
    names = [ALIASES.get(name, name) for name in given]
    for name in names:
        if name not in EVENTS:
            near = get_close_matches(name, EVENTS, n=1, cutoff=0)
            raise ConfigurationError(
                f"PROJECTOR_NOT_SUBSCRIBED names an event that Zoom does not send; is {near[0]} meant? "
                "Separate names by commas"
            )
    return frozenset(names)


def of_settings(settings: Settings) -> Iterator[Finding]:
    """What cannot be meant. Raises ConfigurationError where a file that holds a setting cannot be read."""
    if settings.allow_unsigned and settings.secrets():
        yield warning(
            "settings", "PROJECTOR_ALLOW_UNSIGNED",
            "takes deliveries without a signature, though secrets are set",
            "unset it, or the secrets",
        )  # fmt: skip
    missing, given = missing_credentials(settings)
    if missing and (given or settings.zoom_app_id is not None):
        present = "PROJECTOR_ZOOM_APP_ID" if not given else listed(given)
        yield warning(
            "settings", "credentials of Zoom's REST API",
            f"{listed(missing)} not set, though {present} is: nothing reconciles",
            "set all three, or none",
        )  # fmt: skip
    nothing = [
        f"PROJECTOR_{name.upper()}"
        for name in ("quarantine_rows", "quarantine_bytes", "quarantine_per_second")
        if not getattr(settings, name)
    ]
    if nothing:
        yield warning(
            "settings", listed(nothing),
            "0: a genuine delivery that is refused, as after a change of secrets, is lost for ever",
            "unset it, or set it to more than 0",
        )  # fmt: skip


def of_not_subscribed(not_subscribed: Collection[str], came: Collection[str]) -> Iterator[Finding]:
    """Events that are said to be left out, and come."""
    if both := sorted(set(not_subscribed) & set(came)):
        yield note(
            "settings", "PROJECTOR_NOT_SUBSCRIBED", f"names {listed(both)}, which came within the last day",
            "take out what is subscribed to: its silence would not be told",
        )  # fmt: skip
