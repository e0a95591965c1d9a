"""The application: its routes, and who may take them."""

import asyncio
from typing import Final

from aiohttp import web

from projector.console.access.door import enter, leave
from projector.console.actions.answering import answering as answering_action
from projector.console.actions.every import ACTIONS
from projector.console.answering import Handler, page, with_errors, with_headers
from projector.console.asked import Asked
from projector.console.errors import NotThere
from projector.console.pages import Page
from projector.console.pages.every import PAGES
from projector.console.parts import PARTS, Parts
from projector.console.rendering import static_files
from projector.console.snapshot import Source, snapshot
from projector.database import Database

TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
A_YEAR: Final = 31_536_000
LARGEST_FORM: Final = 16 * 1024  # bytes
PAGE_SECONDS: Final = 20.0


def make_app(parts: Parts) -> web.Application:
    """Return the application of one process."""
    app = web.Application(
        middlewares=[with_headers, with_errors, _with_visitor], client_max_size=LARGEST_FORM
    )
    app[PARTS] = parts
    app.on_cleanup.append(_end_readings)
    app.router.add_get("/static/{name}", _static)
    app.router.add_get("/livez", _livez)
    app.router.add_get("/enter", enter)
    app.router.add_post("/leave", leave)
    for one in PAGES:
        app.router.add_get(one.path, _answering(one))
    for action in ACTIONS:
        app.router.add_post(f"/actions/{action.path}", answering_action(action))
    return app


async def _end_readings(app: web.Application) -> None:
    await app[PARTS].lately.close()


@web.middleware
async def _with_visitor(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in whom the way in knows; what is open to everybody needs nobody."""
    access = request.app[PARTS].access
    access.check(request)
    if request.match_info.handler not in _OPEN:
        access.visitor(request)
    return await handler(request)


def _source(parts: Parts, database: Database) -> Source:
    settings = parts.settings
    return Source(
        database,
        parts.lately,
        parts.not_subscribed,
        settings.quarantine_rows,
        settings.quarantine_bytes,
    )


def _answering(one: Page) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked = Asked(request.query, request.match_info)
        parts = request.app[PARTS]
        source = _source(parts, await parts.reach.database())
        async with asyncio.timeout(PAGE_SECONDS), snapshot(source) as read:
            shown = await one.read(asked, read)
        return page(request, one.template, section=one.section, **shown)

    return answer


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


_OPEN: Final = frozenset({_static, _livez, enter})
