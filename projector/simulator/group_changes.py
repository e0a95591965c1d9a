"""Events of groups: the groups themselves, members, administrators, settings and locks."""

from collections.abc import Generator, Iterator

from projector.simulator.delivery import Json, SimulatedEvent
from projector.simulator.people import Group, Person, Since
from projector.simulator.pool import Pool
from projector.simulator.settings_catalogue import GROUP_LOCKS, GROUP_SETTINGS
from projector.simulator.settings_diff import SettingsDiff, change
from projector.simulator.world import World

MOST_PEOPLE_AT_ONCE = 5

# An account keeps this many groups, so that later events of members and settings have a group.
_FEWEST_GROUPS = 2

# Cumulated shares of entries with only an address, and with only an id.
_ONLY_EMAIL = 0.08
_ONLY_ID = 0.14


def create_group(world: World) -> Iterator[SimulatedEvent]:
    """Create an empty group."""
    at = world.clock.tick()
    group = Group(world.new_id(), world.names.team(), at)
    world.open_group(group)
    yield _group_event(world, "group.created", at, {"id": group.group_id, "name": group.name})


def rename_group(world: World) -> Iterator[SimulatedEvent]:
    """Give a group another name."""
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    old = {"id": group.group_id, "name": group.name}
    group.name = world.names.team()
    new = {"id": group.group_id, "name": group.name}
    yield _group_event(world, "group.updated", at, new, old)


def delete_group(world: World) -> Iterator[SimulatedEvent]:
    """Delete a group and its memberships, for which Zoom sends no events."""
    if len(world.groups) <= _FEWEST_GROUPS:
        yield from create_group(world)
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    for person in group.members:
        del person.memberships[group]
    for person in group.admins:
        del person.admin_roles[group]
    world.close_group(group)
    group.removed_ms = at
    yield _group_event(world, "group.deleted", at, {"id": group.group_id, "name": group.name})


def add_members(world: World) -> Generator[SimulatedEvent, None, Group]:
    """Add one to five people to a group; some may be in it already."""
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    people = _draw(world, world.active)
    event = _people_event(world, "group.member_added", at, group, people)
    for person in people:
        group.members.add(person)
        person.memberships[group] = Since(at, event.body["payload"]["operator"])
    yield event
    return group


def remove_members(world: World) -> Iterator[SimulatedEvent]:
    """Remove members; the body often has the alias that Zoom's own example uses."""
    group = world.groups.pick(world.rng)
    if not group.members:
        group = yield from add_members(world)
    at = world.clock.tick()
    people = _draw(world, group.members)[: 1 + len(group.members) // 2]
    for person in people:
        group.members.discard(person)
        del person.memberships[group]
    alias = "group.members_deleted" if world.chance(0.3) else ""
    yield _people_event(world, "group.member_deleted", at, group, people, alias=alias)


def add_admins(world: World) -> Generator[SimulatedEvent, None, Group]:
    """Make one or two people administrators of a group."""
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    people = _draw(world, world.active)[:2]
    event = _people_event(world, "group.admin_added", at, group, people)
    for person in people:
        group.admins.add(person)
        person.admin_roles[group] = Since(at, event.body["payload"]["operator"])
    yield event
    return group


def remove_admins(world: World) -> Iterator[SimulatedEvent]:
    """Remove one administrator of a group."""
    group = world.groups.pick(world.rng)
    if not group.admins:
        group = yield from add_admins(world)
    at = world.clock.tick()
    person = group.admins.pick(world.rng)
    group.admins.discard(person)
    del person.admin_roles[group]
    yield _people_event(world, "group.admin_deleted", at, group, [person])


def change_group_settings(world: World) -> Iterator[SimulatedEvent]:
    """Change the default settings of a group's members."""
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    diff = change(group.settings, GROUP_SETTINGS, world.rng)
    yield _settings_event(world, "group.settings_updated", at, group, diff)


def change_group_locks(world: World) -> Iterator[SimulatedEvent]:
    """Lock or unlock settings of a group."""
    at = world.clock.tick()
    group = world.groups.pick(world.rng)
    diff = change(group.locks, GROUP_LOCKS, world.rng)
    yield _settings_event(world, "group.lock_settings_updated", at, group, diff)


def _draw(world: World, people: Pool[Person]) -> list[Person]:
    """Draw one to five distinct people."""
    drawn = (people.pick(world.rng) for _ in range(world.rng.randint(1, MOST_PEOPLE_AT_ONCE)))
    return list(dict.fromkeys(drawn))


def _entry(world: World, person: Person) -> Json:
    """Return a person's entry; Zoom sometimes leaves out the id or the address."""
    drawn = world.rng.random()
    if drawn < _ONLY_EMAIL:
        person.known_by_email = True
        # Addresses are compared without regard to case, so some are sent in another case.
        return {"email": person.email.title() if drawn < _ONLY_EMAIL / 4 else person.email}
    if drawn < _ONLY_ID:
        return {"id": person.user_id}
    return {"id": person.user_id, "email": person.email}


def _people_event(
    world: World, name: str, at: int, group: Group, people: list[Person], *, alias: str = ""
) -> SimulatedEvent:
    key = "admins" if "admin" in name else "members"
    named = {"id": group.group_id, key: [_entry(world, person) for person in people]}
    return _group_event(world, name, at, named, alias=alias)


def _settings_event(
    world: World, name: str, at: int, group: Group, diff: SettingsDiff
) -> SimulatedEvent:
    new = {"id": group.group_id, "settings": diff.new}
    return _group_event(world, name, at, new, {"id": group.group_id, "settings": diff.old})


def _group_event(
    world: World, name: str, at: int, new: Json, old: Json | None = None, *, alias: str = ""
) -> SimulatedEvent:
    payload = {**world.operator(), "object": new}
    if old is not None:
        payload["old_object"] = old
    return world.deliver(name, at, {**payload, "time_stamp": at}, alias=alias)
