"""Memberships and group admins: who was added to, or removed from, which group.

An entry names a person by id, or by e-mail alone; the views resolve whom such an e-mail means.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from projector.folding.columns import lowered
from projector.folding.keys import LONGEST_ID, account_and_entity, named_email
from projector.folding.newest import newest, newest_rules
from projector.folding.tables import MergeTable, Projection, each
from projector.folding.unfoldable import Unfoldable
from projector.zoom.events import Event, identifier


class GroupPerson(NamedTuple):
    """The newest event of one person in one group: an addition if `added`, else a removal.

    `person_key` is the lower-cased user id, or `email:` and the lower-cased e-mail where no id came;
    `user_id` is null then.
    """

    account_id: str
    person_key: str
    group_id: str
    folded: bytes
    last_position: int
    user_id: str | None
    email: str | None
    email_order: bytes
    added: bool
    by: str | None


def _entries(field: str, column: str, *, added: bool) -> Callable[[Event], Iterator[GroupPerson]]:
    """Make the function that gives an event's rows: one for each usable entry of `object[field]`.

    That function raises Unfoldable, after the usable entries, where there are others. `column` names the
    e-mail's column where it cannot be held.
    """

    def rows(event: Event) -> Iterator[GroupPerson]:
        account, group = account_and_entity(event)
        entries = (event.object or {}).get(field)
        if entries is None:
            return
        if not isinstance(entries, list):
            raise Unfoldable(f"payload.object.{field} is no array")
        unusable = 0
        for entry in entries:
            if not isinstance(entry, dict):
                unusable += 1
                continue
            user = identifier(entry.get("id"))
            email, order = named_email(event, entry, column)
            if (user is None and email is None) or (user is not None and len(user) > LONGEST_ID):
                unusable += 1
                continue
            key = user.lower() if user is not None else f"email:{lowered(email or '')}"
            yield GroupPerson(
                account, key, group, event.order, event.position, user, email, order, added,
                event.operator,
            )  # fmt: skip
        if unusable:
            raise Unfoldable(
                f"{unusable} of {len(entries)} {field} name nobody: neither id nor email"
            )

    return rows


def _projection(name: str, rows: dict[str, Callable[[Event], Iterator[GroupPerson]]]) -> Projection:
    return Projection(
        name=name,
        version=1,
        tables=(
            MergeTable(
                name=name,
                row=GroupPerson,
                key=3,
                rows={event: each(rows_of) for event, rows_of in rows.items()},
                merge=newest,
                rules=newest_rules(GroupPerson, 3),
            ),
        ),
    )


MEMBERSHIPS: Final = _projection(
    "memberships",
    {
        "group.member_added": _entries("members", "memberships.email", added=True),
        "group.member_deleted": _entries("members", "memberships.email", added=False),
    },
)
GROUP_ADMINS: Final = _projection(
    "group_admins",
    {
        "group.admin_added": _entries("admins", "group_admins.email", added=True),
        "group.admin_deleted": _entries("admins", "group_admins.email", added=False),
    },
)
