"""One group: who is in it, who administers it, what it sets and locks, and what changed."""

from typing import Any, Final

from projector.console.asked import Asked, written_key
from projector.console.compared import compared
from projector.console.documents import parsed
from projector.console.errors import NotThere
from projector.console.large_groups import Counts, large_groups
from projector.console.moments import Moments, earlier, moments_of
from projector.console.pages import Page, Shown
from projector.console.pages.belief import belief
from projector.console.sections import sections
from projector.console.snapshot import Snapshot
from projector.console.timeline import Span, span, timeline

ROWS: Final = 50
_UNKNOWN: Final = (
    "no group with that id is known in that account, and none ever was; look among the groups for a part of "
    "the name, those that are gone included"
)


async def _read(asked: Asked, read: Snapshot) -> Shown:
    which = asked.needed("account"), asked.needed("group")
    moments = moments_of(asked)
    group = await read.row("group", *which, moments.until)
    shown = {
        "account": which[0], "group_id": which[1], "group": group, "moments": moments, "earlier": earlier(),
        "name": (group["name"] if group else None) or which[1],
        "removed": group is not None and group["removed_at"] is not None,
    }  # fmt: skip
    differs = await compared(read, "group_timeline", which, moments)
    if differs is not None:
        if group is None:
            await _span(read, which)
        return shown | {"compared": differs}
    told = await timeline(asked, read, "group_timeline", which, moments)
    known = await _people(asked, read, which, moments) | await _settings(read, which, moments)
    named = bool(known["members"] or known["admins"] or known["settings"])
    last = [*([group["last_event_at"]] if group else []), *(event.at for event in told.events[:1])]
    return (
        shown
        | known
        | {
            "known": named,
            "span": None if group is not None or named else await _span(read, which),
            "belief": await belief(read, "group_drift", *which) if moments.at is None else None,
            "last_event_at": max(last, default=None),
            "told": told,
            "compared": None,
        }
    )


async def _span(read: Snapshot, which: tuple[str, str]) -> Span:
    """The span in which something is known of a group. Raises NotThere where nothing ever was."""
    found = await span(read, "group_timeline", which, await read.row("group_begun", *which))
    if found is None:
        raise NotThere(_UNKNOWN)
    return found


async def _people(
    asked: Asked, read: Snapshot, which: tuple[str, str], moments: Moments
) -> dict[str, Any]:
    after = asked.key("after", 1)
    page = (*which, *(after or ("",)), ROWS + 1)
    now = moments.at is None
    members = await (
        read.rows("group_members", *page)
        if now
        else read.rows("group_members_at", *page, moments.at)
    )
    return {
        "counts": await _counts(read, which) if now else None,
        "members": members[:ROWS],
        "begun": after is not None,
        "following": written_key(members[ROWS - 1]["entry_key"]) if len(members) > ROWS else "",
        "admins": await read.rows("group_admins", *which, moments.until),
    }


async def _counts(read: Snapshot, which: tuple[str, str]) -> Counts | None:
    large = (await large_groups(read)).get(which)
    if large is not None:
        return large
    row = await read.row("group_counts", *which)
    return None if row is None else Counts(row["member_count"], row["admin_count"])


async def _settings(read: Snapshot, which: tuple[str, str], moments: Moments) -> dict[str, Any]:
    row = await read.row("group_settings", *which, moments.until)
    found = sections(parsed(row["settings"]), parsed(row["locks"])) if row else []
    return {
        "settings": row,
        "sections": found,
        "locked": sum(one.locked is True for section in found for one in section.settings),
    }


GROUP: Final = Page("/groups/{account:[^/]+}/{group:[^/]+}", "groups", "group.html.j2", _read)
