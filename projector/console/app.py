"""The application: routes, the headers of every answer, and what becomes of errors."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web

from projector.console.asked import Asked
from projector.console.errors import Misasked, NotThere
from projector.console.pages import Page
from projector.console.pages.every import PAGES
from projector.console.rendering import render, static_files
from projector.console.snapshot import snapshot
from projector.database import TROUBLE, Database
from projector.database_reasons import reason_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_logger = structlog.get_logger()

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
}
TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
A_YEAR: Final = 31_536_000
SMALLEST_COMPRESSED: Final = 1024  # bytes

DATABASE: Final = web.AppKey("database", Database)


def make_app(database: Database) -> web.Application:
    """Return the application; `database`: as an operator or a reader."""
    app = web.Application(middlewares=[_with_headers, _with_errors])
    app[DATABASE] = database
    app.router.add_get("/static/{name}", _static)
    app.router.add_get("/livez", _livez)
    for page in PAGES:
        app.router.add_get(page.path, _answering(page))
    return app


def _answering(page: Page) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked = Asked({**request.query, **request.match_info})
        async with snapshot(request.app[DATABASE]) as read:
            shown = await page.read(asked, read)
        return _page(request, page.template, section=page.section, **shown)

    return answer


def _page(request: web.Request, template: str, status: int = 200, **shown: Any) -> web.Response:
    text = render(template, here=request.path_qs, path=request.path, **shown)
    response = web.Response(text=text, status=status, content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    if len(text) >= SMALLEST_COMPRESSED:
        response.enable_compression()
    return response


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.headers.update(HEADERS)
    return response


@web.middleware
async def _with_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is a page that says what to do; what is in an address is not logged."""
    try:
        return await handler(request)
    except Misasked as error:
        return _failed(request, 400, "That cannot be asked", str(error))
    except NotThere as error:
        return _failed(request, 404, "Not there", str(error))
    except web.HTTPNotFound:
        return _failed(
            request, 404, "Not there", "there is no such page; the menu shows those there are"
        )
    except TROUBLE as error:
        reason = reason_of(error)
        _logger.warning("console_page_failed", word=reason.word, reason=reason.sentence)
        return _failed(request, 503, "The database does not answer", reason.sentence)


def _failed(request: web.Request, status: int, title: str, what: str) -> web.Response:
    return _page(request, "failed.html.j2", status, section="", title=title, what=what)


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    body = static_files().get(name)
    if body is None:
        raise NotThere("there is no such file")
    response = web.Response(body=body, content_type=TYPES[name.rsplit(".", 1)[-1]], charset="utf-8")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    response.enable_compression()
    return response


async def _livez(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "alive"})
