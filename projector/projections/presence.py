"""Presence: the newest status of each user, and the personal note with its drift."""

from typing import Any, Final, NamedTuple

from projector.events import Event
from projector.folding import columns
from projector.folding.tables import Key, MergeTable, Projection, SequenceTable, one_each
from projector.projections.drifting import Drift, drift_of
from projector.projections.lives import USER_LIVES
from projector.projections.newest import named_email, newest, newest_rules, person


class Presence(NamedTuple):
    """The newest presence of a user; the whole row is that event's, but for the e-mail."""

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


class Note(NamedTuple):
    """A user's personal note. `note_order` is null where no note event was ever folded.

    `known`: an event of this life set the note, and none cleared it.
    """

    account_id: str
    user_key: str
    folded: bytes
    last_position: int
    user_id: str
    email: str | None
    email_order: bytes
    note: str | None
    known: bool
    note_order: bytes | None
    removed: bool
    drift: Drift


def _start(key: Key) -> Note:
    account, user = key
    return Note(account, user, b"", 0, user, None, b"", None, False, None, False, ())


def _key(event: Event) -> Key:
    account, user, _ = person(event)
    return account, user


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


def _life(state: Note, event: Event) -> Note:
    if event.name in ("user.deleted", "user.disassociated"):
        return state._replace(
            removed=True, note=None, known=False, email=None, email_order=b"", drift=()
        )
    return state._replace(removed=False)


PRESENCE: Final = Projection(
    name="presence",
    version=1,
    tables=(
        MergeTable(
            name="presence",
            row=Presence,
            key=2,
            rows={"user.presence_status_updated": one_each(_presence)},
            merge=newest,
            rules=newest_rules(Presence, 2),
        ),
        SequenceTable(
            name="notes",
            row=Note,
            key=2,
            key_of=_key,
            start=_start,
            steps={"user.personal_notes_updated": _note, **dict.fromkeys(USER_LIVES, _life)},
            history="notes_history",
            context=frozenset(USER_LIVES),
        ),
    ),
)
