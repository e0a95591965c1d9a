"""Who is looking, or why nobody may."""

from typing import NamedTuple, Protocol

from aiohttp import web

from projector.errors import ProjectorError


class Visitor(NamedTuple):
    """Somebody who came in. `subject`: what their tokens are bound to. `leaves`: by a button of ours."""

    name: str
    subject: str
    leaves: bool


class NotEntered(ProjectorError):
    """Nobody is known here: 401. The sentence says why; the page, how to come in."""


class NotLetIn(ProjectorError):
    """This request is refused: 403. `word` says why in the log; the sentence holds nothing of the request."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


class Access(Protocol):
    """A way in."""

    def check(self, request: web.Request) -> None:
        """Raise NotLetIn for a request that nobody of ours would make, whatever it asks for."""

    def visitor(self, request: web.Request) -> Visitor:
        """Return who is looking. Raises NotEntered and NotLetIn."""


def peer_of(request: web.Request) -> str | None:
    """Return the address at the other end of the connection."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(peer[0]) if isinstance(peer, tuple) else None
