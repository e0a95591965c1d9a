"""Listings: page after page, and at the end a proof that nobody is missing, or why there is none."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, NamedTuple

from projector.rest.answers import Answer, PageAnswer, page_answer
from projector.rest.endpoints import Endpoint
from projector.rest.failures import PageTokenRefused

TOKEN: Final = "next_page_token"  # noqa: S105  a parameter's name
MOST_RESTARTS: Final = 3
MOST_PAGES: Final = 10_000

Get = Callable[..., Awaitable[Answer]]


class Page(NamedTuple):
    """Rows of a listing as Zoom gave them; `as_of_ms`: see Answer."""

    rows: list[dict[str, Any]]
    as_of_ms: int


class Complete(NamedTuple):
    """The listing came to its end and holds all that it says there is: so many different rows."""

    rows: int


class Incomplete(NamedTuple):
    """Nothing may be concluded from what the listing lacks; `why` is a sentence."""

    why: str


class Listing:
    """An asynchronous iterable of pages, and once it is through, the `proof`.

    It starts again by itself where a page's token expired or pages break the rules: rows then come again.
    It asks for the largest page; how many rows a page has says nothing.
    """

    def __init__(
        self, get: Get, endpoint: Endpoint, ids: tuple[str, ...], parameters: dict[str, str]
    ) -> None:
        size = {} if endpoint.page_size is None else {"page_size": str(endpoint.page_size)}
        self._get = get
        self._endpoint = endpoint
        self._ids = ids
        self._parameters = size | parameters
        self.proof: Complete | Incomplete = Incomplete(
            f"the listing of {endpoint.name} was not read to its end; run this again"
        )

    async def __aiter__(self) -> AsyncIterator[Page]:
        """Every page. Raises as RestClient.get does."""
        trouble = ""
        for _ in range(1 + MOST_RESTARTS):
            crawl = _Crawl(self._endpoint)
            try:
                while not crawl.ended:
                    answer = await self._ask(crawl)
                    yield Page(crawl.take(answer.body).rows, answer.as_of_ms)
            except (PageTokenRefused, _BrokenRule) as broken:
                expired = isinstance(broken, PageTokenRefused)
                trouble = "a page's token expired" if expired else str(broken)
                continue
            self.proof = crawl.proof()
            return
        self.proof = Incomplete(
            f"the listing of {self._endpoint.name} was started {1 + MOST_RESTARTS} times and never "
            f"came to its end ({trouble}); run this again"
        )

    async def _ask(self, crawl: "_Crawl") -> Answer:
        token = {TOKEN: crawl.token} if crawl.token else {}
        return await self._get(self._endpoint, *self._ids, **self._parameters, **token)


class _BrokenRule(Exception):
    """A page is not what may follow the pages before it; says why."""


class _Crawl:
    """One way through a listing: what came so far."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._rows: set[Any] = set()
        self._tokens = {""}
        self._total: int | None = None
        self._pages = 0
        self.token = ""
        self.ended = False

    def take(self, body: dict[str, Any]) -> PageAnswer:
        """Take the next page; raises _BrokenRule where it cannot be one."""
        page = page_answer(body, self._endpoint.rows or "")
        if page is None:
            raise _BrokenRule("a page is not built like one")
        self._pages += 1
        self._rows.update(self._identities(page.rows))
        self._total = page.total_records
        self.token = page.next_page_token
        self.ended = not self.token
        if not self.ended and self.token in self._tokens:
            raise _BrokenRule("a page's token came twice")
        if self._pages >= MOST_PAGES:
            raise _BrokenRule(f"there are more than {MOST_PAGES} pages")
        self._tokens.add(self.token)
        return page

    def proof(self) -> Complete | Incomplete:
        """What the crawl proves, at its end."""
        name, found = self._endpoint.name, len(self._rows)
        if self._total is None and self._endpoint.counted:
            return Incomplete(
                f"the listing of {name} does not say how many there are; run this again"
            )
        if self._total is not None and found < self._total:
            return Incomplete(
                f"the listing of {name} has {found} of the {self._total} that it says there are; "
                "run this again"
            )
        return Complete(found)

    def _identities(self, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
        """What tells a row from others: its id, else its e-mail.

        A row with neither counts only where nothing is proven by counting.
        """
        for at, row in enumerate(rows):
            if some := row.get("id"):
                yield "id", str(some)
            elif email := row.get("email"):
                yield "email", str(email).lower()
            elif not self._endpoint.counted:
                yield "row", (self._pages, at)
