"""How requests are answered: pages, the headers of every answer, and what becomes of errors."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web

from projector.console.access.visitor import NotEntered, NotLetIn, Visitor, peer_of
from projector.console.errors import Elsewhere, Misasked, NotThere
from projector.console.parts import PARTS
from projector.console.rendering import render
from projector.database import TROUBLE
from projector.database_reasons import reason_of
from projector.errors import DatabaseUnavailable, ProjectorError, SchemaMismatch
from projector.rest.session import has_credentials

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = structlog.get_logger()

# Nothing inline, nothing from elsewhere, nobody's frame.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "directory-projector",
}
SMALLEST_COMPRESSED: Final = 1024  # bytes
# The first that an error is of.
_TITLES: Final = (
    (Misasked, 400, "That cannot be asked"),
    (NotThere, 404, "Not there"),
    (SchemaMismatch, 503, "The database's schema does not fit"),
    (DatabaseUnavailable, 503, "The database does not answer"),
    (ProjectorError, 409, "That was not done"),
)


def page(request: web.Request, template: str, status: int = 200, **shown: Any) -> web.Response:
    """Return a page; every template also gets what `_for_every_page` returns."""
    text = render(template, **_for_every_page(request), **shown)
    response = web.Response(text=text, status=status, content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    if len(text) >= SMALLEST_COMPRESSED:
        response.enable_compression()
    return response


def _for_every_page(request: web.Request) -> dict[str, Any]:
    """Where the page is, who looks at it, whether and how they may act, and what came of what they did."""
    parts, visitor = request.app[PARTS], _visitor(request)
    shown = {"here": request.path_qs, "path": request.path}
    if visitor is None:
        return shown | {
            "user": None, "may_leave": False, "may_act": False, "cannot_act": None,
            "can_reconcile": False, "token": "", "said": (),
        }  # fmt: skip
    cannot_act = parts.cannot_act(visitor)
    # A script that follows a page shows no message, and must not use one up.
    opened = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return shown | {
        "user": visitor.name,
        "may_leave": visitor.leaves,
        "may_act": cannot_act is None,
        "cannot_act": cannot_act,
        "can_reconcile": has_credentials(parts.settings),
        "token": parts.tokens.of(visitor.subject),
        "said": parts.messages.take(visitor.subject) if opened else (),
    }


def _visitor(request: web.Request) -> Visitor | None:
    try:
        return request.app[PARTS].access.visitor(request)
    except (NotEntered, NotLetIn):
        return None


def failed(
    request: web.Request, status: int, title: str, what: str, *, back: str | None = None
) -> web.Response:
    """Return a page that says what went wrong; `back`: from where it can be tried again."""
    again = request.path_qs if back is None else back
    return page(request, "failed.html.j2", status, section="", title=title, what=what, again=again)


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Add the headers that every answer has."""
    response = await handler(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@web.middleware
async def with_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is a page that says what to do; what is in a request is not logged."""
    try:
        return await handler(request)
    except NotEntered as error:
        _log_refusal(request, "no session")
        return page(request, "outside.html.j2", 401, section="", what=str(error))
    except NotLetIn as error:
        _log_refusal(request, error.word)
        return failed(request, 403, "Not let in", str(error), back="/")
    except Elsewhere as elsewhere:
        return web.Response(status=303, headers={"Location": str(elsewhere)})
    except web.HTTPException as error:
        return _refusal_of_aiohttp(request, error)
    except Exception as error:  # noqa: BLE001  whatever it is, it becomes a page
        return failure(request, error)


def _log_refusal(request: web.Request, why: str) -> None:
    request.app[PARTS].refused(why, why=why, peer=peer_of(request))


def failure(request: web.Request, error: Exception, back: str | None = None) -> web.Response:
    """Return the page of an error; one that nobody expected is logged, without its message."""
    for kind, status, title in _TITLES:
        if isinstance(error, kind):
            return failed(request, status, title, str(error), back=back)
    # What the database refuses for no known reason, such as a wrong argument, is a bug of a page.
    if isinstance(error, TROUBLE) and (reason := reason_of(error)).word != "other":
        _log.warning("console_page_failed", word=reason.word, reason=reason.sentence)
        return failed(request, 503, "The database does not do this now", reason.sentence, back=back)
    _log.error("console_failed", exc_info=error)
    what = "an unexpected error; the console's log says where it came from"
    return failed(request, 500, "Something is broken here", what, back=back)


def _refusal_of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        what = f"this address takes {allowed} alone; actions are buttons on the pages"
        response = failed(request, 405, "Not done this way", what, back="/")
        response.headers["Allow"] = allowed
        return response
    if error.status == web.HTTPNotFound.status_code:
        what = "there is no such page; the menu shows those there are"
        return failed(request, 404, "Not there", what, back="/")
    return failed(request, error.status, "That cannot be taken", error.reason, back="/")
