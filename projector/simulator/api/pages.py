"""Listings page by page, with tokens that live for a quarter of an hour."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from projector.simulator.api.options import ApiOptions
from projector.simulator.api.problems import bad_page_token, not_valid

DEFAULT_SIZE: Final = 30

# Tokens beyond this many are forgotten, oldest first.
_MOST_TOKENS: Final = 100_000

Listing = tuple[str, tuple[tuple[str, str], ...]]


class _Issued(NamedTuple):
    listing: Listing
    behind: Any
    at: float


class Asked(NamedTuple):
    """The page that is asked for: at most `size` rows behind the one of that rank (None: the first ones).

    A rank is what the listing is ordered by. `token` is what asked for the page.
    """

    listing: Listing
    behind: Any
    size: int
    token: str


class PageTokens:
    """The tokens given out. Each holds for the same path and parameters only."""

    def __init__(self) -> None:
        """Start without any."""
        self._issued: OrderedDict[str, _Issued] = OrderedDict()

    def asked(
        self, path: str, parameters: Mapping[str, str], largest: int, options: ApiOptions
    ) -> Asked:
        """Return which page is asked for; raises Problem for a bad token or size."""
        token = parameters.get("next_page_token", "")
        others = tuple(sorted(item for item in parameters.items() if item[0] != "next_page_token"))
        listing, behind = (path, others), None
        if token:
            issued = self._issued.get(token)
            known = issued is not None and issued.listing == listing
            if (
                issued is None
                or not known
                or time.monotonic() >= issued.at + options.page_token_seconds
            ):
                raise bad_page_token()
            behind = issued.behind
        size = min(_size(parameters), largest, options.largest_page or largest)
        return Asked(listing, behind, size, token)

    def next(self, asked: Asked, last: Any, options: ApiOptions) -> str:
        """Return the token of the page behind the row of rank `last`, "" where nothing is left (None)."""
        if last is None:
            return ""
        if options.same_token and asked.token:
            return asked.token
        token = secrets.token_urlsafe(24)
        self._issued[token] = _Issued(asked.listing, last, time.monotonic())
        if len(self._issued) > _MOST_TOKENS:
            self._issued.popitem(last=False)
        return token


def _size(parameters: Mapping[str, str]) -> int:
    text = parameters.get("page_size", str(DEFAULT_SIZE))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):  # noqa: PLR2004
        raise not_valid("page_size", "Must be a positive number.")
    return int(text)
