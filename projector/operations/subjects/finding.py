"""Everything that is kept about a person, place by place."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from projector.database import Database
from projector.log.read import read_epoch, read_head
from projector.operations.acts import About, Act, record
from projector.operations.subjects.in_bodies import (
    Progress,
    search_log,
    search_progress,
    search_quarantine,
)
from projector.operations.subjects.in_state import as_places, rows_about_events, rows_of_state
from projector.operations.subjects.person import Person, find_person, with_emails
from projector.operations.subjects.place import Place, Record

_WHO: Final = "account_id", "ids", "emails", "names"


@dataclass(frozen=True)
class Found:
    """A person, and every place with what it has of them, at a moment and up to a head of the log."""

    person: Person
    generated_at: datetime
    epoch: str
    head: int
    places: list[Place]

    def as_json(self) -> dict[str, Any]:
        """It as JSON: times in ISO 8601, UTC."""
        shared = sorted(self.person.shared)
        return {
            "person": {name: getattr(self.person, name) for name in _WHO}
            | {"shared_emails": shared},
            "generated_at": self.generated_at.isoformat(),
            "log": {"epoch": self.epoch, "head": self.head},
            "places": [_place(place) for place in self.places],
        }


async def find_all(database: Database, who: str, account: str | None, progress: Progress) -> Found:
    """Search every place for whoever is meant. Raises NobodyMeant.

    An event of theirs may tell an e-mail that nothing else does: then all is searched for that one too.
    `progress` is called with the position reached and the head.
    """
    person = await find_person(database, who, account)
    epoch, head = await read_epoch(database), await read_head(database)
    while True:
        rows, positions = await rows_of_state(database, person)
        log = await search_log(database, person, head, positions, progress)
        if {email.lower() for email in log.emails} <= person.own_emails:
            break
        person = await with_emails(database, person, log.emails)
    rows += await rows_about_events(database, person, log)
    places = [
        log.place(),
        await search_quarantine(database, person),
        *await as_places(database, rows),
        await search_progress(database, person),
    ]
    return Found(person, datetime.now(UTC), str(epoch), head, places)


async def record_reading(database: Database, found: Found, who: str) -> int:
    """Append the act that says who read all about whom; returns its position."""
    about = About({"id": found.person.id}, found.person.account_id)
    return (await record(database, Act.SUBJECT_READ, who, about))[0]


def _place(place: Place) -> dict[str, Any]:
    return {
        "place": place.name,
        "what": place.kept.what,
        "kept": place.kept.how_long,
        "count": len(place.records),
        "records": [_record(one) for one in place.records],
    }


def _record(one: Record) -> dict[str, Any]:
    told = {
        "where": one.where,
        "event_time": None if one.event_time is None else one.event_time.isoformat(),
        "received_at": None if one.received_at is None else one.received_at.isoformat(),
        "source": one.source,
        "content": one.content,
    }
    return told if one.why_not is None else told | {"content_not_given": one.why_not}
