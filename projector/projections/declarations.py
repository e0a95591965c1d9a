"""Declarations: what an operator says, because neither deliveries nor readings tell it.

Which model of settings an account uses, the ranking of its groups, a person's primary group. The newest by
event order counts; one that says null takes the earlier ones back.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from projector.folding.keys import account_and_entity, checked_id, person
from projector.folding.tables import (
    STANDS,
    MergeTable,
    Projection,
    Row,
    RowVersions,
    With,
    one_each,
)
from projector.folding.unfoldable import Unfoldable
from projector.zoom.catalogue import DECLARED_MODEL, DECLARED_PRIMARY_GROUP, DECLARED_RANKING
from projector.zoom.events import Event, identifier

MODELS: Final = ("legacy", "priority")


class DeclaredModel(NamedTuple):
    """Which model of settings an account uses: one of MODELS, or null where that was taken back."""

    account_id: str
    folded: bytes
    last_position: int
    model: str | None
    by: str | None


class DeclaredModelVersion(NamedTuple):
    """The same as of the events up to one of them."""

    account_id: str
    folded: bytes
    until: bytes
    last_position: int
    model: str | None
    by: str | None


class DeclaredRanking(NamedTuple):
    """An account's groups by id, the highest first; null where that was taken back."""

    account_id: str
    folded: bytes
    last_position: int
    groups: tuple[str, ...] | None
    by: str | None


class DeclaredRankingVersion(NamedTuple):
    """The same as of the events up to one of them."""

    account_id: str
    folded: bytes
    until: bytes
    last_position: int
    groups: tuple[str, ...] | None
    by: str | None


class DeclaredPrimaryGroup(NamedTuple):
    """A person's primary group; null where that was taken back. `user_id` as the declaration spells it."""

    account_id: str
    user_key: str
    folded: bytes
    last_position: int
    user_id: str
    group_id: str | None
    by: str | None


class DeclaredPrimaryGroupVersion(NamedTuple):
    """The same as of the events up to one of them."""

    account_id: str
    user_key: str
    folded: bytes
    until: bytes
    last_position: int
    user_id: str
    group_id: str | None
    by: str | None


def _declared(event: Event, name: str) -> Any:
    """What a declaration says, which may be null; raises Unfoldable where it says nothing."""
    told = event.object or {}
    if name not in told:
        raise Unfoldable(f"there is no payload.object.{name}")
    return told[name]


def _model(event: Event) -> DeclaredModel:
    account, _ = account_and_entity(event)
    model = _declared(event, "model")
    if model is not None and model not in MODELS:
        raise Unfoldable(f"payload.object.model is none of {', '.join(MODELS)}, null")
    return DeclaredModel(account, event.order, event.position, model, event.operator)


def _ranking(event: Event) -> DeclaredRanking:
    account, _ = account_and_entity(event)
    told = _declared(event, "groups")
    groups = None if told is None else _ranked(told)
    return DeclaredRanking(account, event.order, event.position, groups, event.operator)


def _ranked(told: Any) -> tuple[str, ...]:
    """The ids of an array, each there once; raises Unfoldable for anything else."""
    if not isinstance(told, list):
        raise Unfoldable("payload.object.groups is no array")
    groups = tuple(
        checked_id(identifier(one), "id of one of payload.object.groups") for one in told
    )
    if len(set(groups)) < len(groups):
        raise Unfoldable("payload.object.groups names a group twice")
    return groups


def _primary_group(event: Event) -> DeclaredPrimaryGroup:
    account, key, user = person(event)
    told = _declared(event, "primary_group_id")
    group = (
        None if told is None else checked_id(identifier(told), "id in payload.object.primary_group_id")
    )  # fmt: skip
    return DeclaredPrimaryGroup(
        account, key, event.order, event.position, user, group, event.operator
    )


def _newest(one: Row, other: Row) -> Row:
    return other if other.folded >= one.folded else one


def _table(
    name: str,
    row: type[Any],
    version: type[Any],
    key: int,
    event: str,
    row_of: Callable[[Event], Row],
) -> MergeTable:
    """The table of the newest declarations of one kind, with its versions."""
    after_until = key + 2

    def versioned(one: Row) -> Row:
        return version(*one[: key + 1], STANDS, *one[key + 1 :])

    def restored(one: Row) -> Row:
        return row(*one[: key + 1], *one[after_until:])

    return MergeTable(
        name=f"{name}s",
        row=row,
        key=key,
        rows={event: one_each(row_of)},
        merge=_newest,
        rules=dict.fromkeys(row._fields[key:], With("folded")),
        versions=RowVersions(
            f"{name}_versions", version, key=key + 1, of=versioned, restored=restored
        ),
    )


DECLARATIONS: Final = Projection(
    name="declarations",
    version=1,
    tables=(
        _table("declared_model", DeclaredModel, DeclaredModelVersion, 1, DECLARED_MODEL, _model),
        _table(
            "declared_ranking", DeclaredRanking, DeclaredRankingVersion, 1, DECLARED_RANKING, _ranking
        ),
        _table(
            "declared_primary_group", DeclaredPrimaryGroup, DeclaredPrimaryGroupVersion, 2,
            DECLARED_PRIMARY_GROUP, _primary_group,
        ),
    ),
)  # fmt: skip
