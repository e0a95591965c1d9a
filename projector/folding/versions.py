"""Versions: what an entity or a row was from each of its events on. Pure.

The same steps and merges make them that make the present: a version is what they leave after an event.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final

from projector.folding.documents import ABSENT, Document, changed_leaves
from projector.folding.tables import Key, MergeTable, Row, RowVersions, VersionsTable
from projector.zoom.events import Event

Delta = tuple[Document, ...]
NO_CHANGE: Final[Delta] = ()


@dataclass
class VersionChange:
    """Versions that are new, those that may stand there otherwise, and those that end.

    `ended`: the key of the version, then its new `until`.
    """

    new: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    ended: list[tuple[object, ...]] = field(default_factory=list)

    def add(self, other: "VersionChange") -> None:
        """Add what changes in the versions of another entity."""
        self.new += other.new
        self.changed += other.changed
        self.ended += other.ended


def delta_of(before: Document, after: Document) -> Delta:
    """The changed leaves of a document, as they are stored, sorted: path `p`, before `b`, after `a`.

    `b` or `a` is missing where the leaf is not there.
    """
    if before is after:
        return NO_CHANGE
    delta = []
    for path, old, new in sorted(changed_leaves(before, after), key=itemgetter(0)):
        leaf: Document = {"p": path}
        if old is not ABSENT:
            leaf["b"] = old
        if new is not ABSENT:
            leaf["a"] = new
        delta.append(leaf)
    return tuple(delta)


def shown_delta(before: Any, after: Any, document: str) -> Delta | None:
    """What a step changes of a document of a state as views show it: not at all while its owner is removed.

    None where it is what the step changes in the document, as it mostly is.
    """
    if not before.removed:
        return None
    return NO_CHANGE if after.removed else delta_of({}, getattr(after, document))


# One version in so many holds its documents whole. Those of the others are found from the next whole ones, or
# from those that stand, by taking the changes between them back.
WHOLE_ONE_IN: Final = 32


def whole_now_and_then(event: Event, document: Document) -> Document | None:
    """A document for one event in WHOLE_ONE_IN, told by its digest: whatever else arrives, it stays so."""
    return document if event.order[-1] % WHOLE_ONE_IN == 0 else None


def since(event: Event, order: bytes | None) -> bytes | None:
    """An order, or empty where it is that of the event: it is mostly, and then not stored twice."""
    return b"" if order == event.order else order


def in_stretches(versions: Sequence[Row]) -> list[Row]:
    """Versions of one entity in event order, each standing until the next one begins.

    As they are made all of them stand for ever, as the last one does.
    """
    ended = [one._replace(until=other.folded) for one, other in pairwise(versions)]
    return [*ended, *versions[-1:]]


def from_order(table: VersionsTable, versions: Sequence[Row], order: bytes) -> VersionChange:
    """Of all versions of one entity, those from an order on, and the end of the one before.

    Any of them may stand there already.
    """
    standing = in_stretches(versions)
    rows = [version for version in standing if version.folded >= order]
    change = VersionChange(changed=rows)
    if len(rows) < len(standing):
        last = standing[-1 - len(rows)]
        change.ended.append((*last[: table.key], last.until))
    return change


def after(key: Key, state: Row | None, versions: Sequence[Row]) -> VersionChange:
    """New versions, all after the state of their entity where there is one: its version ends."""
    ended = [] if state is None else [(*key, state.folded, versions[0].folded)]
    return VersionChange(new=in_stretches(versions), ended=ended)


def rows_by_order(table: MergeTable, rows: Iterable[Row]) -> dict[Key, dict[bytes, Row]]:
    """The rows of a batch by key, and by the order of their event; of one event they merge."""
    found: dict[Key, dict[bytes, Row]] = {}
    for row in rows:
        mine = found.setdefault(row[: table.key], {})
        order = row[table.key]
        known = mine.get(order)
        mine[order] = row if known is None else table.merge(known, row)
    return found


def merged_versions(
    table: MergeTable, versions: RowVersions, stored: Iterable[Row], new: Mapping[bytes, Row]
) -> VersionChange:
    """What the new rows of one key, by order, change in its versions.

    `stored`: those that stand at the first new row or later; more do no harm.
    """
    known = {version.folded: versions.restored(version) for version in stored}
    whole: list[Row] = []
    last = added = None
    for order in sorted({*known, *new}):
        if order in new:
            added = new[order] if added is None else table.merge(added, new[order])
        row = known.get(order, last)
        last = added if row is None else row if added is None else table.merge(row, added)
        whole.append(versions.of(last))
    change = from_order(versions, whole, min(new))
    if not known or max(known) < min(new):
        change.new, change.changed = change.changed, []
    return change


def all_versions(table: MergeTable, versions: RowVersions, rows: Iterable[Row]) -> list[Row]:
    """The versions of one key, from all of its rows in event order."""
    whole: list[Row] = []
    last = None
    for row in rows:
        last = row if last is None else table.merge(last, row)
        version = versions.of(last)
        if whole and whole[-1].folded == version.folded:
            whole.pop()
        whole.append(version)
    return in_stretches(whole)
