"""All pages."""

from typing import Final

from projector.console.pages import Page
from projector.console.pages.changes import CHANGES
from projector.console.pages.group import GROUP
from projector.console.pages.groups import GROUPS
from projector.console.pages.overview import OVERVIEW
from projector.console.pages.people import PEOPLE
from projector.console.pages.person import PERSON
from projector.console.pages.projections import PROJECTIONS
from projector.console.pages.trust import TRUST, TRUST_LISTS

PAGES: Final[tuple[Page, ...]] = (
    OVERVIEW, PEOPLE, PERSON, GROUPS, GROUP, CHANGES, TRUST, *TRUST_LISTS, PROJECTIONS,
)  # fmt: skip
