"""The people and groups of the simulated account, as they truly are."""

from dataclasses import dataclass, field
from typing import NamedTuple

from projector.simulator.delivery import Json
from projector.simulator.names import PersonName
from projector.simulator.pool import Pool
from projector.simulator.settings_diff import Leaves


class Since(NamedTuple):
    """When a membership or an admin role was given (epoch milliseconds), and by whom (e-mail)."""

    at_ms: int
    by: str


@dataclass(slots=True)
class Client:
    """One kind of client of a person, after the newest sign-in or sign-out."""

    signed_in: bool
    version: str
    login_type: int
    changed_ms: int


@dataclass(slots=True, eq=False)
class Group:
    """A group and the people in it."""

    group_id: str
    name: str
    created_ms: int
    removed_ms: int | None = None
    members: "Pool[Person]" = field(default_factory=Pool)
    admins: "Pool[Person]" = field(default_factory=Pool)
    settings: Leaves = field(default_factory=dict)
    locks: Leaves = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Person:
    """A user of the account; `profile` holds what deliveries have set since the (last) creation."""

    user_id: str
    name: PersonName
    creation_type: str
    status: str
    # The place in the order of joining, and the status under which the API lists this person now.
    place: int = -1
    listed: str | None = None
    created_ms: int = 0
    removed_ms: int | None = None
    # Named in a group without an id, so this person's address must not change any more: the
    # directory can resolve such an entry only by the current address.
    known_by_email: bool = False
    host_key: str | None = None
    note: str | None = None
    presence: Json | None = None
    profile: Json = field(default_factory=dict)
    attributes: dict[str, Json] = field(default_factory=dict)
    licences: Leaves = field(default_factory=dict)
    settings: Leaves = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    memberships: dict[Group, Since] = field(default_factory=dict)
    admin_roles: dict[Group, Since] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The current address."""
        return self.name.email
