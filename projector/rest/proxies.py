"""The proxy that the environment names (HTTPS_PROXY, NO_PROXY), which many organisations need to reach Zoom.

aiohttp would read ~/.netrc along with these, and then stumble over our own Authorization.
"""

from functools import cache
from typing import Final
from urllib.request import getproxies, proxy_bypass

from yarl import URL

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@cache
def proxy_for(origin: URL) -> str | None:
    """The proxy to ask this origin through, as it is when first asked for; None: none."""
    host = origin.host or ""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(origin.scheme)
