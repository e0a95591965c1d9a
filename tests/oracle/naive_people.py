"""Who is in a group's list: entries with an id, and entries that name only an e-mail."""

from collections.abc import Iterator
from dataclasses import dataclass

from .naive_events import Event
from .naive_state import Directory, Key, Row

EMAIL = "email:"


def spelled(state: Directory, key: Key, own: str) -> str:
    """Return how views spell a user id: as `users` does, else as the row itself does."""
    return state.users[key].spelling if key in state.users else own


@dataclass
class Person:
    """One person of one list, from all entries that name them."""

    key: str
    newest: Event
    added: bool
    spelling: str
    spelled_by: Event
    email: str | None
    emailed_by: Event | None
    told: Event | None


def people_of(state: Directory, column: str, group: Key) -> Iterator[Person]:
    """Yield every person in a list's entries, added or deleted; the newest entry decides."""
    entries = state.entries[column][group]
    meant: dict[str, list[tuple[str, Row]]] = {}
    for key, row in entries.items():
        person = _resolve(state, entries, group[0], key) if key.startswith(EMAIL) else key
        meant.setdefault(person, []).append((key, row))
    for person, found in meant.items():
        # An entry with the id itself goes first where one event holds both.
        found.sort(key=lambda item: (item[1].newest.order, item[0] == person))
        whole_set = state.whole_sets.get((group[0], person)) if column == "members" else None
        yield _person(person, found, whole_set)


def _person(key: str, found: list[tuple[str, Row]], whole_set: Event | None) -> Person:
    entry, newest = found[-1]
    # What is older than the whole set, and not in it, has ended: entries by e-mail are none of its own.
    ended = entry != key and whole_set is not None and newest.newest.order < whole_set.order
    # Entries by e-mail do not spell the id; the entry with the id, if any, does.
    own = next((row for entry, row in found if entry == key), newest)
    emails = [(row.emailed_by.order, entry == key, row) for entry, row in found if row.emailed_by]
    named = max(emails, key=lambda item: item[:2])[2] if emails else newest
    return Person(
        key=key,
        newest=newest.newest,
        added=newest.values["added"] and not ended,
        spelling=own.spelling or f"{key}",
        spelled_by=own.newest,
        email=named.email,
        emailed_by=named.emailed_by,
        told=newest.values["told"],
    )


def _resolve(state: Directory, entries: dict[str, Row], account: str, key: str) -> str:
    """Resolve an entry without an id: by the list's own entries, else by the users, else to itself."""
    email = key.removeprefix(EMAIL)
    in_list = [
        (row.newest.order, person)
        for person, row in entries.items()
        if not person.startswith(EMAIL) and (row.email or "").lower() == email
    ]
    if in_list:
        return _newest(in_list)
    in_users = [
        (user.newest.order, person)
        for (owner, person), user in state.users.items()
        if owner == account
        and user.removed_by is None
        and (user.profile.get("email") or "").lower() == email
    ]
    return _newest(in_users) if in_users else key


def _newest(candidates: list[tuple[tuple[int, int, bytes], str]]) -> str:
    """Return the person named last; if one event names several, the first by key."""
    order = max(order for order, _ in candidates)
    return min(person for named, person in candidates if named == order)
