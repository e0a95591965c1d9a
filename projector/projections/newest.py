"""Newest-wins rows: of two rows for one key the one of the greater event order stays.

The e-mail has an order of its own: a newer event that names none leaves the older one's standing.
"""

from typing import Any, Final

from projector.bodies import DEEPEST
from projector.events import Event
from projector.folding.columns import email, held
from projector.folding.tables import With
from projector.folding.unfoldable import Unfoldable

# An index entry holds about 2,700 bytes: three ids and an e-mail of up to 4 bytes a character have to fit.
LONGEST_ID: Final = 100


def newest(one: Any, other: Any) -> Any:
    """Merge two rows with `folded`, `email` and `email_order`.

    Where one event names a key twice, its later entry counts.
    """
    winner = other if other.folded >= one.folded else one
    named = other if other.email_order >= one.email_order else one
    if winner is named:
        return winner
    return winner._replace(email=named.email, email_order=named.email_order)


def newest_rules(row: type[Any], key: int) -> dict[str, With]:
    """What `newest` does with each column of a row type that is not of its key."""
    rules = dict.fromkeys(row._fields[key:], With("folded"))
    return rules | dict.fromkeys(("email", "email_order"), With("email_order"))


def person(event: Event) -> tuple[str, str, str]:
    """(account id, user key, user id as spelled) of a user event; raises Unfoldable without."""
    account, user = account_and_entity(event)
    return account, user.lower(), user


def account_and_entity(event: Event) -> tuple[str, str]:
    """(account id, object id); raises Unfoldable where the event lacks one or cannot be stored."""
    account, entity = event.account_id, event.entity_id
    if account and entity and not event.too_deep and len(account) + len(entity) <= LONGEST_ID:
        return account, entity  # nearly every event, without a further call
    if event.too_deep:
        raise Unfoldable(f"the body is nested deeper than {DEEPEST} levels")
    return checked_id(account, "payload.account_id"), checked_id(entity, "payload.object.id")


def checked_id(value: str | None, place: str) -> str:
    """An id that can be a key; raises Unfoldable where there is none or it is too long for an index."""
    if value is None:
        raise Unfoldable(f"there is no {place}")
    if len(value) > LONGEST_ID:
        raise Unfoldable(f"{place} is longer than {LONGEST_ID} characters")
    return value


def named_email(event: Event, entry: dict[str, Any], column: str) -> tuple[str | None, bytes]:
    """(e-mail, order of the event that names it) of an object; (None, empty) where it names none.

    What `column` cannot hold is noted in the event.
    """
    address = held(event, column, email, entry.get("email"))
    return address, event.order if address else b""
