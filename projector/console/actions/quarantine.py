"""The quarantine, verified again or purged."""

from typing import Final

from projector.console.actions import Acting, Action, reason_in, recorded
from projector.console.asked import Asked
from projector.console.errors import Misasked
from projector.operations import quarantine


async def _reverify(_asked: Asked, acting: Acting) -> str:
    secrets = quarantine.secrets_of(acting.settings)
    done, act = await quarantine.reverify(acting.database, secrets, acting.who)
    counted = f"appended {done.appended}, known already {done.duplicates}, left {done.left}"
    return f"{counted}{recorded([act])}"


async def _purge(asked: Asked, acting: Acting) -> str:
    row = asked.position("id")
    reason = reason_in(asked)
    if asked.text("sure") != "yes":
        raise Misasked("nothing was deleted: tick that it shall be deleted for good, and repeat it")
    done = await quarantine.purge(
        acting.database, acting.who, ids=None if row is None else [row], reason=reason
    )
    return f"deleted {done.rows}{recorded([done.act])}"


REVERIFY: Final = Action("quarantine/reverify", _reverify)
PURGE: Final = Action("quarantine/purge", _purge)
