"""The lifecycle events of users: they are created, invited, deactivated, removed, and return."""

from collections.abc import Generator, Iterator

from projector.simulator.delivery import Json, SimulatedEvent
from projector.simulator.names import EMOJI, PersonName
from projector.simulator.people import Person
from projector.simulator.world import World

# Zoom sends a blank user.updated this many milliseconds before a permanent deletion.
PLACEHOLDER_LEAD_MS = 32

_CREATION_TYPES = ("ssoCreate", "create", "autoCreate", "custCreate")
_CREATION_WEIGHTS = (60, 20, 14, 6)


def hire(world: World) -> Iterator[SimulatedEvent]:
    """Create a user, by invitation or active at once."""
    creation_type = world.rng.choices(_CREATION_TYPES, _CREATION_WEIGHTS)[0]
    yield from _join(world, creation_type)


def hire_at_once(world: World) -> Iterator[SimulatedEvent]:
    """Create a user who is active at once."""
    yield from _join(world, "ssoCreate")


def invite(world: World) -> Iterator[SimulatedEvent]:
    """Create a user who is pending until the invitation is accepted."""
    yield from _join(world, "create")


def invite_again(world: World) -> Iterator[SimulatedEvent]:
    """Repeat user.created for the same pending person."""
    if not world.pending:
        yield from invite(world)
    person = world.pending.pick(world.rng)
    yield _event(world, "user.created", person)


def accept(world: World) -> Iterator[SimulatedEvent]:
    """Let an invited person accept, and often set a display name."""
    if not world.pending:
        yield from invite(world)
    person = world.pending.pick(world.rng)
    _reveal_name(person)
    world.enter(person, "active")
    yield _event(world, "user.invitation_accepted", person)
    if world.chance(0.4):
        yield _display_name(world, person)


def deactivate(world: World) -> Iterator[SimulatedEvent]:
    """Deactivate a user: memberships stay, sessions are not picked any more."""
    if not world.employees:
        yield from hire_at_once(world)
    person = world.employees.pick(world.rng)
    for client in person.clients:
        world.sessions.discard((person, client))
    world.enter(person, "inactive")
    yield _event(world, "user.deactivated", person)


def activate(world: World) -> Iterator[SimulatedEvent]:
    """Activate a deactivated user again."""
    if not world.inactive:
        yield from deactivate(world)
    person = world.inactive.pick(world.rng)
    world.enter(person, "active")
    for client, state in person.clients.items():
        if state.signed_in:
            world.sessions.add((person, client))
    yield _event(world, "user.activated", person)


def disassociate(world: World) -> Iterator[SimulatedEvent]:
    """Remove a user from the account; the id and the address stay theirs."""
    person = yield from _leaver(world)
    yield _removal(world, "user.disassociated", "disassociated", person)


def delete(world: World) -> Iterator[SimulatedEvent]:
    """Delete a user permanently, usually after the blank placeholder."""
    person = yield from _leaver(world)
    if world.chance(0.8):
        yield _placeholder(world, person)
    yield _removal(world, "user.deleted", "deleted", person, after_ms=PLACEHOLDER_LEAD_MS)
    world.freed.append(person.name)


def revive(world: World) -> Iterator[SimulatedEvent]:
    """Bring a disassociated user back under the same id, with an empty profile."""
    if not world.disassociated:
        yield from disassociate(world)
    person = world.disassociated.pick(world.rng)
    person.creation_type = "create" if world.chance(0.5) else "ssoCreate"
    person.removed_ms = person.host_key = None
    for held in (person.profile, person.attributes, person.licences):
        held.clear()
    yield _created(world, person)


def _join(world: World, creation_type: str) -> Iterator[SimulatedEvent]:
    reused = world.freed.pop() if world.freed and world.chance(0.3) else None
    name = reused or world.names.person()
    yield _created(world, Person(world.new_id(), name, creation_type, ""))


def _created(world: World, person: Person) -> SimulatedEvent:
    invited = person.creation_type == "create"
    person.profile.update(email=person.email, type=1 if world.chance(0.4) else 2)
    if invited:
        person.profile.update(first_name="", last_name="", display_name=person.email)
    else:
        _reveal_name(person)
        person.profile["display_name"] = shown_name(world, person.name)
    event = _event(world, "user.created", person)
    person.created_ms = world.clock.now_ms
    # Entered last, so that the first person is created by the owner and not by themselves.
    world.enter(person, "pending" if invited else "active")
    return event


def shown_name(world: World, name: PersonName) -> str:
    """Return a display name, sometimes with an emoji."""
    shown = f"{name.first} {name.last}"
    return f"{shown} {world.rng.choice(EMOJI)}" if world.chance(0.08) else shown


def _reveal_name(person: Person) -> None:
    person.profile.update(first_name=person.name.first, last_name=person.name.last)


def _display_name(world: World, person: Person) -> SimulatedEvent:
    at = world.clock.tick()
    before = person.profile.get("display_name", "")
    shown = person.profile["display_name"] = shown_name(world, person.name)
    new, old = {"id": person.user_id}, {"id": person.user_id}
    new["display_name"], old["display_name"] = shown, before
    # The person did this themselves: no operator.
    payload = {"object": new, "old_object": old, "time_stamp": at}
    return world.deliver("user.updated", at, payload)


def _leaver(world: World) -> Generator[SimulatedEvent, None, Person]:
    """Choose who leaves: mostly employees, sometimes pending or deactivated people."""
    for pool, share in ((world.inactive, 0.15), (world.pending, 0.1)):
        if pool and world.chance(share):
            return pool.pick(world.rng)
    if not world.employees:
        yield from hire_at_once(world)
    return world.employees.pick(world.rng)


def _removal(
    world: World, name: str, status: str, person: Person, *, after_ms: int | None = None
) -> SimulatedEvent:
    event = _event(world, name, person, after_ms=after_ms)
    world.end_everything(person)
    person.removed_ms = world.clock.now_ms
    world.enter(person, status)
    return event


def _placeholder(world: World, person: Person) -> SimulatedEvent:
    """Build the user.updated, without any change, that Zoom sends just before a deletion."""
    at = world.clock.tick()
    named = _named(person)
    blanks = dict.fromkeys((*named, "dept", "display_name"), "")
    payload = {**world.operator(), "object": named, "old_object": blanks, "time_stamp": at}
    return world.deliver("user.updated", at, payload)


def _named(person: Person) -> Json:
    profile = person.profile
    return {
        "id": person.user_id,
        "first_name": profile["first_name"],
        "last_name": profile["last_name"],
        "email": person.email,
        "type": profile["type"],
    }


def _event(
    world: World, name: str, person: Person, *, after_ms: int | None = None
) -> SimulatedEvent:
    """Build a lifecycle event with the main fields of the person's profile."""
    at = world.clock.tick(after_ms)
    payload = {} if name == "user.invitation_accepted" else world.operator()
    named = _named(person)
    if name == "user.created":
        payload["creation_type"] = person.creation_type
        named["display_name"] = person.profile["display_name"]
    return world.deliver(name, at, {**payload, "object": named})
