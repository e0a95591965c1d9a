"""Who is gone: absent from complete listings, asked for by id, and asked again. Nobody else is ended."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from projector.observations.outcome import Outcome
from projector.observations.reading import AT_ONCE, Reading
from projector.rest.answers import Answer
from projector.rest.failures import NotThere
from projector.tasks import side_by_side

# A reading may end so many of the known whatever their share.
ALWAYS_ALLOWED: Final = 5

Ask = Callable[[str], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Kind:
    """What is missed: its names in a sentence, and the codes by which Zoom says that it is not there."""

    one: str
    many: str
    codes: frozenset[int]


PEOPLE: Final = Kind("person", "people", frozenset({1001}))
GROUPS: Final = Kind("group", "groups", frozenset({4130, 1010}))


@dataclass
class Asked:
    """What asking for the missing gave, by id: times (epoch milliseconds) of those gone; who is there."""

    gone: dict[str, int] = field(default_factory=dict)
    there: dict[str, Answer] = field(default_factory=dict)
    untold: int = 0


async def missed(
    reading: Reading, outcome: Outcome, kind: Kind, missing: Sequence[str], known: int, ask: Ask
) -> Asked:
    """Ask for the missing, twice with a pause for those that are not there; refuses to end too many.

    `known`: how many the directory shows. `ask` raises NotThere, and returns None where it may not ask. A
    refusal fails the section, and then nobody is gone.
    """
    allowed = max(math.floor(known * reading.options.max_removals), ALWAYS_ALLOWED)
    first = await _ask(kind, missing, ask, most=allowed)
    if len(first.gone) > allowed:
        outcome.fail(_too_many(kind, len(missing), known, allowed))
        first.gone.clear()
        return first
    if first.gone:
        await asyncio.sleep(reading.options.recheck_seconds)
        again = await _ask(kind, list(first.gone), ask, most=allowed)
        first.gone = again.gone
        first.there |= again.there
        first.untold += again.untold
    if first.untold:
        outcome.unreadable[f"missing {kind.many}"] = (
            f"{first.untold} in no listing are neither shown nor denied when asked for by id, and stay"
        )
    return first


async def _ask(kind: Kind, ids: Sequence[str], ask: Ask, *, most: int) -> Asked:
    """Ask for each, several at once; stops once more than `most` are not there."""
    found = Asked()

    async def one(entity_id: str) -> None:
        try:
            answer = await ask(entity_id)
        except NotThere as error:
            if error.code in kind.codes:
                found.gone[entity_id] = error.as_of_ms
            else:
                found.untold += 1
            return
        if answer is None:
            found.untold += 1
        else:
            found.there[entity_id] = answer

    for start in range(0, len(ids), AT_ONCE):
        await side_by_side(*map(one, ids[start : start + AT_ONCE]))
        if len(found.gone) > most:
            break
    return found


def _too_many(kind: Kind, missing: int, known: int, allowed: int) -> str:
    percent = math.ceil(100 * missing / known) if known else 100
    return (
        f"{missing:,} of the {known:,} {kind.many} in the directory are in no listing, and more than the "
        f"{allowed:,} that may be removed at once are denied when asked for: nobody was removed; where that "
        f"is right, run this again with --max-removals {percent}%"
    )
