"""A person, compared with what Zoom's REST API shows of them."""

from typing import Final

from projector.console.actions import Acting, Action, recorded
from projector.console.asked import Asked
from projector.operations.reconciliation import options_of, reconcile_one
from projector.rest.session import open_client


async def _reconcile(asked: Asked, acting: Acting) -> str:
    person = asked.needed("person")
    async with open_client(acting.settings) as client:
        outcomes, act = await reconcile_one(
            client,
            acting.database,
            person,
            options_of(acting.settings),
            lambda *_: None,
            acting.who,
        )
    told = [
        f"{one.section.value}: {one.new} new, {one.repaired} repaired, {one.gone} gone"
        for one in outcomes
    ]
    unread = [one.why or one.section.value for one in outcomes if not one.complete]
    more = f"; not everything could be read: {', '.join(unread)}" if unread else ""
    return f"{'; '.join(told)}{more}{recorded([act])}"


RECONCILE: Final = Action("reconcile", _reconcile)
