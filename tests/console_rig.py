"""The console in a test's process, over real HTTP, and what stands for a browser."""

import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from projector.config import Settings
from projector.console.access.key_file import Kept, running
from projector.console.server import serving
from projector.operations.actor import system_user

TOKEN = re.compile(r'name="token" value="([^"]+)"')
OPENED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
SENT = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@dataclass(frozen=True)
class Answer:
    """An answer of the console."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, Any]
    text: str

    @property
    def token(self) -> str:
        """The token of the page's forms."""
        found = TOKEN.search(self.text)
        assert found is not None, self.text
        return found[1]


@dataclass
class Browser:
    """Keeps cookies, and says of each request what browsers say. `headers`: are sent with every request."""

    url: str
    session: aiohttp.ClientSession
    folder: Path
    headers: dict[str, str] = field(default_factory=dict)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        """Send a request; redirects are not followed."""
        sent = self.headers | dict(headers or {})
        async with self.session.request(
            method, self.url + path, headers=sent, allow_redirects=False, **options
        ) as answer:
            return Answer(answer.status, answer.headers, answer.cookies, await answer.text())

    async def get(self, path: str, **options: Any) -> Answer:
        """Open a page."""
        return await self.request("GET", path, **({"headers": OPENED} | options))

    async def send(
        self, path: str, fields: Mapping[str, str] | None = None, *, token: str | None = None,
        headers: Mapping[str, str] | None = None, back: str = "/projections",
    ) -> Answer:  # fmt: skip
        """Send a form as a page of the console does, with that page's token."""
        if token is None:
            token = (await self.get("/projections")).token
        form = {"token": token, "back": back, **(fields or {})}
        sent = SENT | {"Origin": self.url} if headers is None else headers
        return await self.request("POST", path, headers=sent, data=form)

    async def act(self, path: str, /, **fields: str) -> str:
        """Act, and return what the page to which that leads says of it."""
        answer = await self.send(f"/actions/{path}", fields)
        assert answer.status == 303, answer.text
        assert answer.headers["Location"] == "/projections"
        return said((await self.get("/projections")).text)

    @property
    def kept(self) -> Kept:
        """What the console keeps in its data directory."""
        return running(self.folder, 0)

    @property
    def key(self) -> str:
        """The path of a new one-time address."""
        return self.kept.address().removeprefix(self.url)


def said(page: str) -> str:
    """What a page says of an action, unescaped as far as it matters."""
    found = re.findall(r'<p class="notice said [^>]*>([^<]*)</p>', page)
    return "\n".join(found).replace("&#39;", "'").replace("&#34;", '"')


def settings_of_console(**changes: Any) -> Settings:
    """Settings of a console on a free port, in which the system's user may act."""
    values: dict[str, Any] = {"console_port": 0, "console_operators": system_user()}
    return Settings(**(values | changes))


@asynccontextmanager
async def console(
    database_url: str, *, enter: bool = True, from_address: str | None = None, **changes: Any
) -> AsyncIterator[Browser]:
    """A console and a browser that has come in. `from_address`: from which the browser connects."""
    with tempfile.TemporaryDirectory() as name:
        folder, settings = Path(name), settings_of_console(**changes)
        async with (
            serving(settings, database_url, folder) as serves,
            browsing(serves.url, folder, from_address) as browser,
        ):
            if enter and serves.one_time_address is not None:
                assert (await browser.get(browser.key)).status == 200
            yield browser


@asynccontextmanager
async def browsing(
    url: str, folder: Path, from_address: str | None = None
) -> AsyncIterator[Browser]:
    """Another browser, without cookies."""
    source = None if from_address is None else (from_address, 0)
    connector = aiohttp.TCPConnector(local_addr=source)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        yield Browser(url, session, folder)
