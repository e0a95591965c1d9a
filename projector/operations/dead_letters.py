"""Dead letters, worked off: folded again, or dismissed with a reason."""

from collections.abc import Sequence
from typing import NamedTuple

from projector.database import Database
from projector.errors import ProjectorError
from projector.log.read import row_at
from projector.operations.acts import About, Act, record
from projector.state.dead_letters import Listed, Retried, list_dead_letters, retry_dead_letters


class NoDeadLetter(ProjectorError):
    """There is no such dead letter, or none that could be dismissed."""


class Dismissed(NamedTuple):
    """The dead letters that were dismissed, and the position of the act of each."""

    letters: Sequence[Listed]
    acts: Sequence[int]


async def dismiss(
    database: Database, position: int, *, projection: str | None, reason: str, who: str
) -> Dismissed:
    """Dismiss the dead letters of an event, or that in one projection; they count again at no time.

    They leave the views once the act is folded. Raises NoDeadLetter.
    """
    found = await at(database, position)
    mine = [row for row in found if projection in (None, row.projection)]
    if not mine:
        others = ", ".join(row.projection for row in found)
        raise NoDeadLetter(
            f"position {position} has dead letters in {others} alone; name one of these"
        )
    standing = [row for row in mine if row.dismissed_at is None]
    if not standing:
        raise NoDeadLetter(
            f"what position {position} left is dismissed already; `projector dead-letters list --dismissed` "
            "says by whom, and why"
        )
    event = await row_at(database, position)
    account = None if event is None else event.account_id
    about = [
        About({"id": row.digest, "projection": row.projection, "reason": reason}, account)
        for row in standing
    ]
    return Dismissed(standing, await record(database, Act.DEAD_LETTER_DISMISSED, who, *about))


async def at(database: Database, position: int) -> list[Listed]:
    """Return the dead letters of the event at a position, dismissed or not. Raises NoDeadLetter."""
    found = await list_dead_letters(database, dismissed=None, positions=[position])
    if not found:
        raise NoDeadLetter(
            f"position {position} is no dead letter; `projector dead-letters list` shows those there are"
        )
    return found


async def retry(
    database: Database, positions: Sequence[int] | None, who: str
) -> tuple[Retried, int | None]:
    """Fold dead letters again: those at some positions, or all that nobody dismissed.

    Returns what came of it, and the position of the act: None where nothing was folded. Raises NoDeadLetter
    where one of the positions is none.
    """
    for position in positions or ():
        await at(database, position)
    done = await retry_dead_letters(database, positions)
    if not done.folded:
        return done, None
    told = {"folded": done.folded, "left": len(done.left)}
    return done, (await record(database, Act.DEAD_LETTERS_RETRIED, who, About(told)))[0]
