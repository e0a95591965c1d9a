"""Groups by name, present or former."""

from typing import Final

from projector.console.asked import Asked, written_key
from projector.console.large_groups import LARGE, large_groups
from projector.console.pages import Page, Shown
from projector.console.snapshot import Snapshot

ROWS: Final = 50
KINDS: Final = ("former",)
_FIRST: Final = ("", "", "")


async def _read(asked: Asked, read: Snapshot) -> Shown:
    words, after = asked.text("q"), asked.key("after", 3)
    former = asked.choice("show", KINDS) is not None
    large = {} if former else await large_groups(read)
    not_counted = [account for account, _ in large], [group for _, group in large]
    page = words or "", former, *(after or _FIRST), ROWS + 1
    rows = await read.rows("groups", *page, *not_counted)
    shown = rows[:ROWS]
    last = shown[-1] if len(rows) > ROWS else None
    return {
        "words": words, "former": former, "groups": shown, "begun": after is not None,
        "large": large, "large_from": LARGE,
        "following": written_key(last["sort_key"], last["account_id"], last["group_id"]) if last else "",
        "several": len(await read.rows("accounts")) > 1,
    }  # fmt: skip


GROUPS: Final = Page("/groups", "groups", "groups.html.j2", _read)
