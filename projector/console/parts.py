"""What one console process is made of, as every request finds it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from projector.config import Settings
from projector.console.access.forgery import Tokens
from projector.console.access.visitor import Access, Visitor
from projector.console.lately import Lately
from projector.console.messages import Messages
from projector.console.reach import Reach
from projector.console.rebuilds import Rebuilds
from projector.telemetry import Recurring


@dataclass(frozen=True)
class Parts:
    """`operators`: who may act, in lower case. `refused`: logs who was not let in, of many the first.

    `not_subscribed`: events that are left out of the subscription on purpose.
    """

    settings: Settings
    reach: Reach
    access: Access
    operators: AbstractSet[str]
    rebuilds: Rebuilds
    not_subscribed: frozenset[str] = frozenset()
    lately: Lately = field(default_factory=Lately)
    tokens: Tokens = field(default_factory=Tokens)
    messages: Messages = field(default_factory=Messages)
    refused: Recurring = field(
        default_factory=lambda: Recurring(structlog.get_logger(), "console_refused", level="info")
    )

    def cannot_act(self, visitor: Visitor) -> str | None:
        """Return why somebody may look and not act, and what to do about it; or None."""
        if visitor.name.lower() not in self.operators:
            return (
                f"you are {visitor.name}, who may look and not act: whoever runs the console adds that name "
                "to PROJECTOR_CONSOLE_OPERATORS and starts it again"
            )
        return self.reach.cannot_act


PARTS: Final = web.AppKey("parts", Parts)
