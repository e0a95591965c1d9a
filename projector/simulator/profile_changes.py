"""Changes of a user's profile: the forms of user.updated."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

from projector.simulator import names
from projector.simulator.delivery import Json, SimulatedEvent
from projector.simulator.lifecycle import hire_at_once, shown_name
from projector.simulator.people import Person
from projector.simulator.settings_catalogue import PROFILE_SETTINGS
from projector.simulator.settings_diff import change
from projector.simulator.world import World

_FIELDS: dict[str, Callable[[World, Person], Any]] = {
    "dept": lambda world, _: world.rng.choice(names.DEPARTMENTS),
    "company": lambda world, _: world.rng.choice(names.COMPANIES),
    "role": lambda world, _: world.rng.choice(names.ROLES),
    "language": lambda world, _: world.rng.choice(names.LANGUAGES),
    "timezone": lambda world, _: world.rng.choice(names.TIME_ZONES),
    "pic_url": lambda world, p: f"https://img.{names.DOMAIN}/{p.user_id}/{world.new_id()[:6]}.png",
    "vanity_name": lambda world, p: f"{p.email.partition('@')[0]}.{world.rng.randrange(1000)}",
}


def edit_profile(world: World) -> Iterator[SimulatedEvent]:
    """Set, change or clear one to three plain fields."""
    person = yield from _someone(world)
    new: Json = {}
    old: Json = {}
    for key in world.rng.sample(tuple(_FIELDS), world.rng.randint(1, 3)):
        known = person.profile.get(key)
        if known and world.chance(0.12):
            _empty(world, person, key, new, old)
        else:
            _set(person, key, _FIELDS[key](world, person), new, old)
    yield _updated(world, person, new, old)


def change_phone(world: World) -> Iterator[SimulatedEvent]:
    """Give a person another phone number, country and number together."""
    person = yield from _someone(world)
    new: Json = {}
    old: Json = {}
    country, prefix = world.rng.choice(names.PHONES)
    _set(person, "phone_country", country, new, old)
    _set(person, "phone_number", f"{prefix}{world.rng.randrange(10**6, 10**7)}", new, old)
    yield _updated(world, person, new, old)


def rename(world: World) -> Iterator[SimulatedEvent]:
    """Change a person's last name, and the display name with it."""
    person = yield from _someone(world)
    person.name = person.name._replace(last=world.rng.choice(names.LAST_NAMES))
    new: Json = {}
    old: Json = {}
    _set(person, "last_name", person.name.last, new, old)
    _set(person, "display_name", shown_name(world, person.name), new, old)
    yield _updated(world, person, new, old)


def change_email(world: World) -> Iterator[SimulatedEvent]:
    """Give a person another address; somebody new, if the person drawn is named by address only."""
    person = yield from _someone(world)
    if person.known_by_email:
        yield from hire_at_once(world)
        person = world.employees.newest()
    address = world.names.address(person.name.first, person.name.last)
    world.register.readdress(person, person.name._replace(email=address))
    new: Json = {}
    old: Json = {}
    _set(person, "email", address, new, old)
    yield _updated(world, person, new, old)


def change_licence(world: World) -> Iterator[SimulatedEvent]:
    """Give a licence (type 2) or take it away (type 1)."""
    person = yield from _someone(world)
    new: Json = {}
    old: Json = {}
    _set(person, "type", 3 - person.profile["type"], new, old)
    yield _updated(world, person, new, old)


def change_pmi(world: World) -> Iterator[SimulatedEvent]:
    """Set the personal meeting id, which Zoom may report without an old value."""
    person = yield from _someone(world)
    new: Json = {}
    old: Json = {}
    _set(person, "pmi", world.rng.randrange(10**9, 10**10), new, old)
    _set(person, "use_pmi", not person.profile.get("use_pmi", False), new, old)
    if world.chance(0.3):
        old.clear()
    yield _updated(world, person, new, old)


