"""Memberships and group admins: who was last added to, or taken from, which group.

An entry names a person by id, or by e-mail alone. Whom such an e-mail means is resolved when reading.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from projector.events import Event, identifier
from projector.folding.columns import lowered
from projector.folding.tables import MergeTable, Projection, each
from projector.folding.unfoldable import Unfoldable
from projector.projections.newest import (
    LONGEST_ID,
    account_and_entity,
    named_email,
    newest,
    newest_rules,
)


class GroupPerson(NamedTuple):
    """The newest word on one person in one group.

    `person_key` is the lower-cased user id, or `email:` and the lower-cased e-mail where no id came;
    `user_id` is null then. `added` tells an addition from a removal.
    """

    account_id: str
    group_id: str
    person_key: str
    folded: bytes
    last_position: int
    user_id: str | None
    email: str | None
    email_order: bytes
    added: bool
    by: str | None


def _entries(field: str, column: str, *, added: bool) -> Callable[[Event], Iterator[GroupPerson]]:
    def rows(event: Event) -> Iterator[GroupPerson]:
        account, group = account_and_entity(event)
        entries = (event.object or {}).get(field)
        if entries is None:
            return
        if not isinstance(entries, list):
            raise Unfoldable(f"payload.object.{field} is no array")
        nobody = 0
        for entry in entries:
            if not isinstance(entry, dict):
                nobody += 1
                continue
            user = identifier(entry.get("id"))
            email, order = named_email(event, entry, column)
            if (user is None and email is None) or (user is not None and len(user) > LONGEST_ID):
                nobody += 1
                continue
            key = user.lower() if user is not None else f"email:{lowered(email or '')}"
            yield GroupPerson(
                account, group, key, event.order, event.position, user, email, order, added,
                event.operator,
            )  # fmt: skip
        if nobody:
            raise Unfoldable(
                f"{nobody} of {len(entries)} {field} name nobody: neither id nor email"
            )

    return rows


def _projection(name: str, field: str, event: str) -> Projection:
    return Projection(
        name=name,
        version=1,
        tables=(
            MergeTable(
                name=name,
                row=GroupPerson,
                key=3,
                rows={
                    f"group.{event}_added": each(_entries(field, f"{name}.email", added=True)),
                    f"group.{event}_deleted": each(_entries(field, f"{name}.email", added=False)),
                },
                merge=newest,
                rules=newest_rules(GroupPerson, 3),
            ),
        ),
    )


MEMBERSHIPS: Final = _projection("memberships", "members", "member")
GROUP_ADMINS: Final = _projection("group_admins", "admins", "admin")
