"""What an observation of Zoom's REST API changes: it sets what it names, and leaves the rest alone."""

from collections.abc import Iterator
from typing import Any

from .naive_diff import Document, merge, merge_attributes
from .naive_events import Event
from .naive_state import Directory, Key, Row, User
from .naive_values import PROFILE, as_object, date_ms, identifier, text

SEEN_FIELDS = (
    "email",
    "first_name",
    "last_name",
    "display_name",
    "type",
    "role",
    "dept",
    "company",
    "language",
    "timezone",
    "phone_number",
    "phone_country",
    "pmi",
    "use_pmi",
    "vanity_name",
)


def user_seen(state: Directory, event: Event, key: Key) -> None:
    """Set profile and status; somebody removed is there again, with nothing but what is seen."""
    user = state.users.setdefault(key, User(event))
    if user.removed_by:
        user = state.users[key] = User(
            event, spelling=user.spelling, spelled_by_lifecycle=user.spelled_by_lifecycle
        )
    user.newest = event
    if not user.spelled_by_lifecycle:
        user.spelling = event.subject or ""
    named = [name for name in SEEN_FIELDS if name in event.object]
    user.profile = user.profile | {name: PROFILE[name](event.object[name]) for name in named}
    user.attributes = _attributes(user.attributes, event.object.get("custom_attributes"))
    if event.object.get("status") in ("active", "inactive", "pending"):
        user.status = event.object["status"]
    created = date_ms(event.object.get("user_created_at"))
    user.created_as_observed = user.created_as_observed if created is None else created
    _settle(state, "user", key, [(name,) for name in named])


def _attributes(known: Document, seen: Any) -> Document:
    """REST writes each value as a text: the same text is the same value."""
    merged = merge_attributes(known, seen, None)
    for key, item in known.items():
        if text(item["value"]) == text(merged[key]["value"]):
            merged[key] = merged[key] | {"value": item["value"]}
    return merged


def groups_seen(state: Directory, event: Event, key: Key) -> bool:
    """Set the whole set of a person's groups, where it is named; returns whether all ids are usable."""
    told = event.object.get("group_ids")
    if told is None:
        return True
    if not isinstance(told, list):
        return False
    ids = [identifier(value) for value in told]
    seen = {group for group in ids if group is not None}
    account, person = key
    members = state.entries["members"]
    for (owner, group), people in members.items():
        if owner == account and group not in seen and person in people:
            people[person].values = {"added": False, "told": None}
    for group in seen:
        row = members.setdefault((account, group), {}).setdefault(person, Row(event))
        _seen_in_list(row, event, event.subject or "", identifier(event.object.get("email")))
    state.whole_sets[key] = event
    return None not in ids


def _seen_in_list(row: Row, event: Event, spelling: str, email: str | None) -> None:
    row.name_person(event, spelling, email)
    told = row.values.get("told") if row.values.get("added") else None
    row.values = {"added": True, "told": told}


def entries_seen(state: Directory, event: Event, group: Key, listing: str) -> bool:
    """Add who is seen in a list, "members" or "admins", end who is absent; returns whether all is usable."""
    usable = True
    for column in (listing, "absent"):
        listed = event.object.get(column)
        usable = usable and (listed is None or isinstance(listed, list))
        for entry in map(as_object, listed if isinstance(listed, list) else []):
            spelling, email = identifier(entry.get("id")), identifier(entry.get("email"))
            if spelling is None and email is None:
                usable = False
                continue
            person = spelling.lower() if spelling else f"email:{(email or '').lower()}"
            row = state.entries[listing].setdefault(group, {}).setdefault(person, Row(event))
            if column == listing:
                _seen_in_list(row, event, spelling or "", email)
            else:
                row.name_person(event, spelling or "", email)
                row.values = {"added": False, "told": None}
    return usable


def settings_seen(state: Directory, event: Event, person: Key, entity: Key) -> bool:
    """Set the leaves that are named; returns whether the documents are objects."""
    documents = (
        ("settings",) if event.name == "rest.user_settings_observed" else ("settings", "locks")
    )
    seen = {name: event.object.get(name) for name in documents}
    if not all(value is None or isinstance(value, dict) for value in seen.values()):
        return False
    row, owner, kinds = _row(state, event, person, entity)
    row.newest, row.spelling = event, event.subject or ""
    for name in documents:
        row.values[name] = merge(row.values.get(name, {}), as_object(seen[name]), {})
        _settle(state, kinds[name], owner, [path for path, _ in _named(as_object(seen[name]))])
    return True


def _row(
    state: Directory, event: Event, person: Key, entity: Key
) -> tuple[Row, Key, dict[str, str]]:
    match event.name:
        case "rest.user_settings_observed":
            row = state.user_settings.setdefault(person, Row(event))
            return row, person, {"settings": "user_settings"}
        case "rest.group_settings_observed":
            row = state.group_settings.setdefault(entity, Row(event))
            return row, entity, {"settings": "group_settings", "locks": "group_locks"}
        case _:
            row = state.account_settings.setdefault(entity[0], Row(event))
            return row, entity, {"settings": "", "locks": ""}


def _named(document: Document) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every leaf, and every empty object, which names its own path."""
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from (((key, *path), leaf) for path, leaf in _named(value))
        else:
            yield (key,), value


def _settle(state: Directory, entity: str, owner: Key, named: list[tuple[str, ...]]) -> None:
    """Drop the drift on the way to, at or below a path that is named."""
    paths = [".".join(path) for path in named]

    def settled(path: str) -> bool:
        return any(
            f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")
            for other in paths
        )

    state.drift = [
        d for d in state.drift if not (d.entity == entity and d.owner == owner and settled(d.path))
    ]


def record(state: Directory, event: Event, key: Key) -> None:
    """Note that a section was read."""
    _, complete = state.coverage.get(key, (event, None))
    state.coverage[key] = (event, event if event.object.get("complete") is True else complete)


def numbers(told: Document) -> Document:
    """Return the counts of a record."""
    return {name: PROFILE["pmi"](told.get(name)) for name in ("read", "new", "repaired", "gone")}
