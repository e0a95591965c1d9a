"""A person's profile in words."""

from collections.abc import Iterator
from typing import Any, Final

import asyncpg

from projector.console.documents import leaves, parsed

LICENCES: Final = {1: "basic", 2: "licensed", 4: "unassigned", 99: "none"}
SIGN_INS: Final = {
    0: "Facebook", 1: "Google", 11: "Microsoft 365", 24: "Apple", 97: "mobile device", 98: "RingCentral",
    99: "API", 100: "Zoom password", 101: "single sign-on",
}  # fmt: skip
CREATED: Final = {
    "create": "by invitation", "autoCreate": "without invitation", "ssoCreate": "by single sign-on",
    "custCreate": "through the API, without login",
}  # fmt: skip
_PROFILE: Final = {
    "first_name": "First name",
    "last_name": "Last name",
    "role": "Role in the account",
    "dept": "Department",
    "company": "Company",
    "language": "Language",
    "timezone": "Time zone",
    "phone_country": "Country of the phone",
    "phone_number": "Phone",
    "pmi": "Personal meeting id",
    "use_pmi": "Uses it for instant meetings",
    "vanity_name": "Personal link",
    "pic_url": "Picture",
}


def name_of(row: asyncpg.Record | None) -> str | None:
    """Return what people call somebody: as Zoom shows the name, else first and last name, else the e-mail."""
    if row is None:
        return None
    both = f"{row['first_name'] or ''} {row['last_name'] or ''}".strip()
    return (row["display_name"] or "").strip() or both or row["email"]


def facts(row: asyncpg.Record) -> Iterator[tuple[str, Any]]:
    """Yield (label, value) of what is known in a profile."""
    if row["type"] is not None:
        yield "Licence", LICENCES.get(row["type"], f"code {row['type']}")
    for column, label in _PROFILE.items():
        if row[column] is not None:
            yield label, _shown(row[column])
    for attribute in parsed(row["custom_attributes"]) or ():
        yield str(attribute.get("name") or attribute.get("key")), attribute.get("value")
    for path, value in leaves(parsed(row["profile_settings"]) or {}):
        yield ".".join(path), value


def _shown(value: Any) -> Any:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
