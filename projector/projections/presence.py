"""Presence: the newest status of each user, and the personal note with its drift."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from projector.folding import columns
from projector.folding.documents import EMPTY, Document
from projector.folding.drift import Drift, drift_of
from projector.folding.keys import account_and_user, named_email, person
from projector.folding.lives import life_steps
from projector.folding.newest import newest, newest_rules
from projector.folding.tables import (
    STANDS,
    Key,
    MergeTable,
    Projection,
    SequenceTable,
    StateVersions,
    one_each,
)
from projector.folding.versions import Delta, delta_of
from projector.zoom.catalogue import Catalogue
from projector.zoom.events import Event


class Presence(NamedTuple):
    """The newest presence event of a user: all columns are that event's, but for the e-mail."""

    account_id: str
    user_key: str
    folded: bytes
    last_position: int
    user_id: str
    email: str | None
    email_order: bytes
    presence_status: str | None
    app_type: str | None
    app_presence_status: str | None


def _text(event: Event, column: str, value: Any) -> str | None:
    return value if type(value) is str else columns.held(event, column, columns.text, value)


def _presence(event: Event) -> Presence:
    account, key, user = person(event)
    entity = event.object or {}
    app = entity.get("app")
    if type(app) is not dict:
        app = {}
    email, email_order = named_email(event, entity, "presence.email")
    return Presence(
        account, key, event.order, event.position, user, email, email_order,
        _text(event, "presence.presence_status", entity.get("presence_status")),
        _text(event, "presence.app_type", app.get("type")),
        _text(event, "presence.app_presence_status", app.get("presence_status")),
    )  # fmt: skip


def _superseded(event: Event, rows: Mapping[Key, Presence]) -> bool:
    """Whether a row's status is of a newer event, and its e-mail too where this one names any."""
    account, user = event.account_id, event.entity_id
    if account is None or user is None:
        return False
    known = rows.get((account, user.lower()))
    if known is None or event.order >= known.folded:
        return False
    return event.order < known.email_order or not (event.object or {}).get("email")


class Note(NamedTuple):
    """A user's personal note. `note_order` is the order of the newest note event.

    `known`: an event of this life set the note, and none cleared it.
    """

    account_id: str
    user_key: str
    folded: bytes = b""
    last_position: int = 0
    user_id: str = ""
    email: str | None = None
    email_order: bytes = b""
    note: str | None = None
    known: bool = False
    note_order: bytes | None = None
    removed: bool = False
    drift: Drift = ()


def _start(key: Key) -> Note:
    account, user = key
    return Note(account, user, user_id=user)


def _note(state: Note, event: Event) -> Note:
    _, _, user = person(event)
    entity = event.object or {}
    new = (
        {"personal_notes": _text(event, "presence.note", entity["personal_notes"])}
        if "personal_notes" in entity
        else {}
    )
    reported = {"personal_notes": columns.text((event.old_object or {}).get("personal_notes"))}
    known = {"personal_notes": state.note} if state.known else {}
    drift = () if state.removed else drift_of("personal_note", event, known, reported, new)
    email, email_order = named_email(event, entity, "presence.email")
    return state._replace(
        last_position=event.position,
        user_id=user,
        email=email or state.email,
        email_order=email_order or state.email_order,
        note=new.get("personal_notes"),
        known=bool(new),
        note_order=event.order,
        drift=state.drift + drift,
    )


def _begun(state: Note, _event: Event) -> Note:
    return state._replace(removed=False)


def _ended(state: Note, _event: Event) -> Note:
    return state._replace(
        removed=True, note=None, known=False, email=None, email_order=b"", drift=()
    )


class NoteVersion(NamedTuple):
    """What an event, at `position`, by `by`, changed in a user's note: `delta`."""

    account_id: str
    user_key: str
    folded: bytes
    until: bytes
    position: int
    by: str | None
    delta: Delta
    user_id: str


def _told(state: Note) -> Document:
    return EMPTY if state.note is None or state.removed else {"personal_notes": state.note}


def _version(before: Note, after: Note, event: Event) -> NoteVersion:
    return NoteVersion(
        after.account_id, after.user_key, after.folded, STANDS, event.position, event.operator,
        delta_of(_told(before), _told(after)), after.user_id,
    )  # fmt: skip


def presence(catalogue: Catalogue) -> Projection:
    """The projection of presence and personal notes."""
    lives = life_steps(catalogue, "user", begun=_begun, ended=_ended)
    return Projection(
        name="presence",
        version=4,
        tables=(
            MergeTable(
                name="presence",
                row=Presence,
                key=2,
                rows={"user.presence_status_updated": one_each(_presence)},
                merge=newest,
                rules=newest_rules(Presence, 2),
                superseded=_superseded,
            ),
            SequenceTable(
                name="notes",
                row=Note,
                key=2,
                key_of=account_and_user,
                start=_start,
                steps={"user.personal_notes_updated": _note, **lives},
                history="notes_history",
                versions=StateVersions("note_versions", NoteVersion, key=3, of=_version),
                context=frozenset(lives),
            ),
        ),
    )
