"""What the naive fold remembers between two events."""

from dataclasses import dataclass, field
from typing import Any

from .naive_diff import Document
from .naive_events import Event

Key = tuple[str, str]
"""(account id, lower-cased user id) or (account id, group id)."""

ViewRow = dict[str, Any]


@dataclass
class User:
    """One person of `users`: known from lifecycle events and updates."""

    newest: Event
    spelling: str = ""
    spelled_by_lifecycle: bool = False
    status: str = "unknown"
    removed_by: Event | None = None
    created_by: Event | None = None
    created_as_observed: int | None = None
    creation_type: str | None = None
    profile: Document = field(default_factory=dict)
    attributes: Document = field(default_factory=dict)


@dataclass
class Group:
    """One group of `groups`."""

    newest: Event
    removed_by: Event | None = None
    created_by: Event | None = None
    profile: Document = field(default_factory=dict)


@dataclass
class Row:
    """A row of newest-wins events: the newest event, and the newest e-mail named."""

    newest: Event
    spelling: str = ""
    email: str | None = None
    emailed_by: Event | None = None
    values: Document = field(default_factory=dict)

    def name_person(self, event: Event, spelling: str, email: str | None) -> None:
        """Remember how this event spells the person and which e-mail it names."""
        self.newest, self.spelling = event, spelling
        if email is not None:
            self.email, self.emailed_by = email, event


@dataclass
class Drift:
    """One contradiction; `owner` is the entity whose state it contradicts."""

    event: Event
    entity: str
    owner: Key
    path: str
    known: Any
    reported: Any


@dataclass
class Directory:
    """Everything known after the events applied so far."""

    users: dict[Key, User] = field(default_factory=dict)
    groups: dict[Key, Group] = field(default_factory=dict)
    presence: dict[Key, Row] = field(default_factory=dict)
    sign_ins: dict[Key, dict[str, Row]] = field(default_factory=dict)
    user_settings: dict[Key, Row] = field(default_factory=dict)
    group_settings: dict[Key, Row] = field(default_factory=dict)
    # By list ("members" or "admins"), then group, then person: a user key or "email:...".
    entries: dict[str, dict[Key, dict[str, Row]]] = field(
        default_factory=lambda: {"members": {}, "admins": {}}
    )
    # The newest whole set of a person's groups.
    whole_sets: dict[Key, Event] = field(default_factory=dict)
    account_settings: dict[str, Row] = field(default_factory=dict)
    # By account and section: the newest record, and the newest complete one.
    coverage: dict[Key, tuple[Event, Event | None]] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    dead_letters: dict[tuple[int, str], Event] = field(default_factory=dict)
    # What an operator dismissed, by digest and projection, or acknowledged, by owner, entity, path, digest.
    dismissed: dict[tuple[str, str], Event] = field(default_factory=dict)
    acknowledged: dict[tuple[Key, str, str, str], Event] = field(default_factory=dict)
    # What an operator declared, by account, kind and person ("" where it is about none): null is taken back.
    declarations: dict[tuple[str, str, str], tuple[Event, Any]] = field(default_factory=dict)
    heard: list[Event] = field(default_factory=list)

    def user_is_removed(self, key: Key) -> bool:
        """Tell whether the person's newest lifecycle fact is a removal."""
        return key in self.users and self.users[key].removed_by is not None

    def group_is_removed(self, key: Key) -> bool:
        """Tell whether the group's newest lifecycle fact is its deletion."""
        return key in self.groups and self.groups[key].removed_by is not None
