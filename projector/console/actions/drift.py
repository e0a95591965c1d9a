"""Drift, acknowledged."""

from typing import Final

from projector.console.actions import Acting, Action, reason_in, recorded
from projector.console.asked import Asked
from projector.operations import drift


async def _acknowledge(asked: Asked, acting: Acting) -> str:
    done = await drift.acknowledge(
        acting.database,
        asked.needed("entity"),
        asked.needed("entity_id"),
        asked.text("path"),
        account=asked.needed("account"),
        reason=reason_in(asked),
        who=acting.who,
    )
    return f"acknowledged {len(done.rows)}{recorded(done.acts)}"


ACKNOWLEDGE: Final = Action("drift/acknowledge", _acknowledge)
