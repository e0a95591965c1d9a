"""The way in on a loopback address: a one-time address begins a session."""

import re
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from projector.console.access.one_time import OneTimeKeys
from projector.console.access.sessions import SESSION_SECONDS, Sessions
from projector.console.access.visitor import NotEntered, NotLetIn, Visitor

_NAMED: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::\d{1,5})?")


class Entered:
    """Whoever has a session is the system's user, who made the address that began it."""

    def __init__(self, keys: OneTimeKeys, sessions: Sessions, user: str) -> None:
        self._keys = keys
        self._sessions = sessions
        self._user = user

    def check(self, request: web.Request) -> None:
        """Raise NotLetIn where a browser was led here under a name that is not this machine's."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not names_this_machine(hosts[0]):
            raise NotLetIn(
                "host",
                "this console answers to 127.0.0.1 and localhost alone; open it at the address that "
                "`projector console --address` prints",
            )

    def visitor(self, request: web.Request) -> Visitor:
        """Return the system's user. Raises NotEntered without a session."""
        session = self._session(request)
        if session is None:
            raise NotEntered("you have no session here, or it is over")
        return Visitor(self._user, session, leaves=True)

    def enter(self, request: web.Request, response: web.Response) -> None:
        """Begin a session by the key of an address. Raises NotEntered.

        A key that is no good harms nobody who is in already: a browser's way back leads to it.
        """
        try:
            self._keys.take(request.query.get("key", ""))
        except NotEntered:
            if self._session(request) is None:
                raise
            return
        response.set_cookie(
            cookie_of(request), self._sessions.begin(),
            max_age=SESSION_SECONDS, path="/", httponly=True, samesite="Strict",
        )  # fmt: skip

    def leave(self, visitor: Visitor) -> None:
        """End a visitor's session, at once and everywhere."""
        self._sessions.end(visitor.subject)

    def forget(self, request: web.Request, response: web.Response) -> None:
        """Have the browser forget the cookie, which is worth nothing any more."""
        response.del_cookie(cookie_of(request), path="/", httponly=True, samesite="Strict")

    def _session(self, request: web.Request) -> str | None:
        return self._sessions.known(request.cookies.get(cookie_of(request)))


def cookie_of(request: web.Request) -> str:
    """Return the name of the session's cookie. Cookies do not tell ports apart, so their names do."""
    here = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return f"directory-console-{here[1] if here else 0}"


def names_this_machine(host: str) -> bool:
    """Whether the Host of a request is a name or an address of the loopback; any port, as of a tunnel."""
    found = _NAMED.fullmatch(host)
    if found is None:
        return False
    name = found[1].strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
