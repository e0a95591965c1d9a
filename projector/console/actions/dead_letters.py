"""Dead letters, folded again or dismissed."""

from collections.abc import Sequence
from typing import Final

from projector.console.actions import Acting, Action, reason_in, recorded
from projector.console.asked import Asked
from projector.console.errors import Misasked
from projector.operations import dead_letters
from projector.state.dead_letters import Left

MOST_SHOWN: Final = 3


async def _retry(asked: Asked, acting: Acting) -> str:
    position = asked.position("position")
    positions = None if position is None else [position]
    done, act = await dead_letters.retry(acting.database, positions, acting.who)
    return f"folded {done.folded}, left {len(done.left)}{_reasons(done.left)}{recorded([act])}"


def _reasons(left: Sequence[Left]) -> str:
    told = [f"{one.position} in {one.projection} ({one.why})" for one in left[:MOST_SHOWN]]
    more = ", …" if len(left) > MOST_SHOWN else ""
    return f": {', '.join(told)}{more}" if told else ""


async def _dismiss(asked: Asked, acting: Acting) -> str:
    position = asked.position("position")
    if position is None:
        raise Misasked("the form must name a position")
    done = await dead_letters.dismiss(
        acting.database,
        position,
        projection=asked.text("projection"),
        reason=reason_in(asked),
        who=acting.who,
    )
    names = ", ".join(letter.projection for letter in done.letters)
    return f"dismissed position {position} in {names}{recorded(done.acts)}"


RETRY: Final = Action("dead-letters/retry", _retry)
DISMISS: Final = Action("dead-letters/dismiss", _dismiss)
