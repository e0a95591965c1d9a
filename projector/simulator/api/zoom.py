"""The API's side of the simulated account: what it shows, to whom, and how a page is put together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from projector.simulator.account import Account
from projector.simulator.api.oauth import AppCredentials
from projector.simulator.api.options import ApiOptions, Label
from projector.simulator.api.pages import Asked, PageTokens
from projector.simulator.delivery import Json
from projector.simulator.delivery_log import DeliveryLog

Item = TypeVar("Item")


@dataclass
class Zoom:
    """What the API shows, and to whom; `options` may be replaced while it is served."""

    account: Account
    credentials: AppCredentials
    deliveries: DeliveryLog
    options: ApiOptions
    pages: PageTokens
    endpoint: str = ""


class Call(NamedTuple):
    """A request: its path, the id in it ("" where there is none), and its parameters."""

    path: str
    who: str
    parameters: Mapping[str, str]

    @property
    def option(self) -> str:
        """Which part of a settings document is asked for."""
        return self.parameters.get("option", "")


class Endpoint(NamedTuple):
    """One path below the base of the API; `name` counts its calls, `largest` is its largest page."""

    name: str
    path: str
    label: Label
    scope: str
    read: Callable[[Zoom, Call, Asked], Json]
    largest: int = 1


def slice_of(
    key: str,
    items: Iterable[Item],
    rank: Callable[[Item], Any],
    row: Callable[[Item], Json],
    asked: Asked,
    zoom: Zoom,
) -> Json:
    """A page of a list that is short enough to be put in order for each page."""
    ordered = sorted(items, key=rank)
    left = [item for item in ordered if asked.behind is None or rank(item) > asked.behind]
    page = left[: asked.size]
    token = zoom.pages.next(asked, rank(page[-1]) if len(left) > asked.size else None, zoom.options)
    return page_of(key, [row(item) for item in page], asked, token, len(ordered), zoom)


def page_of(key: str, rows: list[Json], asked: Asked, token: str, total: int, zoom: Zoom) -> Json:
    """A page with the number of all rows, or what is said to be that."""
    return {
        key: rows,
        "page_size": asked.size,
        "total_records": total + zoom.options.more_than_there_are,
        "next_page_token": token,
    }
