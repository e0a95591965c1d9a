"""How an action is answered: who may, from where, and what came of it."""

from functools import partial

import structlog
from aiohttp import web

from projector.console.access.forgery import check_origin
from projector.console.access.visitor import NotLetIn, Visitor
from projector.console.actions import Acting, Action
from projector.console.answering import Handler, failure
from projector.console.asked import Asked
from projector.console.forms import form_of, way_back
from projector.console.messages import Message
from projector.console.parts import PARTS, Parts

_log = structlog.get_logger()


def answering(action: Action) -> Handler:
    """Return what answers the POST of an action."""

    async def answer(request: web.Request) -> web.StreamResponse:
        parts = request.app[PARTS]
        visitor = parts.access.visitor(request)
        check_origin(request)
        _check_operator(parts, visitor)
        form = await form_of(request)
        parts.tokens.check(visitor.subject, form.pop("token", ""))
        back = way_back(form.pop("back", ""))
        try:
            told = await action.deed(Asked(form), await _acting(parts, visitor))
        except Exception as error:  # noqa: BLE001  whatever it is, it becomes a page
            _log.info("console_action", action=action.path, done=False, why=type(error).__name__)
            return failure(request, error, back)
        _log.info("console_action", action=action.path, done=True)
        parts.messages.add(visitor.subject, Message(told))
        return web.Response(status=303, headers={"Location": back, "Cache-Control": "no-store"})

    return answer


def _check_operator(parts: Parts, visitor: Visitor) -> None:
    why = parts.cannot_act(visitor)
    if why is not None:
        raise NotLetIn("no operator", why)


async def _acting(parts: Parts, visitor: Visitor) -> Acting:
    return Acting(
        visitor.name,
        await parts.reach.database(),
        parts.settings,
        parts.rebuilds,
        partial(_tell_later, parts, visitor.subject),
    )


def _tell_later(parts: Parts, subject: str, sentence: str) -> None:
    parts.messages.add(subject, Message(sentence, bad=True))
