"""Projections: how far each has folded the log."""

from typing import Final

from projector.console.asked import Asked
from projector.console.pages import Page, Shown
from projector.console.snapshot import Snapshot


async def _read(_asked: Asked, read: Snapshot) -> Shown:
    return {"projections": await read.rows("projections")}


PROJECTIONS: Final = Page("/projections", "projections", "projections.html.j2", _read)