def rotate_host_key(world: World) -> Iterator[SimulatedEvent]:
    """Change a host key, a secret that both sides of the delivery contain."""
    person = yield from _someone(world)
    secret = world.new_secret()
    old = {} if person.host_key is None else {"host_key": person.host_key}
    person.host_key = secret
    yield _updated(world, person, {"host_key": secret}, old)


def edit_attributes(world: World) -> Iterator[SimulatedEvent]:
    """Set one custom attribute, or clear one by leaving it out of the new side."""
    person = yield from _someone(world)
    key, label, values = world.rng.choice(names.ATTRIBUTES)
    known = person.attributes.get(key)
    old = {} if known is None else {"custom_attributes": [known]}
    if known is not None and world.chance(0.25):
        del person.attributes[key]
        yield _updated(world, person, {"custom_attributes": []}, old)
        return
    value = world.rng.choice([value for value in values if not known or value != known["value"]])
    attribute = person.attributes[key] = {"key": key, "name": label, "value": value}
    yield _updated(world, person, {"custom_attributes": [attribute]}, old)


def edit_licence_settings(world: World) -> Iterator[SimulatedEvent]:
    """Change the settings document inside the profile."""
    person = yield from _someone(world)
    diff = change(person.licences, PROFILE_SETTINGS, world.rng)
    new = {"settings": diff.new} if diff.new else {}
    yield _updated(world, person, new, {"settings": diff.old} if diff.old else {})


def choose_primary_group(world: World) -> Iterator[SimulatedEvent]:
    """Make another of a person's groups the primary one, or any group if there is none."""
    person = yield from _someone(world)
    current = person.profile.get("primary_group_id")
    others = [group for group in person.memberships if group.group_id != current]
    chosen = others[0] if others else world.groups.pick(world.rng)
    new: Json = {}
    old: Json = {}
    _set(person, "primary_group_id", chosen.group_id, new, old)
    yield _updated(world, person, new, old)


def change_password(world: World) -> Iterator[SimulatedEvent]:
    """Report a change of password, as an operation without values."""
    person = world.active.pick(world.rng)
    yield _operation(world, person, "change_password")


def sign_out_everywhere(world: World) -> Iterator[SimulatedEvent]:
    """Sign a person out of every client at once."""
    person = world.active.pick(world.rng)
    if world.sessions:
        person = world.sessions.pick(world.rng)[0]
    event = _operation(world, person, "sign_out_from_all_devices")
    for name, client in person.clients.items():
        client.signed_in, client.changed_ms = False, world.clock.now_ms
        world.sessions.discard((person, name))
    yield event


def _someone(world: World) -> Generator[SimulatedEvent, None, Person]:
    """Choose an employee, sometimes a pending person; hire if there is nobody."""
    if world.pending and world.chance(0.04):
        return world.pending.pick(world.rng)
    if not world.employees:
        yield from hire_at_once(world)
    return world.employees.pick(world.rng)


def _set(person: Person, key: str, value: Any, new: Json, old: Json) -> None:
    """Set a field; the old value of a field never set is "" for a string, else left out."""
    if key in person.profile or isinstance(value, str):
        old[key] = person.profile.get(key, "")
    new[key] = person.profile[key] = value


def _empty(world: World, person: Person, key: str, new: Json, old: Json) -> None:
    """Clear a field in either of Zoom's ways: new value "", or only the old value."""
    old[key] = person.profile.pop(key)
    if world.chance(0.5):
        new[key] = person.profile[key] = ""


def _updated(world: World, person: Person, new: Json, old: Json) -> SimulatedEvent:
    at = world.clock.tick()
    named = {"id": person.user_id}
    payload = {**world.operator(), "object": named | new, "old_object": named | old}
    return world.deliver("user.updated", at, {**payload, "time_stamp": at})


def _operation(world: World, person: Person, operation: str) -> SimulatedEvent:
    """Build an operation, which has neither an old object nor a time stamp."""
    at = world.clock.tick()
    payload = {**world.operator(), "operation": operation, "object": {"id": person.user_id}}
    return world.deliver("user.updated", at, payload)
