"""The way in behind a sign-on proxy, which says in a header who is looking."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from projector.console.access.visitor import NotLetIn, Visitor, peer_of
from projector.ingress.clients import Network, within

LONGEST_NAME: Final = 254  # an e-mail address; no name of ours is longer


class Proxied:
    """The user is whom the header names, once, in a connection from a trusted proxy."""

    def __init__(self, header: str, trusted: Sequence[Network]) -> None:
        self._header = header
        self._trusted = tuple(trusted)

    def check(self, request: web.Request) -> None:
        """Nothing: what a proxy is called from outside is the proxy's own affair."""

    def visitor(self, request: web.Request) -> Visitor:
        """Return the user. Raises NotLetIn; there is no other way in."""
        peer = peer_of(request)
        if peer is None or not within(self._trusted, peer):
            raise NotLetIn(
                "not_by_the_proxy",
                "this console is reached through the sign-on proxy alone; open it there, or name the address "
                "that the proxy connects from in PROJECTOR_TRUSTED_PROXIES",
            )
        names = request.headers.getall(self._header, [])
        if len(names) != 1 or not _is_name(names[0]):
            raise NotLetIn(
                "no_user" if not names else "not_one_user",
                f"the sign-on proxy must name one user in the header {self._header}, and remove what came in "
                "under that name; look at its configuration",
            )
        return Visitor(names[0], f"user {names[0]}", leaves=False)


def _is_name(text: str) -> bool:
    """Whether a header holds one name: a comma is how two headers of one name may be joined."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and "," not in text
