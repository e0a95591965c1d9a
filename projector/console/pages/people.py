"""People: everybody whom the directory knows, found by any part of name, e-mail or id."""

from typing import Final

import asyncpg

from projector.console.asked import Asked, written_key
from projector.console.errors import Elsewhere
from projector.console.pages import Page, Shown
from projector.console.rendering import person_address
from projector.console.snapshot import Snapshot

ROWS: Final = 50
STATUSES: Final = ("active", "pending", "inactive", "unknown", "deleted", "disassociated", "gone")
_FIRST: Final = ("", "", "")


async def _read(asked: Asked, read: Snapshot) -> Shown:
    words, status = asked.text("q"), asked.choice("status", STATUSES)
    after = asked.key("after", 3)
    exactly = words if status is None and after is None else None
    named = await _named(read, exactly, "people_named", "people_mentioned")
    rows = await read.rows("people", words or "", status or "", *(after or _FIRST), ROWS + 1)
    if not rows and not named and "@" in (exactly or ""):
        named = await _named(read, exactly, "people_mentioned_with")
    shown = rows[:ROWS]
    last = shown[-1] if len(rows) > ROWS else None
    return {
        "words": words, "chosen": status, "statuses": STATUSES, "people": shown,
        "unresolved": named if not shown else [],
        "begun": after is not None,
        "following": written_key(last["sort_key"], last["account_id"], last["user_key"]) if last else "",
        "several": len(await read.rows("accounts")) > 1,
    }  # fmt: skip


async def _named(read: Snapshot, words: str | None, *statements: str) -> list[asyncpg.Record]:
    """Those whose id or e-mail is exactly this. Raises Elsewhere where it is one."""
    for statement in statements if words is not None else ():
        named = await read.rows(statement, words)
        if len(named) == 1:
            raise Elsewhere(person_address(named[0]["account_id"], named[0]["user_id"]))
        if named:
            return named
    return []


PEOPLE: Final = Page("/people", "people", "people.html.j2", _read)
