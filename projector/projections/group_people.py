"""Memberships and group admins: who was added to, or removed from, which group.

An entry names a person by id, or by e-mail alone; the views resolve whom such an e-mail means.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from projector.folding.columns import lowered
from projector.folding.keys import (
    LONGEST_ID,
    account_and_entity,
    named_email,
    person,
)
from projector.folding.newest import newest, newest_rules
from projector.folding.tables import (
    STANDS,
    MergeTable,
    Projection,
    RowVersions,
    With,
    each,
)
from projector.folding.unfoldable import Unfoldable
from projector.projections.observed_groups import OBSERVED_GROUPS, group_ids
from projector.zoom.events import Event, identifier


class GroupPerson(NamedTuple):
    """The newest event of one person in one group: an addition if `added`, else a removal.

    `person_key` is the lower-cased user id, or `email:` and the lower-cased e-mail where no id came;
    `user_id` is null then. `told` is the order of the newest delivery, or empty where only observations
    name the person; `told_added` and `by` are that delivery's. `absent` is the order of the newest
    observation that showed the person's absence, or empty. `in_set`: the newest event told a whole set of
    the person's groups.
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
    told: bytes
    told_added: bool
    absent: bytes
    in_set: bool


def _entries(
    field: str, column: str, *, added: bool, observed: bool = False
) -> Callable[[Event], Iterator[GroupPerson]]:
    """Make the function that gives an event's rows: one for each usable entry of `object[field]`.

    That function raises Unfoldable, after the usable entries, where there are others. `column` names the
    e-mail's column where it cannot be held. `observed`: the event is an observation and no delivery.
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
                None if observed else event.operator,
                b"" if observed else event.order,
                added and not observed,
                event.order if observed and not added else b"",
                False,
            )  # fmt: skip
        if unusable:
            raise Unfoldable(
                f"{unusable} of {len(entries)} {field} name nobody: neither id nor email"
            )

    return rows


def _observed_entries(field: str, column: str) -> Callable[[Event], Iterator[GroupPerson]]:
    """The same for an observation: who is in `object[field]`, and who in `object["absent"]` is not."""
    shown = _entries(field, column, added=True, observed=True)
    absent = _entries("absent", column, added=False, observed=True)

    def rows(event: Event) -> Iterator[GroupPerson]:
        problem = None
        for entries in (shown, absent):
            try:
                yield from entries(event)
            except Unfoldable as error:
                problem = problem or error
        if problem is not None:
            raise problem

    return rows


def _observed_groups(event: Event) -> Iterator[GroupPerson]:
    """Yield a row for each group of an observed person. Raises Unfoldable where a group has no usable id."""
    try:
        account, key, user = person(event)
    except Unfoldable:
        return  # the users projection reports it
    email, order = named_email(event, event.object or {}, "memberships.email")
    groups, unusable = group_ids(event)
    for group in groups:
        yield GroupPerson(
            account, key, group, event.order, event.position, user, email, order, True,
            None, b"", False, b"", True,
        )  # fmt: skip
    if unusable:
        raise Unfoldable(f"{unusable} of payload.object.group_ids are no ids")


def _newest(one: GroupPerson, other: GroupPerson) -> GroupPerson:
    merged: GroupPerson = newest(one, other)
    told = other if other.told >= one.told else one
    absent = max(one.absent, other.absent)
    if merged.told == told.told and merged.absent == absent:
        return merged
    return merged._replace(told=told.told, told_added=told.told_added, by=told.by, absent=absent)


class GroupPersonVersion(NamedTuple):
    """The same as of the events up to one of them.

    `email_order` and `told` are null where they are that event's: they are mostly, and then not stored twice.
    """

    account_id: str
    person_key: str
    group_id: str
    folded: bytes
    until: bytes
    last_position: int
    user_id: str | None
    email: str | None
    email_order: bytes | None
    added: bool
    by: str | None
    told: bytes | None
    told_added: bool
    absent: bytes
    in_set: bool


def _version(row: GroupPerson) -> GroupPersonVersion:
    mine = row.folded
    return GroupPersonVersion(
        *row[:4], STANDS, row.last_position, row.user_id, row.email,
        None if row.email_order == mine else row.email_order,
        row.added, row.by,
        None if row.told == mine else row.told,
        row.told_added, row.absent, row.in_set,
    )  # fmt: skip


def _restored(version: GroupPersonVersion) -> GroupPerson:
    mine = version.folded
    return GroupPerson(
        *version[:4], version.last_position, version.user_id, version.email,
        mine if version.email_order is None else version.email_order,
        version.added, version.by,
        mine if version.told is None else version.told,
        version.told_added, version.absent, version.in_set,
    )  # fmt: skip


_RULES: Final = (
    newest_rules(GroupPerson, 3)
    | dict.fromkeys(("told", "told_added", "by"), With("told"))
    | {"absent": With("absent")}
)


def _list(name: str, rows: dict[str, Callable[[Event], Iterator[GroupPerson]]]) -> MergeTable:
    return MergeTable(
        name=name,
        row=GroupPerson,
        key=3,
        rows={event: each(rows_of) for event, rows_of in rows.items()},
        merge=_newest,
        rules=_RULES,
        versions=RowVersions(
            f"{name}_versions", GroupPersonVersion, key=4, of=_version, restored=_restored
        ),
    )


MEMBERSHIPS: Final = Projection(
    name="memberships",
    version=4,
    tables=(
        _list(
            "memberships",
            {
                "group.member_added": _entries("members", "memberships.email", added=True),
                "group.member_deleted": _entries("members", "memberships.email", added=False),
                "rest.group_members_observed": _observed_entries("members", "memberships.email"),
                "rest.user_observed": _observed_groups,
            },
        ),
        OBSERVED_GROUPS,
    ),
)


GROUP_ADMINS: Final = Projection(
    name="group_admins",
    version=4,
    tables=(
        _list(
            "group_admins",
            {
                "group.admin_added": _entries("admins", "group_admins.email", added=True),
                "group.admin_deleted": _entries("admins", "group_admins.email", added=False),
                "rest.group_admins_observed": _observed_entries("admins", "group_admins.email"),
            },
        ),
    ),
)
