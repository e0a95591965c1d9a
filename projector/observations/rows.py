"""Rows of Zoom's REST answers as an observation says them: in the event's words, only what is named. Pure."""

import re
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from projector.zoom.events import identifier

Json: TypeAlias = dict[str, Any]

# Alike in listings and in single answers. Webhooks tell of pictures, telephone lists and plans otherwise.
_ALIKE: Final = (
    "email",
    "first_name",
    "last_name",
    "display_name",
    "type",
    "dept",
    "timezone",
    "pmi",
    "user_created_at",
)
# A personal link as REST writes it: webhooks tell the name alone.
_PERSONAL_LINK: Final = re.compile(r"https?://[^/?#]+/my/([^/?#]+)/?")
# Single answers alone have these; `role_name` is the webhooks' `role`.
_SINGLE: Final = ("company", "language", "phone_number", "phone_country", "use_pmi")
_STATUSES: Final = frozenset({"active", "inactive", "pending"})


def listed_person(row: Json, status: str, roles: dict[str, str]) -> Json:
    """The profile that a row of a listing shows, without id and groups.

    `status` is the listing's; the row's own wins, which differs where somebody moved. `roles`: names by id;
    a role that is not among them is not named.
    """
    about = _profile(row, _ALIKE)
    role = roles.get(identifier(row.get("role_id")) or "")
    if role is not None:
        about["role"] = role
    own = row.get("status")
    about["status"] = own if own in _STATUSES else status
    return about


def single_person(row: Json) -> Json:
    """The profile that the answer about one person shows, without id and groups."""
    about = _profile(row, _ALIKE + _SINGLE)
    if "role_name" in row:
        about["role"] = row["role_name"]
    link = row.get("vanity_url")
    if link == "":
        about["vanity_name"] = ""
    elif isinstance(link, str) and (found := _PERSONAL_LINK.fullmatch(link)):
        about["vanity_name"] = unquote(found[1])
    if row.get("status") in _STATUSES:
        about["status"] = row["status"]
    return about


def _profile(row: Json, names: tuple[str, ...]) -> Json:
    about = {name: row[name] for name in names if name in row}
    attributes = row.get("custom_attributes")
    if isinstance(attributes, list):
        about["custom_attributes"] = [
            {name: entry.get(name) for name in ("key", "name", "value")}
            for entry in attributes
            if isinstance(entry, dict)
        ]
    return about


def groups_of(row: Json) -> tuple[str, ...] | None:
    """The whole set of a person's groups, sorted; None where the row says nothing of it."""
    told = row.get("group_ids")
    if not isinstance(told, list):
        return None
    return tuple(sorted({group for value in told if (group := identifier(value)) is not None}))


def row_id(row: Json) -> str | None:
    """A row's id as REST spells it; None where it has none, as pending people in listings."""
    return identifier(row.get("id"))


def row_email(row: Json) -> str | None:
    """A row's e-mail as sent; None where it has none."""
    told = row.get("email")
    return told if isinstance(told, str) and told else None
