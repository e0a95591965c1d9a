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
from projector.zoom.catalogue import GROUP_GONE, USER_GONE

# A reading may end so many of the known whatever their share.
ALWAYS_ALLOWED: Final = 5

Ask = Callable[[str], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Kind:
    """What is missed: its name in a sentence, the codes by which Zoom denies it, the event of its end."""

    many: str
    codes: frozenset[int]
    gone: str


PEOPLE: Final = Kind("people", frozenset({1001}), USER_GONE)
GROUPS: Final = Kind("groups", frozenset({4130, 1010}), GROUP_GONE)


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


async def tell_gone(reading: Reading, outcome: Outcome, kind: Kind, asked: Asked) -> None:
    """Append the end of those who are gone."""
    outcome.gone += len(asked.gone)
    await reading.append(
        [
            reading.facts.body(kind.gone, as_of_ms, {"id": entity_id})
            for entity_id, as_of_ms in asked.gone.items()
        ]
    )


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
