"""Effective settings and violated locks, from the rows of the naive views and the rows of the map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .naive_diff import Document, leaves
from .naive_state import ViewRow
from .naive_worlds import (
    LEGACY,
    NOT_KNOWN,
    PRIORITY,
    Answer,
    GroupSide,
    Question,
    Said,
    alike,
    answer,
)

Views = dict[str, list[ViewRow]]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """One person and path: what was asked, and the answer."""

    account_id: str
    user_id: str
    path: str
    question: Question
    said: Said
    answer: Answer

    @property
    def row(self) -> ViewRow:
        """The row of `effective_user_settings`, without `why`."""
        found = self.answer
        return {
            "account_id": self.account_id,
            "user_id": self.user_id,
            "path": self.path,
            "value": found.values[0] if found.values else None,
            "source": found.source,
            "source_group_id": found.source_group_id,
            "locked_by": found.locked_by,
            "confidence": found.confidence,
        }

    @property
    def violation(self) -> ViewRow | None:
        """The row of `lock_violations`, if the person's own value is not what is locked above."""
        found, own = self.answer, self.question.own
        if found.locked_by is None or not found.values or own is NOT_KNOWN:
            return None
        if alike(own, found.values[0]):
            return None
        return {
            "account_id": self.account_id,
            "user_id": self.user_id,
            "path": self.path,
            "own_value": own,
            "locked_value": found.values[0],
            "locked_by": found.locked_by,
            "source_group_id": found.source_group_id,
            "confidence": found.confidence,
        }


def effective_user_settings(views: Views, setting_map: Sequence[ViewRow]) -> list[ViewRow]:
    """Return the rows of `effective_user_settings`, sorted by account, person and path.

    Values that share one text count as the same, so `value` is one of several where their types differ.
    """
    return [found.row for found in judged(views, setting_map)]


def lock_violations(views: Views, setting_map: Sequence[ViewRow]) -> list[ViewRow]:
    """Return the rows of `lock_violations`, sorted the same way."""
    return [row for found in judged(views, setting_map) if (row := found.violation) is not None]


def judged(views: Views, setting_map: Sequence[ViewRow]) -> list[Judged]:
    """Judge every person and every path of which something is known."""
    known = {row["path"]: row for row in setting_map}
    found = [one for user in views["users"] for one in _of_person(views, known, user)]
    return sorted(found, key=lambda one: (one.account_id, one.user_id, one.path))


def _of_person(views: Views, known: dict[str, ViewRow], user: ViewRow) -> Iterator[Judged]:
    account, person = user["account_id"], user["user_id"]
    own = _rows(views["user_settings"], account_id=account, user_id=person)
    above = _rows(views["account_settings"], account_id=account)
    groups = {
        row["group_id"]: _rows(
            views["group_settings"], account_id=account, group_id=row["group_id"]
        )
        for row in _rows(views["memberships"], account_id=account, user_id=person)
    }
    said = _said(views["declarations"], account, person)
    for path in sorted(_paths(known, own, above, groups)):
        setting = Setting(path, known.get(path))
        question = setting.question(user, own, above, groups)
        if question is not None:
            yield Judged(account, person, path, question, said, answer(question, said))


def _rows(rows: list[ViewRow], **key: str) -> list[ViewRow]:
    return [row for row in rows if all(row[name] == value for name, value in key.items())]


def _document(rows: list[ViewRow], column: str) -> Document:
    return (rows[0][column] or {}) if rows else {}


def _paths(
    known: dict[str, ViewRow],
    own: list[ViewRow],
    above: list[ViewRow],
    groups: dict[str, list[ViewRow]],
) -> set[str]:
    """Return the map's paths, and those of leaves that no row of the map spells at their level."""
    paths = set(known)
    levels = [("user", own), ("account", above), *(("group", rows) for rows in groups.values())]
    for level, rows in levels:
        spelled = {_spelled(path, row, level) for path, row in known.items()}
        for leaf, _ in leaves(_document(rows, "settings")):
            if leaf not in spelled:
                paths.add(".".join(leaf))
    return paths


