"""All pages."""

from typing import Final

from projector.console.pages import Page
from projector.console.pages.projections import PROJECTIONS

PAGES: Final[tuple[Page, ...]] = (PROJECTIONS,)
