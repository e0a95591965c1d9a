"""A consumer of the feed, as a customer would write one, that can be killed after any line."""

import json
from typing import Any

from projector.database import Database
from projector.history.cursor import Cursor, parsed_cursor
from projector.history.feed import cursor_at_start, pages, read_page
from projector.history.snapshot import snapshot
from tests.replayed_changes import Values, place_of

Documents = dict[tuple[str, str, str, str | None], dict[str, Any]]


class Killed(Exception):
    """The consumer was killed."""


class Consumer:
    """What it wrote, and the cursor that it wrote with that."""

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        self.documents: Documents = {}
        self.changes: list[tuple[int, Any]] = []

    @classmethod
    async def from_start(cls, database: Database) -> "Consumer":
        return cls(str(await cursor_at_start(database)))

    @classmethod
    async def from_snapshot(cls, database: Database) -> "Consumer":
        consumer = cls("")
        async for one in snapshot(database):
            if isinstance(one, Cursor):
                consumer.cursor = str(one)
            else:
                consumer._apply(json.loads(json.dumps(one.as_json(None))))
        return consumer

    async def read(self, database: Database, lines: int | None = None) -> None:
        """Read up to the head; killed after so many lines."""
        left = lines
        async for page in pages(database, parsed_cursor(self.cursor)):
            for line, cursor in page.lines:
                if left == 0:
                    raise Killed
                # One transaction of the consumer: what it wrote, and the cursor.
                self._apply(json.loads(json.dumps(line.as_json(str(cursor)))))
                self.cursor = str(cursor)
                left = None if left is None else left - 1
            if not page.lines:
                self.cursor = str(page.cursor)

    async def read_one_page(self, database: Database) -> None:
        page = await read_page(database, parsed_cursor(self.cursor))
        for line, cursor in page.lines:
            self._apply(json.loads(json.dumps(line.as_json(str(cursor)))))
        self.cursor = str(page.cursor)

    def _apply(self, line: dict[str, Any]) -> None:
        place = place_of(line)
        if line["kind"] == "restated":
            self.documents[place] = line["values"]
            return
        self.changes.append((line["position"], (*place, line["path"])))
        if line["late"]:
            return
        document = self.documents.setdefault(place, {})
        if "after" in line:
            document[line["path"]] = line["after"]
        else:
            document.pop(line["path"], None)

    def values(self) -> Values:
        return {
            (*place, path): value
            for place, document in self.documents.items()
            for path, value in document.items()
        }
