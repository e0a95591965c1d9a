"""Keys: which entity an event is about, in a form that an index can hold."""

from typing import Any, Final

from projector.folding.columns import email, held
from projector.folding.unfoldable import Unfoldable
from projector.zoom.bodies import DEEPEST
from projector.zoom.events import Event

# Characters, of up to 4 bytes. An index entry holds about 2,700 bytes: three ids and an e-mail have to fit.
LONGEST_ID: Final = 100


def person(event: Event) -> tuple[str, str, str]:
    """(account id, user key, user id as spelled) of a user event; raises Unfoldable without."""
    account, user = account_and_entity(event)
    return account, user.lower(), user


def account_and_user(event: Event) -> tuple[str, str]:
    """(account id, user key) of a user event; raises Unfoldable without."""
    account, user, _ = person(event)
    return account, user


def account_and_entity(event: Event) -> tuple[str, str]:
    """(account id, object id); raises Unfoldable where one is absent, or the event cannot be folded."""
    account, entity = event.account_id, event.entity_id
    if account and entity and not event.too_deep and len(account) + len(entity) <= LONGEST_ID:
        return account, entity  # nearly every event, without a further call
    if event.too_deep:
        raise Unfoldable(f"the body is nested deeper than {DEEPEST} levels")
    return checked_id(account, "payload.account_id"), checked_id(entity, "payload.object.id")


def checked_id(value: str | None, place: str) -> str:
    """An id that can be a key; raises Unfoldable where it is absent or too long for an index."""
    if value is None:
        raise Unfoldable(f"there is no {place}")
    if len(value) > LONGEST_ID:
        raise Unfoldable(f"{place} is longer than {LONGEST_ID} characters")
    return value


def named_email(event: Event, entry: dict[str, Any], column: str) -> tuple[str | None, bytes]:
    """(e-mail, the event's order) of an object or an entry; (None, b"") where it names none.

    A value that `column` cannot hold is noted in the event.
    """
    address = held(event, column, email, entry.get("email"))
    return address, event.order if address else b""
