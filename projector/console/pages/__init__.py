"""The pages: one module for each question; a page is its path, its template and a function that reads."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from projector.console.asked import Asked
from projector.console.snapshot import Snapshot

Shown = Mapping[str, Any]
Read = Callable[[Asked, Snapshot], Awaitable[Shown]]


class Page(NamedTuple):
    """One page. `path`: as aiohttp writes routes. `section`: the entry of the navigation it belongs to.

    `read` returns what the template shows; it raises Misasked and NotThere.
    """

    path: str
    section: str
    template: str
    read: Read
