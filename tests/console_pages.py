"""What a page of the console says, and where it leads, read from its HTML."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser

from projector.database import open_database
from projector.log.append import append
from tests.conftest import database_of, run_on
from tests.console_rig import Browser, console
from tests.examples.telling import Told
from tests.integration.small_company import deliveries, dismissed
from tests.integration.stepping import Stepper
from tests.runtime_rig import append_told, delivery

_INLINE = {"a", "b", "code", "del", "ins", "q", "small", "span", "strong", "time"}
_VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass
class Node:
    """An element: `children` are elements and texts, in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)

    def __iter__(self) -> Iterator["Node"]:
        """All elements within, in the order of the page, this one first."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child

    @property
    def text(self) -> str:
        """Its text with single spaces; what is no part of a line stands apart."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag in _INLINE:
                yield from child._texts()
            else:
                yield from (" ", *child._texts(), " ")

    def all(self, tag: str, **attributes: str) -> list["Node"]:
        """The elements within that have this tag, and these attributes."""
        return [
            node
            for node in self
            if node.tag == tag and attributes.items() <= node.attributes.items()
        ]

    def part(self, id_: str) -> "Node":
        """The section whose heading has this id."""
        (found,) = self.all("section", **{"aria-labelledby": id_})
        return found

    def link(self, text: str) -> str:
        """Where the only link with this text leads."""
        (found,) = {node.attributes["href"] for node in self.all("a") if node.text == text}
        return found

    def has_link(self, text: str) -> bool:
        return any(node.text == text for node in self.all("a"))

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the bodies of its tables."""
        return [
            [cell.text for cell in row if cell.tag in {"th", "td"}]
            for body in self.all("tbody")
            for row in body.all("tr")
        ]

    @property
    def items(self) -> list[str]:
        """The items of its lists."""
        return [node.text for node in self.all("li")]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The terms and descriptions of its description lists."""
        terms = [node.text for node in self if node.tag == "dt"]
        return list(zip(terms, [node.text for node in self if node.tag == "dd"], strict=True))


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.stack = [Node("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(node)
        if tag not in _VOID:
            self.stack.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop().tag == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def read(html: str) -> Node:
    """The page as elements. Every element must be closed where it should be."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder.stack) == 1
    return builder.stack[0]


async def opened(browser: Browser, path: str, status: int = 200) -> Node:
    """A page that answers with this status; what its address leads to is not followed."""
    answer = await browser.get(path)
    assert answer.status == status, answer.text
    return read(answer.text)


async def fold(database_url: str, events: Sequence[Told]) -> None:
    """Append events in their order, and fold them."""
    database = await open_database(database_url)
    some = [delivery(json.dumps(one.body).encode(), one.received_at) for one in events]
    await append_told(database, some)
    await Stepper(database, random.Random(1), faults=0).run()
    await database.close()


@asynccontextmanager
async def told(database_url: str, *events: Told) -> AsyncIterator[Browser]:
    """A console over a directory of these events."""
    await fold(database_url, events)
    async with console(database_url) as browser:
        yield browser


@contextmanager
def company_in(server: str, template: str, name: str) -> Iterator[str]:
    """DSN of a database with the small company's deliveries, folded."""
    dsn = database_of(server, name)

    async def tell() -> None:
        await run_on(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        database = await open_database(dsn)
        some = deliveries()
        await append(database, some)
        await append(database, dismissed(some), source="operator")
        await Stepper(database, random.Random(1), faults=0).run()
        await database.close()

    asyncio.run(tell())
    yield dsn
    asyncio.run(run_on(server, f"DROP DATABASE {name} WITH (FORCE)"))
