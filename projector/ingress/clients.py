"""Where a request comes from. Forwarded headers are trusted only from configured proxies."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from multidict import MultiMapping

from projector.errors import ConfigurationError

Network = IPv4Network | IPv6Network


def trusted_networks(text: str) -> tuple[Network, ...]:
    """Parse PROJECTOR_TRUSTED_PROXIES; raises ConfigurationError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(ip_network(part, strict=False) for part in parts)
    except ValueError:
        raise ConfigurationError(
            "PROJECTOR_TRUSTED_PROXIES must be addresses or networks like 10.0.0.0/8, "
            "comma-separated"
        ) from None


@lru_cache(maxsize=1024)
def within(networks: tuple[Network, ...], address: str) -> bool | None:
    """Whether the address is in one of the networks; None if it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return any(parsed in network for network in networks)


def client_of(
    client: str | None, headers: MultiMapping[str], trusted: tuple[Network, ...]
) -> str | None:
    """The address of the client: the peer, or the one that trusted proxies report.

    X-Forwarded-For is read from its end, for as long as every hop is trusted.
    """
    if client is None or not trusted or not within(trusted, client):
        return client
    hops = ",".join(headers.getall("X-Forwarded-For", [])).split(",")
    for hop in reversed([hop.strip() for hop in hops]):
        is_trusted = within(trusted, hop)
        if is_trusted is None:
            break
        client = hop
        if not is_trusted:
            break
    return client
