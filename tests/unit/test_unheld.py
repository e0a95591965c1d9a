"""A value that a typed column cannot hold becomes null and is counted, for every such column."""

from typing import Any

import pytest

from projector.folding.fold import contribute, fold_entity, group_by_entity
from projector.folding.tables import MergeTable
from projector.projections import PROJECTIONS
from projector.zoom.events import Event, decode_event
from tests.oracle.story import event

ODD: dict[str, Any] = {"an": "object"}


def unheld(body: bytes) -> set[str]:
    """The columns for which the folds of one event note a value that does not fit."""
    decoded = decode_event(1, 2_000_000_000_000_000, b"\0" * 32, body)
    assert isinstance(decoded, Event)
    batch = {decoded.name: [decoded]}
    for projection in PROJECTIONS:
        for table in projection.tables:
            if isinstance(table, MergeTable):
                contribute(table, batch, {})
                continue
            for key, events in group_by_entity(table, batch).events.items():
                fold_entity(table, table.start(key), events)
    return decoded.unheld or set()


@pytest.mark.parametrize(
    ("name", "about", "columns"),
    [
        ("user.presence_status_updated", {"email": ODD}, {"presence.email"}),
        ("user.presence_status_updated", {"email": "x" * 321}, {"presence.email"}),
        ("user.presence_status_updated", {"app": {"type": ODD}}, {"presence.app_type"}),
        ("user.personal_notes_updated", {"email": ODD}, {"presence.email"}),
        ("user.signed_in", {"email": ODD, "version": ODD}, {"sign_ins.email", "sign_ins.version"}),
        ("group.member_added", {"members": [{"id": "u", "email": ODD}]}, {"memberships.email"}),
        ("group.admin_added", {"admins": [{"id": "u", "email": ODD}]}, {"group_admins.email"}),
        ("user.updated", {"custom_attributes": "none"}, {"users.custom_attributes"}),
        ("user.updated", {"email": ODD, "pmi": "x"}, {"users.email", "users.pmi"}),
        ("user.updated", {"email": "", "custom_attributes": None}, set()),
        ("user.signed_in", {"email": "", "version": None}, set()),
    ],
)
def test_what_a_column_cannot_hold_is_noted(
    name: str, about: dict[str, Any], columns: set[str]
) -> None:
    assert unheld(event(name, 1, {"id": "a"} | about)) == columns


def test_a_creation_type_that_is_no_text_is_noted() -> None:
    body = event("user.created", 1, {"id": "u"}).replace(
        b'"object"', b'"creation_type":{},"object"'
    )
    assert unheld(body) == {"users.creation_type"}
