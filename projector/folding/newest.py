"""Newest wins: of two rows with one key, the one of the greater event order.

The e-mail has an order of its own: a newer event that names none keeps the e-mail of an older one.
"""

from typing import Any

from projector.folding.tables import With


def newest(one: Any, other: Any) -> Any:
    """Merge two rows with `folded`, `email` and `email_order`; of two of one event, `other` wins."""
    winner = other if other.folded >= one.folded else one
    named = other if other.email_order >= one.email_order else one
    if winner is named:
        return winner
    return winner._replace(email=named.email, email_order=named.email_order)


def newest_rules(row: type[Any], key: int) -> dict[str, With]:
    """The rules of `newest` for the columns of a row type, without the first `key` ones."""
    rules = dict.fromkeys(row._fields[key:], With("folded"))
    return rules | dict.fromkeys(("email", "email_order"), With("email_order"))
