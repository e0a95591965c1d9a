"""Coverage: the newest reading of each section of Zoom's REST API, and the newest complete one."""

from typing import Final, NamedTuple

from projector.folding import columns
from projector.folding.keys import account_and_entity
from projector.folding.tables import MergeTable, Projection, With, one_each
from projector.zoom.events import Event


class Coverage(NamedTuple):
    """One section's newest record. `complete_order` is the order of the newest complete one, or empty.

    `read` counts entities, `new`, `repaired` and `gone` those that were appended; `unreadable` says why a
    part could not be read.
    """

    account_id: str
    section: str
    folded: bytes
    last_position: int
    complete_order: bytes
    read: int | None
    new: int | None
    repaired: int | None
    gone: int | None
    unreadable: str | None


def _record(event: Event) -> Coverage:
    account, section = account_and_entity(event)
    told = event.object or {}
    return Coverage(
        account,
        section,
        event.order,
        event.position,
        event.order if told.get("complete") is True else b"",
        columns.int8(told.get("read")),
        columns.int8(told.get("new")),
        columns.int8(told.get("repaired")),
        columns.int8(told.get("gone")),
        columns.text(told.get("unreadable")) or None,
    )


def _newest(one: Coverage, other: Coverage) -> Coverage:
    newest = max(one, other, key=lambda row: row.folded)
    return newest._replace(complete_order=max(one.complete_order, other.complete_order))


COVERAGE: Final = Projection(
    name="coverage",
    version=1,
    tables=(
        MergeTable(
            name="coverage",
            row=Coverage,
            key=2,
            rows={"rest.section_read": one_each(_record)},
            merge=_newest,
            rules=dict.fromkeys(Coverage._fields[2:], With("folded"))
            | {"complete_order": With("complete_order")},
        ),
    ),
)
