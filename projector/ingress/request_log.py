"""Metrics and one log line for each request to a webhook route, after its answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from projector.ingress.clients import Network, client_of
from projector.ingress.exchange import Exchange
from projector.ingress.metrics import Metrics, event_label
from projector.telemetry import info_lines


@dataclass(slots=True)
class RequestLog:
    """Counts and logs requests, after all answers of one turn of the event loop.

    Counting and logging between two answers would delay the second.
    """

    metrics: Metrics
    trusted: tuple[Network, ...] = ()
    write: Callable[[dict[str, Any]], None] = field(default_factory=info_lines)
    _answered: list[tuple[Exchange, int, float]] = field(default_factory=list)

    def note(self, exchange: Exchange, status: int) -> None:
        """Note that a request was answered just now."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._tell)
        self._answered.append((exchange, status, time.perf_counter() - exchange.clock))

    def _tell(self) -> None:
        answered, self._answered = self._answered, []
        for exchange, status, seconds in answered:
            event, outcome = event_label(exchange.event), exchange.outcome
            self.metrics.delivery(event, outcome)
            if exchange.position is not None:
                self.metrics.acknowledge_seconds.observe(seconds)
            self.write(
                {
                    "request_id": exchange.request_id,
                    "delivery": event,
                    "outcome": outcome,
                    "status": status,
                    "seconds": round(seconds, 6),
                    "position": exchange.position,
                    "client": client_of(exchange.remote, exchange.headers, self.trusted),
                    "event": "request",
                }
            )
