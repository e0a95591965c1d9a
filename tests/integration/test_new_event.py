"""The README's recipe for a new event of a known entity, in memory: a catalogue row, a mapping entry.

These are enough to decode it, both ways, to fold it in order, to end what it ends, and to count it in
freshness.
"""

from dataclasses import replace
from typing import Any

import pytest

from projector.database import Database
from projector.folding.tables import Projection
from projector.projections import projections_of
from projector.projections.users import User
from projector.rebuild.rebuild import rebuild
from projector.state import batch
from projector.zoom.catalogue import CATALOGUE, VALUE, Catalogue, EventType
from projector.zoom.events import Decoder, Event
from tests.oracle.story import event
from tests.runtime_rig import append_bodies, no_progress, raw, replica, until_folded

# The rows in the catalogue.
RENAMED = EventType("user.renamed", reads={"name": {"shown": VALUE}})
ARCHIVED = EventType("group.archived", rank=5, ends="group")


def renamed(user: User, event: Event) -> User:
    """The function that folds the event."""
    shown = (event.object or {})["name"]["shown"]
    return user._replace(
        profile=user.profile | {"display_name": shown}, last_position=event.position
    )


def with_entry(projection: Projection, name: str, step: Any) -> Projection:
    """The projection with a mapping entry in its first table."""
    first, *others = projection.tables
    return replace(projection, tables=(replace(first, steps={**first.steps, name: step}), *others))


@pytest.fixture
def projections(monkeypatch: pytest.MonkeyPatch) -> tuple[Projection, ...]:
    """The projections with 23 events: also a user's renaming and a group's archiving."""
    catalogue = Catalogue((*CATALOGUE.rows, RENAMED, ARCHIVED))
    monkeypatch.setattr(batch, "decode_event", Decoder(catalogue).event)
    monkeypatch.setattr(batch, "skim_event", Decoder(catalogue, skim=True).event)
    users, groups, *others = projections_of(catalogue)
    deleted = groups.tables[0].steps["group.deleted"]
    return (
        with_entry(users, "user.renamed", renamed),
        with_entry(groups, "group.archived", deleted),
        *others,
    )


BODIES = [
    event("user.created", 1, {"id": "u", "display_name": "Ann", "dept": "d"}),
    event("user.renamed", 9, {"id": "u", "name": {"shown": "Åsa", "host_key": "123456"}}),
    event("user.updated", 5, {"id": "u", "display_name": "Anna"}),  # comes late
    event("user.renamed", 7, {"id": "u", "name": {"shown": "Anne"}}),  # and so does this
    event("user.renamed", 8, {"id": "u"}),  # cannot be folded
    event("group.created", 1, {"id": "g", "name": "Team"}),
    event("group.settings_updated", 2, {"id": "g", "settings": {"a": {"b": True}}}),
    event("group.archived", 3, {"id": "g"}),
    event("group.created", 1, {"id": "h", "name": "Others"}),
]


async def shown(database: Database) -> dict[str, Any]:
    queries = {
        "users": "SELECT user_id, display_name, dept FROM directory.users",
        "groups": "SELECT group_id FROM directory.groups",
        "former_groups": "SELECT group_id FROM directory.former_groups",
        "settings": "SELECT group_id FROM directory.group_settings",
        "dead": "SELECT projection, event FROM directory.dead_letters",
        "counted": "SELECT event, events FROM state.freshness "
        "WHERE event IN ('user.renamed', 'group.archived') ORDER BY 1",
    }
    return {
        name: [tuple(row) for row in await database.fetch(query)] for name, query in queries.items()
    }


async def test_a_new_event_is_folded_live_and_rebuilt(
    database: Database, projections: tuple[Projection, ...]
) -> None:
    async with replica(database, projections=projections, batch_events=2):
        await append_bodies(database, BODIES)
        await until_folded(database)
    assert await shown(database) == {
        "users": [("u", "Åsa", "d")],
        "groups": [("h",)],
        "former_groups": [("g",)],
        "settings": [],
        "dead": [("users", "user.renamed")],
        "counted": [("group.archived", 1), ("user.renamed", 3)],
    }
    live = await raw(database)
    for table in ("users", "groups", "group_settings", "freshness", "dead_letters"):
        await database.fetch(f"DELETE FROM state.{table}")
    await rebuild(database, projections, no_progress)
    assert await raw(database) == live
