"""Profiles: the fields of a user, and custom attributes, as a diff of either changes them."""

from typing import Any, Final

from projector.folding import columns
from projector.folding.documents import Document
from projector.zoom.events import Event

Attributes = tuple[dict[str, Any], ...]


def _email(value: Any) -> str | None:
    # An empty e-mail is a value here: the person has none any more.
    return "" if value == "" else columns.email(value)


PROFILE: Final[dict[str, columns.Coercion]] = {
    "email": _email,
    "first_name": columns.text,
    "last_name": columns.text,
    "display_name": columns.text,
    "type": columns.int4,
    "role": columns.text,
    "dept": columns.text,
    "company": columns.text,
    "language": columns.text,
    "timezone": columns.text,
    "phone_number": columns.text,
    "phone_country": columns.text,
    "pic_url": columns.text,
    "pmi": columns.int8,
    "use_pmi": columns.boolean,
    "vanity_name": columns.text,
    "primary_group_id": columns.text,
    "settings": columns.document,
}


def profile_of(entity: dict[str, Any], event: Event | None = None) -> Document:
    """The profile fields of one side of a diff, coerced. Settings that are no object are left out.

    What a column cannot hold is noted in `event`, where one is given.
    """
    profile: Document = {}
    for name, value in entity.items():
        coercion = PROFILE.get(name)
        if coercion is None:
            continue
        held = (
            coercion(value)
            if event is None
            else columns.held(event, f"users.{name}", coercion, value)
        )
        if held is not None or name != "settings":
            profile[name] = held
    return profile


def unholdable_settings(entity: dict[str, Any]) -> bool:
    """Whether the profile's settings are given and are no object."""
    settings = entity.get("settings")
    return settings is not None and not isinstance(settings, dict)


def _attributes(entity: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Custom attributes by key; entries without a usable key are left out."""
    entries = entity.get("custom_attributes")
    if not isinstance(entries, list):
        return {}
    return {
        key: {"key": key, "name": _scalar(entry.get("name")), "value": _scalar(entry.get("value"))}
        for entry in entries
        if isinstance(entry, dict) and (key := columns.text(entry.get("key")))
    }


def _scalar(value: Any) -> Any:
    return None if isinstance(value, dict | list) else value


def merge_attributes(held: Attributes, new: dict[str, Any], old: dict[str, Any]) -> Attributes:
    """The custom attributes after a diff, sorted by key."""
    if "custom_attributes" not in new and "custom_attributes" not in old:
        return held
    merged = {entry["key"]: entry for entry in held}
    after = _attributes(new)
    for key in _attributes(old).keys() - after.keys():
        merged.pop(key, None)
    merged.update(after)
    return tuple(merged[key] for key in sorted(merged))


def same_texts(observed: Attributes, held: Attributes) -> Attributes:
    """Attributes with the held values where only their kind differs: REST writes every value as a text."""
    known = {entry["key"]: entry for entry in held}
    return tuple(
        {**entry, "value": known[entry["key"]]["value"]}
        if entry["key"] in known
        and columns.text(entry["value"]) == columns.text(known[entry["key"]]["value"])
        else entry
        for entry in observed
    )
