"""Opens the client that the settings ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from projector import __version__
from projector.config import Settings
from projector.errors import ConfigurationError
from projector.rest.access_token import Credentials
from projector.rest.budget import Budget
from projector.rest.client import MOST_IN_FLIGHT, RestClient
from projector.rest.clock import REAL, Clock
from projector.rest.failures import MARKETPLACE
from projector.rest.tally import Tally

USER_AGENT: Final = f"directory-projector/{__version__}"


@asynccontextmanager
async def open_client(
    settings: Settings,
    *,
    budget: Budget | None = None,
    tally: Tally | None = None,
    clock: Clock = REAL,
) -> AsyncIterator[RestClient]:
    """A client as configured, for the time of the context. No request is made yet.

    Who opens it again and again passes the `budget` and `tally` that are to go on. Raises
    ConfigurationError naming each variable that is missing.
    """
    credentials = credentials_of(settings)
    tally = tally or Tally()
    budget = budget or Budget(settings.zoom_plan, settings.zoom_api_share, tally, clock=clock)
    async with open_session() as session:
        yield RestClient(
            session, credentials, budget, tally, clock=clock,
            api_url=settings.zoom_api_url, token_url=settings.zoom_token_url,
        )  # fmt: skip


def open_session() -> aiohttp.ClientSession:
    """A session for Zoom's REST API: our own User-Agent, and no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MOST_IN_FLIGHT + 1),  # and one for the token
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
    )


def credentials_of(settings: Settings) -> Credentials:
    """The configured credentials. Raises ConfigurationError naming each variable that is missing."""
    given = _given(settings)
    if missing := [name for name, value in given.items() if not value]:
        raise ConfigurationError(
            f"{' and '.join(missing)} must be set to ask Zoom's REST API; all three stand on the page "
            f'"App Credentials" of a Server-to-Server OAuth app at {MARKETPLACE}'
        )
    return Credentials(*given.values())


def missing_credentials(settings: Settings) -> tuple[list[str], list[str]]:
    """The variables of the credentials that are not set, and those that are."""
    given = _given(settings)
    return [name for name in given if not given[name]], [name for name in given if given[name]]


def has_credentials(settings: Settings) -> bool:
    """Whether all of the credentials are configured."""
    return all(_given(settings).values())


def _given(settings: Settings) -> dict[str, str]:
    """What is configured, by variable and in the order of Credentials; blank where nothing is."""
    secret = settings.client_secret()
    client_id = settings.zoom_client_id
    return {
        "PROJECTOR_ZOOM_ACCOUNT_ID": (settings.zoom_account_id or "").strip(),
        "PROJECTOR_ZOOM_CLIENT_ID": client_id.get_secret_value().strip() if client_id else "",
        "PROJECTOR_ZOOM_CLIENT_SECRET": secret or "",
    }
