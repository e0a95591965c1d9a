"""The fast path of a delivery: from its bytes to the group commit, without a task."""

from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import HttpVersion11

from projector.errors import AppendRefused
from projector.ingress.acknowledgement import acknowledgement, busy
from projector.ingress.exchange import PLAIN_NAME, Exchange, begin_exchange
from projector.ingress.judge import Append, Judged
from projector.ingress.limits import ANSWER_SECONDS
from projector.ingress.problems import Problem
from projector.ingress.protocol import FastProtocol
from projector.ingress.webhooks import PATH, Webhooks
from projector.log.append import Appended

_NAMED: Final = PATH + "/"
_logger: Any = structlog.get_logger()


class FastPath:
    """Judges requests that arrived whole, and appends valid deliveries.

    Any other decision is stored on the connection, for the plain path to carry out.
    """

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def take(self, message: Any, body: bytes, now: float, connection: FastProtocol) -> bool:
        """Take a request, to be answered by `connection.answer`; False: it takes the plain path.

        `now` is in seconds of the event loop's clock.
        """
        webhooks, path, headers = self._webhooks, message.path, message.headers
        if (
            message.method != "POST"
            or message.version != HttpVersion11
            or message.should_close
            or message.upgrade
            or "Expect" in headers
            or webhooks.closing
            or len(body) > webhooks.bodies.limit
        ):
            return False
        named = None
        if path != PATH:
            named = path.removeprefix(_NAMED)
            if named == path or not PLAIN_NAME.fullmatch(named):
                return False
        exchange = begin_exchange(headers, connection.remote, named, now)
        exchange.body = body
        try:
            decision = webhooks.judge(exchange)
            if type(decision) is Append:
                waiter = _Answering(webhooks, exchange, connection)
                webhooks.commit.put(decision.delivery, exchange.started + ANSWER_SECONDS, waiter)
                return True
        except AppendRefused:  # the queue is full: the plain path finds the same, and answers
            pass
        except Exception as error:  # noqa: BLE001  the plain path finds the same, and answers
            _logger.debug("fast path", error=type(error).__name__)
            return False
        connection.judged = Judged(exchange, decision)
        return False


class _Answering:
    """A waiter that answers a delivery once the group commit has appended or refused it."""

    __slots__ = ("_connection", "_done", "_exchange", "_webhooks")

    def __init__(self, webhooks: Webhooks, exchange: Exchange, connection: FastProtocol) -> None:
        self._webhooks = webhooks
        self._exchange = exchange
        self._connection = connection
        self._done = False

    def done(self) -> bool:
        """Whether the delivery is answered."""
        return self._done

    def set_result(self, appended: Appended, /) -> None:
        """Answer 200."""
        self._done = True
        webhooks, exchange = self._webhooks, self._exchange
        webhooks.acknowledged(exchange, appended)
        last = webhooks.draining
        self._connection.answer(acknowledgement(exchange.body, appended, last), last=last)
        webhooks.log.note(exchange, HTTPStatus.OK.value)

    def set_exception(self, _refused: AppendRefused, /) -> None:
        """Answer 503."""
        self._done = True
        webhooks, exchange = self._webhooks, self._exchange
        exchange.outcome = Problem.BUSY.slug
        last = webhooks.draining
        self._connection.answer(busy(last), last=last)
        webhooks.log.note(exchange, Problem.BUSY.status)
