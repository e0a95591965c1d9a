"""Whole sets of a person's groups, as observations of the person told them."""

from typing import Final, NamedTuple

from projector.folding.documents import EMPTY, Document
from projector.folding.keys import LONGEST_ID, account_and_user
from projector.folding.tables import STANDS, Key, SequenceTable, StateVersions
from projector.folding.unfoldable import Unfoldable
from projector.zoom.catalogue import USER_OBSERVED
from projector.zoom.events import Event, identifier


def group_ids(event: Event) -> tuple[list[str], int]:
    """Return (the usable ids of an observation's groups, how many others). Raises Unfoldable for no array."""
    told = (event.object or {}).get("group_ids")
    if told is None:
        return [], 0
    if not isinstance(told, list):
        raise Unfoldable("payload.object.group_ids is no array")
    ids = [identifier(value) for value in told]
    usable = {group for group in ids if group is not None and len(group) <= LONGEST_ID}
    return sorted(usable), sum(group not in usable for group in ids)


class ObservedGroups(NamedTuple):
    """The groups of a person as of the newest observation that told the whole set.

    `mark` is the order of that observation: older memberships in other groups have ended. `lacked` holds,
    for each of the groups that an earlier observation lacked, the order of the last such one, in
    hexadecimal: what was told before it is of an earlier membership. `dropped` are the groups of earlier
    sets that are in this one no more.
    """

    account_id: str
    person_key: str
    folded: bytes = b""
    last_position: int = 0
    mark: bytes = b""
    groups: tuple[str, ...] = ()
    lacked: Document = EMPTY
    dropped: tuple[str, ...] = ()


def _start(key: Key) -> ObservedGroups:
    return ObservedGroups(*key)


def _whole_set(state: ObservedGroups, event: Event) -> ObservedGroups:
    if (event.object or {}).get("group_ids") is None:
        return state
    groups, _ = group_ids(event)
    before = state.mark.hex()
    lacked = {g: state.lacked.get(g) if g in state.groups else before for g in groups}
    return state._replace(
        last_position=event.position,
        mark=event.order,
        groups=tuple(groups),
        lacked={group: order for group, order in lacked.items() if order},
        dropped=tuple(sorted({*state.dropped, *state.groups}.difference(groups))),
    )


class ObservedGroupsVersion(NamedTuple):
    """The same as of the observations up to one of them, at `position`."""

    account_id: str
    person_key: str
    folded: bytes
    until: bytes
    position: int
    mark: bytes
    groups: tuple[str, ...]
    lacked: Document
    dropped: tuple[str, ...]


def _version(_before: ObservedGroups, after: ObservedGroups, event: Event) -> ObservedGroupsVersion:
    return ObservedGroupsVersion(
        after.account_id, after.person_key, after.folded, STANDS, event.position,
        after.mark, after.groups, after.lacked, after.dropped,
    )  # fmt: skip


OBSERVED_GROUPS: Final = SequenceTable(
    name="observed_groups",
    row=ObservedGroups,
    key=2,
    key_of=account_and_user,
    start=_start,
    steps={"rest.user_observed": _whole_set},
    history="observed_groups_history",
    context=frozenset({USER_OBSERVED}),
    versions=StateVersions("observed_group_versions", ObservedGroupsVersion, key=3, of=_version),
)
