"""The routes by which one comes in and leaves."""

import structlog
from aiohttp import web

from projector.console.access.entered import Entered
from projector.console.access.forgery import check_origin
from projector.console.answering import page
from projector.console.errors import NotThere
from projector.console.forms import form_of
from projector.console.parts import PARTS

_log = structlog.get_logger()


async def enter(request: web.Request) -> web.Response:
    """Take a one-time address, and lead on from a page of ours.

    A redirect would still count as coming from wherever the link stood, and the cookie, which is for this
    site alone, would not be sent with it.
    """
    access = _entered(request)
    response = page(request, "enter.html.j2", section="")
    # The key is in this page's address: it goes nowhere from here.
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.method == "GET":  # HEAD is how programs look at links
        access.enter(request, response)
        _log.info("console_entered")
    return response


async def leave(request: web.Request) -> web.Response:
    """End the session, for every copy of its cookie."""
    access, parts = _entered(request), request.app[PARTS]
    visitor = access.visitor(request)
    check_origin(request)
    parts.tokens.check(visitor.subject, (await form_of(request)).get("token", ""))
    access.leave(visitor)
    response = page(request, "left.html.j2", section="")
    access.forget(request, response)
    _log.info("console_left")
    return response


def _entered(request: web.Request) -> Entered:
    access = request.app[PARTS].access
    if not isinstance(access, Entered):
        raise NotThere(
            "one comes in, and leaves, at the sign-on proxy; there is no other way in here"
        )
    return access