def _spelled(path: str, row: ViewRow | None, level: str) -> Path:
    """Return how a level spells a path: as the map says, else canonically."""
    told = row[f"{level}_path"] if row else None
    return tuple(told) if told else tuple(path.split("."))


@dataclass(frozen=True)
class Setting:
    """A path, and its row of the map if it has one."""

    path: str
    row: ViewRow | None

    def question(
        self,
        user: ViewRow,
        own: list[ViewRow],
        above: list[ViewRow],
        groups: dict[str, list[ViewRow]],
    ) -> Question | None:
        """Gather what is known of the setting; None if nobody has a value of it."""
        sides = {
            group: GroupSide(self._value(rows, "group"), self._lock(rows, "group"))
            for group, rows in groups.items()
        }
        question = Question(
            own=self._value(own, "user"),
            account=self._value(above, "account"),
            account_lock=self._lock(above, "account"),
            groups={group: side for group, side in sides.items() if self._counts(side)},
            user_has=self.row is None or self.row["of_user"],
            primary_group_id=user["primary_group_id"] or None,
        )
        values = [question.own, question.account, *(side.value for side in sides.values())]
        return None if all(value is NOT_KNOWN for value in values) else question

    def _counts(self, side: GroupSide) -> bool:
        """A group has what its settings or its locks are documented to name, and what it has a value of."""
        if self.row is None or side.value is not NOT_KNOWN:
            return True
        return bool(self.row["of_group"] or self.row["group_lockable"])

    def _value(self, rows: list[ViewRow], level: str) -> Any:
        return _leaf_at(_document(rows, "settings"), _spelled(self.path, self.row, level))

    def _lock(self, rows: list[ViewRow], level: str) -> bool | None:
        locks = _document(rows, "locks")
        named = [self.row[f"{level}_flag"], self.row[f"{level}_flag_2"]] if self.row else []
        flags = [
            _leaf_at_or_above(locks, _spelled(self.path, self.row, level)),
            *(_leaf_at(locks, tuple(extra)) for extra in named if extra),
        ]
        told = [_as_lock(flag) for flag in flags]
        if True in told:
            return True
        if False in told:
            return False
        if self.row is None or self.row[f"{level}_lockable"] is True:
            return None
        return (
            False
            if self.row[f"{level}_lockable"] is False or self._left_alone(locks, level)
            else None
        )

    def _left_alone(self, locks: Document, level: str) -> bool:
        """Tell whether locks are known, and none of the setting's section is set."""
        section = _spelled(self.path, self.row, level)[0]
        flags = [(leaf[0], _as_lock(value)) for leaf, value in leaves(locks)]
        return any(flag is not None for _, flag in flags) and (section, True) not in flags


def _leaf_at(document: Document, path: Path) -> Any:
    return next((value for leaf, value in leaves(document) if leaf == path), NOT_KNOWN)


def _leaf_at_or_above(document: Document, path: Path) -> Any:
    for leaf, value in leaves(document):
        if leaf == path[: len(leaf)]:
            return value
    return NOT_KNOWN


def _as_lock(flag: Any) -> bool | None:
    if isinstance(flag, bool):
        return flag
    if isinstance(flag, str):
        return {"true": True, "false": False}.get(flag.lower())
    return None


def _said(declarations: list[ViewRow], account: str, person: str) -> Said:
    """Read the account's declarations and the person's; a value of null withdraws one."""
    model, ranking, primary = None, None, None
    for row in _rows(declarations, account_id=account):
        if row["kind"] == "model" and row["value"] in (LEGACY, PRIORITY):
            model = row["value"]
        elif row["kind"] == "ranking" and row["value"] is not None:
            ranking = tuple(row["value"])
        elif row["kind"] == "primary_group" and row["user_id"].lower() == person.lower():
            primary = row["value"]
    return Said(model, ranking, primary)
