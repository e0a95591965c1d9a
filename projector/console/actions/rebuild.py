"""A projection, folded afresh and swapped in."""

from typing import Final

from projector.console.actions import Acting, Action
from projector.console.asked import Asked
from projector.operations.rebuilding import named


async def _rebuild(asked: Asked, acting: Acting) -> str:
    [projection] = named([asked.needed("projection")])
    return await acting.rebuilds.begin(projection, acting.who, acting.failed)


REBUILD: Final = Action("rebuild", _rebuild)
