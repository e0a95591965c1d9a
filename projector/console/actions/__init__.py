"""What an operator does from a page: each the same deed as a command's, with the same event in the log.

An action is a path and a function from what the form says and who acts to a sentence of what came of it; it
raises ProjectorError with the sentence of what was in its way.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from projector.config import Settings
from projector.console.asked import Asked
from projector.console.errors import Misasked
from projector.console.rebuilds import Rebuilds
from projector.database import Database
from projector.errors import ConfigurationError
from projector.operations.actor import LONGEST, said


class Acting(NamedTuple):
    """Who acts, on what. `failed`: tells them later of what failed later."""

    who: str
    database: Database
    settings: Settings
    rebuilds: Rebuilds
    failed: Callable[[str], None]


Deed = Callable[[Asked, Acting], Awaitable[str]]


class Action(NamedTuple):
    """One action; `path` is below /actions/."""

    path: str
    deed: Deed


def reason_in(asked: Asked) -> str:
    """Return the reason that somebody gave. Raises Misasked where it says nothing."""
    try:
        return said("the reason", asked.text("reason", longest=LONGEST) or "")
    except ConfigurationError as error:
        raise Misasked(str(error)) from None


def recorded(positions: Iterable[int | None]) -> str:
    """Say where acts stand in the log; nothing where there are none."""
    told = sorted(position for position in positions if position is not None)
    if not told:
        return ""
    if len(told) == 1:
        return f"; recorded at position {told[0]}"
    return f"; recorded at positions {told[0]} to {told[-1]}"
