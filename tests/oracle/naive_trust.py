"""The views that show how complete and consistent the others are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from .naive_events import DELIVERIES, Event
from .naive_people import Person, people_of, spelled
from .naive_state import Directory, Key, Row, ViewRow
from .naive_values import text

Naming = tuple[str, Event, str, Row | Person]
"""(table, newest event that spells the id, that spelling, what names the person)."""


def _named_users(state: Directory) -> Iterator[tuple[Key, Naming]]:
    for key, row in state.presence.items():
        yield key, ("presence", row.newest, row.spelling, row)
    for key, clients in state.sign_ins.items():
        for row in clients.values():
            yield key, ("sign_ins", row.newest, row.spelling, row)
    for key, row in state.user_settings.items():
        yield key, ("settings", row.newest, row.spelling, row)
    for column, table in (("members", "memberships"), ("admins", "admins")):
        for group in state.entries[column]:
            for person in people_of(state, column, group):
                key = (group[0], person.key)
                yield key, (table, person.spelled_by, person.spelling, person)


def unresolved_users(state: Directory) -> Iterator[ViewRow]:
    """Yield users named in other tables who are not in `users`, or were named after leaving."""
    named: dict[Key, list[Naming]] = {}
    for key, naming in _named_users(state):
        if key not in state.users or state.user_is_removed(key):
            named.setdefault(key, []).append(naming)
    for key, sources in named.items():
        newest = max(sources, key=lambda source: source[1].order)
        emails = [(by.order, row.email) for *_, row in sources if (by := row.emailed_by)]
        yield {
            "account_id": key[0],
            "user_id": spelled(state, key, newest[2]),
            "email": max(emails)[1] if emails else None,
            "seen_in": sorted({table for table, *_ in sources}),
        }


def unresolved_groups(state: Directory) -> Iterator[ViewRow]:
    """Yield groups named in other tables that are not in `groups`, or were named after deletion."""
    seen_in: dict[Key, set[str]] = {}
    for key in state.group_settings:
        seen_in.setdefault(key, set()).add("settings")
    for column, table in (("members", "memberships"), ("admins", "admins")):
        for key in state.entries[column]:
            seen_in.setdefault(key, set()).add(table)
    for key, tables in seen_in.items():
        if key not in state.groups or state.group_is_removed(key):
            yield {"account_id": key[0], "group_id": key[1], "seen_in": sorted(tables)}


def drift(state: Directory) -> Iterator[ViewRow]:
    """Yield one row per event and path that contradicts what was known, unless it is acknowledged."""
    return (row for row, act in _judged_drift(state) if act is None)


def acknowledged_drift(state: Directory) -> Iterator[ViewRow]:
    """Yield the others, with who acknowledged them."""
    return (row | _told("acknowledged", act) for row, act in _judged_drift(state) if act)


def _told(how: str, act: Event) -> ViewRow:
    reason = act.object.get("reason")
    return {f"{how}_at": act.at, f"{how}_by": act.operator, "reason": text(reason)}


def _judged_drift(state: Directory) -> Iterator[tuple[ViewRow, Event | None]]:
    for found in state.drift:
        entity_id = found.owner[1]
        if found.entity in {"user", "user_settings", "personal_note"}:
            rows = state.user_settings if found.entity == "user_settings" else state.presence
            own = rows[found.owner].spelling if found.owner in rows else ""
            entity_id = spelled(state, found.owner, own)
        row = {
            "account_id": found.owner[0],
            "entity": found.entity,
            "entity_id": entity_id,
            "path": found.path,
            "known": found.known,
            "reported": found.reported,
            "event_at": found.event.at,
            "position": found.event.position,
        }
        key = (found.owner, found.entity, found.path, found.event.digest)
        yield row, state.acknowledged.get(key)


def dead_letters(state: Directory) -> Iterator[ViewRow]:
    """Yield what could not be folded, by the projection that owns the event, unless it is dismissed."""
    return (row for row, act in _judged_dead_letters(state) if act is None)


def dismissed_dead_letters(state: Directory) -> Iterator[ViewRow]:
    """Yield the others, with who dismissed them."""
    return (row | _told("dismissed", act) for row, act in _judged_dead_letters(state) if act)


def _judged_dead_letters(state: Directory) -> Iterator[tuple[ViewRow, Event | None]]:
    for (position, projection), event in state.dead_letters.items():
        row = {"position": position, "projection": projection, "event": event.name}
        yield row, state.dismissed.get((event.digest, projection))


def freshness(state: Directory) -> Iterator[ViewRow]:
    """Yield how many distinct events of each kind an account sent, and when the last; 0 of most."""
    accounts = {event.account for event in state.heard} | {account for account, _ in state.coverage}
    for account, name in product(accounts, DELIVERIES):
        heard = [e for e in state.heard if (e.account, e.name) == (account, name)]
        yield {
            "account_id": account,
            "event": name,
            "last_event_at": max((event.at for event in heard), default=None),
            "last_received_at": max((event.received_at for event in heard), default=None),
            "events": len(heard),
        }


def activity(state: Directory) -> Iterator[ViewRow]:
    """Yield how many distinct events of each kind an account sent in each hour of receipt that had some."""
    counts: dict[tuple[str, str, datetime], int] = {}
    for event in state.heard:
        hour = event.received_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        key = (event.account, event.name, hour)
        counts[key] = counts.get(key, 0) + 1
    for (account, name, hour), count in counts.items():
        yield {"account_id": account, "event": name, "hour": hour, "events": count}
