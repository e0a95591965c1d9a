"""One person, one setting: every world that the facts allow, one after the other.

A world chooses all that is not known. No closed forms, no short cuts: slow and simple on purpose.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

from .naive_diff import same


class NotKnown:
    """A value that nobody told: it is unlike every other."""

    def __repr__(self) -> str:
        return "NOT_KNOWN"


NOT_KNOWN = NotKnown()
LEGACY, PRIORITY = "legacy", "priority"
DEFAULT_UNKNOWN = "default unknown"

ANSWERS = {
    ("exact", "account", "account"),
    ("exact", "account", None),
    ("exact", "group", "group"),
    ("exact", "user", None),
    ("declared", "group", "group"),
    ("declared", "group", None),
    ("unknown", "account", "account"),
    ("unknown", "group", "group"),
    ("unknown", "default unknown", None),
}
"""Every (confidence, source, locked_by) that is possible.

Exact, not locked and of a group: never, for in the priority model the group may not manage it. Declared
and of the account or the person: never, for what the account locks, what a person sets where nothing is
locked, and what no group has depend on no declaration.
"""


@dataclass(frozen=True)
class GroupSide:
    """What one of the person's groups says of the setting; a `lock` of None is not known."""

    value: Any = NOT_KNOWN
    lock: bool | None = None


@dataclass(frozen=True)
class Question:
    """All that is known of one setting of one person.

    `groups`: only those that have the setting. `primary_group_id`: as events told it.
    """

    own: Any
    account: Any
    account_lock: bool | None
    groups: dict[str, GroupSide]
    user_has: bool
    primary_group_id: str | None = None


@dataclass(frozen=True)
class Said:
    """What an operator declared: of the account, and of the person."""

    model: str | None = None
    ranking: tuple[str, ...] | None = None
    primary_group_id: str | None = None


NOTHING_SAID = Said()


@dataclass(frozen=True)
class World:
    """One way in which everything may be.

    `decider`: in the legacy model, which of the groups that lock decides. `ranking`, highest first, and
    `managing` are of the priority model.
    """

    model: str
    account_locks: bool
    locking: frozenset[str]
    primary: str | None = None
    decider: str | None = None
    ranking: tuple[str, ...] = ()
    managing: frozenset[str] = frozenset()


class Outcome(NamedTuple):
    """What is in effect in a world."""

    value: Any
    source: str
    locked_by: str | None
    group: str | None


def as_text(value: Any) -> str | None:
    """Return the text that two equal values share, as jsonb's `#>> '{}'` writes it; None for null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def alike(left: Any, right: Any) -> bool:
    """Tell whether two values are the same; one that is not known is not even the same as itself."""
    if left is NOT_KNOWN or right is NOT_KNOWN:
        return False
    return as_text(left) == as_text(right)


def worlds(question: Question, said: Said) -> Iterator[World]:
    """Yield every world that agrees with what is known and with what was said."""
    groups = sorted(question.groups)
    models = [said.model] if said.model in (LEGACY, PRIORITY) else [LEGACY, PRIORITY]
    for account_locks in _choices(question.account_lock):
        for locks in product(*(_choices(question.groups[group].lock) for group in groups)):
            locking = frozenset(group for group, lock in zip(groups, locks, strict=True) if lock)
            for model in models:
                if model == LEGACY:
                    yield from _legacy_worlds(question, said, account_locks, locking)
                else:
                    yield from _priority_worlds(question, said, account_locks, locking)


def _choices(lock: bool | None) -> list[bool]:
    return [False, True] if lock is None else [lock]


def _legacy_worlds(
    question: Question, said: Said, account_locks: bool, locking: frozenset[str]
) -> Iterator[World]:
    for primary in _primaries(question, said):
        for decider in sorted(locking) or [None]:
            yield World(LEGACY, account_locks, locking, primary=primary, decider=decider)


def _primaries(question: Question, said: Said) -> list[str | None]:
    if question.primary_group_id is not None:
        return [question.primary_group_id]
    if said.primary_group_id is not None:
        return [said.primary_group_id]
    return [*sorted(question.groups)] or [None]


def _priority_worlds(
    question: Question, said: Said, account_locks: bool, locking: frozenset[str]
) -> Iterator[World]:
    for ranking in _rankings(question, said):
        for managing in _subsets(question.groups.keys() - locking):
            yield World(
                PRIORITY, account_locks, locking, ranking=ranking, managing=managing | locking
            )


def _rankings(question: Question, said: Said) -> list[tuple[str, ...]]:
    if said.ranking is not None and question.groups.keys() <= set(said.ranking):
        return [tuple(group for group in said.ranking if group in question.groups)]
    return list(permutations(sorted(question.groups)))


def _subsets(groups: set[str]) -> Iterator[frozenset[str]]:
    for size in range(len(groups) + 1):
        for some in combinations(sorted(groups), size):
            yield frozenset(some)


def outcome(question: Question, world: World) -> Outcome:
    """Return what is in effect in one world."""
    if world.account_locks:
        return Outcome(question.account, "account", "account", None)
    highest = next((group for group in world.ranking if group in world.managing), None)
    lock = world.decider if world.model == LEGACY else highest
    if lock is not None and lock in world.locking:
        return Outcome(question.groups[lock].value, "group", "group", lock)
    if question.own is not NOT_KNOWN:
        return Outcome(question.own, "user", None, None)
    if question.user_has:
        return Outcome(NOT_KNOWN, DEFAULT_UNKNOWN, None, None)
    return _default(question, world, highest)


def _default(question: Question, world: World, highest: str | None) -> Outcome:
    from_group = world.primary if world.model == LEGACY else highest
    if not question.groups or (world.model == PRIORITY and highest is None):
        found = Outcome(question.account, "account", None, None)
    elif from_group in question.groups:
        found = Outcome(question.groups[from_group].value, "group", None, from_group)
    else:
        found = Outcome(NOT_KNOWN, DEFAULT_UNKNOWN, None, None)
    if found.value is NOT_KNOWN:
        return Outcome(NOT_KNOWN, DEFAULT_UNKNOWN, None, None)
    return found


@dataclass(frozen=True)
class Answer:
    """What is in effect, and how certain that is.

    `values`: the values of all its worlds that differ as JSON, which share one text. Empty where unknown.
    """

    values: tuple[Any, ...]
    source: str
    source_group_id: str | None
    locked_by: str | None
    confidence: str


def answer(question: Question, said: Said) -> Answer:
    """Look at all worlds, then at those that agree with what was declared."""
    anyhow = [outcome(question, world) for world in worlds(question, NOTHING_SAID)]
    declared = [outcome(question, world) for world in worlds(question, said)]
    if _agree(anyhow):
        return _certain(anyhow, "exact")
    if _agree(declared):
        return _certain(declared, "declared")
    locked_by = {found.locked_by for found in declared}
    lock = locked_by.pop() if len(locked_by) == 1 else None
    return Answer((), lock or DEFAULT_UNKNOWN, None, lock, "unknown")


def _agree(found: list[Outcome]) -> bool:
    first = found[0]
    return all(
        alike(first.value, one.value)
        and (first.source, first.locked_by) == (one.source, one.locked_by)
        for one in found
    )


def _certain(found: list[Outcome], confidence: str) -> Answer:
    values: list[Any] = []
    for one in found:
        if not any(same(one.value, value) for value in values):
            values.append(one.value)
    groups = {one.group for one in found}
    group = groups.pop() if len(groups) == 1 else None
    return Answer(tuple(values), found[0].source, group, found[0].locked_by, confidence)
