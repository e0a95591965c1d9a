"""What the settings ask for, and what they may not: a console that is open to others."""

from collections.abc import Sequence

from projector.config import Settings
from projector.errors import ConfigurationError
from projector.ingress.clients import Network, trusted_networks
from projector.listening import is_loopback

_PROXIES = "PROJECTOR_TRUSTED_PROXIES"
_HEADER = "PROJECTOR_CONSOLE_USER_HEADER"


def check_console(settings: Settings) -> Sequence[Network]:
    """Return the proxies that name users. Raises ConfigurationError where anybody could come in."""
    trusted = trusted_networks(settings.trusted_proxies)
    if not settings.console_user_header:
        if is_loopback(settings.console_host):
            return ()
        raise ConfigurationError(
            "PROJECTOR_CONSOLE_HOST is no loopback address, and there the console takes users from a sign-on "
            f"proxy alone: set {_HEADER} to the header in which that names the user and {_PROXIES} to the "
            "address that it connects from, or set PROJECTOR_CONSOLE_HOST to 127.0.0.1"
        )
    if not trusted:
        raise ConfigurationError(
            f"{_HEADER} is set and nobody is trusted to send it: set {_PROXIES} to the address that the "
            "sign-on proxy connects from"
        )
    if any(network.prefixlen == 0 for network in trusted):
        raise ConfigurationError(
            f"{_PROXIES} holds every address, so anybody could name a user to the console; leave in it the "
            "address that the sign-on proxy connects from"
        )
    return trusted


def operators_of(settings: Settings) -> frozenset[str]:
    """Return who may act, in lower case."""
    names = (name.strip().lower() for name in settings.console_operators.split(","))
    return frozenset(name for name in names if name)
