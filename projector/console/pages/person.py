"""One person: who that is, what they may administer, what changed, and how far to believe it."""

from datetime import datetime
from typing import Any, Final

import asyncpg

from projector.console.asked import Asked
from projector.console.compared import compared
from projector.console.effective import Settings, effective
from projector.console.errors import NotThere
from projector.console.moments import Moments, earlier, moments_of
from projector.console.pages import Page, Shown
from projector.console.pages.belief import belief
from projector.console.pages.person_facts import CREATED, SIGN_INS, facts, name_of
from projector.console.pages.person_state import State, Who, state
from projector.console.snapshot import Snapshot
from projector.console.timeline import Span, span, timeline

_UNKNOWN: Final = (
    "nobody with that id is known in that account, and nobody ever was; look among the people for a part of "
    "the name, the e-mail or the id"
)


async def _read(asked: Asked, read: Snapshot) -> Shown:
    account, user_id = asked.needed("account"), asked.needed("user")
    moments, every = moments_of(asked), asked.choice("settings", ("all",)) is not None
    key = user_id.lower()
    spelled = await read.rows("person_spelled", account, key)
    spellings = [row["user_id"] for row in spelled]
    who = Who(account, key, sorted({user_id, key, *spellings}))
    person = await read.row("person", *who.found, moments.until)
    shown = {
        "account": account, "person": person, "moments": moments, "earlier": earlier(),
        "person_id": spellings[0] if spelled and spelled[0]["known"] else user_id,
    }  # fmt: skip
    differs = await compared(read, "person_timeline", (account, key), moments)
    if differs is not None:
        if person is None:
            await _span(read, who)
        return shown | {"name": name_of(person) or user_id, "compared": differs}
    spelled_then = who.spellings if person is None else [person["user_id"]]
    known = await state(read, who, moments, spelled_then)
    return shown | {
        "name": name_of(person) or known.email or shown["person_id"],
        "known": known,
        "span": None if person is not None or known.seen_in else await _span(read, who),
        "compared": None,
        **_profile(person),
        "effective": await _effective(read, person, known, moments, every=every),
        "every": every,
        **await _told(asked, read, who, moments, [*known.last_event_at, *_last_event(person)]),
        **await _now(read, who, person, moments),
    }


async def _span(read: Snapshot, who: Who) -> Span:
    """The span in which something is known of somebody. Raises NotThere where nothing ever was."""
    begun = await read.row("person_begun", *who.found)
    found = await span(read, "person_timeline", (who.account, who.key), begun)
    if found is None:
        raise NotThere(_UNKNOWN)
    return found


def _last_event(person: asyncpg.Record | None) -> list[datetime]:
    return [] if person is None else [person["last_event_at"]]


def _profile(person: asyncpg.Record | None) -> dict[str, Any]:
    how = None if person is None else person["creation_type"]
    return {
        "removed": person is not None and person["removed_at"] is not None,
        "facts": [] if person is None else list(facts(person)),
        "created_how": CREATED.get(how or "", how),
        "logins": SIGN_INS,
    }


async def _effective(
    read: Snapshot, person: asyncpg.Record | None, known: State, moments: Moments, *, every: bool
) -> Settings | None:
    """What is in effect; None of whom nothing is in effect, or for whom it cannot be told."""
    if person is None or person["removed_at"] is not None:
        return None
    own = None if known.settings is None else known.settings["settings"]
    return await effective(read, person, own, moments, every=every)


async def _told(
    asked: Asked, read: Snapshot, who: Who, moments: Moments, last: list[datetime]
) -> dict[str, Any]:
    told = await timeline(asked, read, "person_timeline", (who.account, who.key), moments)
    last += [event.at for event in told.events[:1]]
    return {"told": told, "last_event_at": max(last, default=None)}


async def _now(
    read: Snapshot, who: Who, person: asyncpg.Record | None, moments: Moments
) -> dict[str, Any]:
    """What is known of now alone."""
    if moments.at is not None:
        return {"belief": None, "departed": []}
    removed = person is not None and person["removed_at"] is not None
    return {
        "belief": await belief(read, "person_drift", *who.found),
        "departed": await read.rows("person_departed", *who.found) if removed else [],
    }


PERSON: Final = Page("/people/{account:[^/]+}/{user:[^/]+}", "people", "person.html.j2", _read)
