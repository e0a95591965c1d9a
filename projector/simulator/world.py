"""The true state of the simulated account: its people, groups and settings."""

import base64
import random
import time

from projector.simulator.clock import Clock
from projector.simulator.delivery import Json, SimulatedEvent
from projector.simulator.names import DOMAIN, NameSource, PersonName
from projector.simulator.people import Group, Person
from projector.simulator.pool import Pool
from projector.simulator.register import Register
from projector.zoom.accounts import SIMULATED

OWNER = f"it.leitstand@{DOMAIN}"
OPERATORS = 3


class World:
    """The state that actions read and change. Every look-up and draw takes constant time."""

    def __init__(self, rng: random.Random, clock: Clock, account_id: str | None) -> None:
        self.rng = rng
        self.clock = clock
        self.names = NameSource(rng)
        self.account_id = account_id or SIMULATED + self.new_id()
        self.register = Register()
        self.operators: list[Person] = []
        self.active: Pool[Person] = Pool()
        # The active people who may change or leave; operators do neither.
        self.employees: Pool[Person] = Pool()
        self.pending: Pool[Person] = Pool()
        self.inactive: Pool[Person] = Pool()
        self.disassociated: Pool[Person] = Pool()
        self.deleted: Pool[Person] = Pool()
        self.groups: Pool[Group] = Pool()
        self.former_groups: Pool[Group] = Pool()
        self.groups_by_id: dict[str, Group] = {}
        self.sessions: Pool[tuple[Person, str]] = Pool()
        # Addresses that a permanent deletion freed: a later user with a new id may take one.
        self.freed: list[PersonName] = []
        self.secrets: list[str] = []

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def new_id(self) -> str:
        """Return an id like Zoom's: 22 characters of base64url, upper and lower case."""
        return base64.urlsafe_b64encode(self.rng.randbytes(16))[:22].decode()

    def new_secret(self) -> str:
        """Return ten digits for a host key or a password, and remember them in `secrets`."""
        secret = f"0{self.rng.randrange(10**9):09d}"
        self.secrets.append(secret)
        return secret

    def enter(self, person: Person, status: str) -> None:
        """Give a person a status and move them to its pool."""
        for pool in (self.active, self.employees, self.pending, self.inactive, self.disassociated):
            pool.discard(person)
        person.status = status
        self.register.move(person)
        pools: dict[str, Pool[Person]] = {
            "active": self.active,
            "pending": self.pending,
            "inactive": self.inactive,
            "disassociated": self.disassociated,
            "deleted": self.deleted,
        }
        pools[status].add(person)
        if status == "active" and len(self.operators) < OPERATORS:
            self.operators.append(person)
        elif status == "active" and person not in self.operators:
            self.employees.add(person)

    def open_group(self, group: Group) -> None:
        """Add a new group."""
        self.groups.add(group)
        self.groups_by_id[group.group_id] = group

    def close_group(self, group: Group) -> None:
        """Turn a group into a former one."""
        self.groups.discard(group)
        self.former_groups.add(group)
        del self.groups_by_id[group.group_id]

    def end_everything(self, person: Person) -> None:
        """Clear what a removal ends: memberships, admin roles, presence, note, clients, settings."""
        for group in person.memberships:
            group.members.discard(person)
        for group in person.admin_roles:
            group.admins.discard(person)
        for client in person.clients:
            self.sessions.discard((person, client))
        for held in (person.memberships, person.admin_roles, person.clients, person.settings):
            held.clear()
        person.note = person.presence = None

    def operator(self) -> Json:
        """Return the keys that name the operator: an administrator, or the owner at first."""
        if not self.operators:
            return {"operator": OWNER, "operator_id": self.account_id}
        person = self.rng.choice(self.operators)
        return {"operator": person.email, "operator_id": person.user_id}

    def deliver(self, name: str, at_ms: int, payload: Json, *, alias: str = "") -> SimulatedEvent:
        """Wrap a payload; the body has `alias`, if given, instead of the event's name."""
        body = {
            "event": alias or name,
            "event_ts": at_ms,
            "payload": {"account_id": self.account_id, **payload},
        }
        return SimulatedEvent(name, body)

    def moment_before(self, at_ms: int) -> str:
        """Return the RFC 3339 time at which something happened that is reported at `at_ms`.

        Zoom reports what happened 0.2 to 20 seconds later.
        """
        happened = at_ms - 200 - int(self.rng.random() * 19_800)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(happened // 1000))
