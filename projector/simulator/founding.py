"""Who was there before the first event: people and groups that no delivery ever introduced."""

from typing import Final

from projector.simulator import names
from projector.simulator.lifecycle import shown_name
from projector.simulator.names import PersonName
from projector.simulator.people import Group, Person, Since
from projector.simulator.settings_catalogue import GROUP_LOCKS, GROUP_SETTINGS, USER_SETTINGS
from projector.simulator.settings_diff import change
from projector.simulator.world import OPERATORS, OWNER, World
from projector.zoom.event_time import DAY_MS

# The account is this old at most when the history begins.
_YEARS_MS: Final = 5 * 365 * DAY_MS

# The first people stay: operators, and somebody to draw for the first events.
_STAY_ACTIVE: Final = OPERATORS + 2
_PENDING: Final = 0.04
_INACTIVE: Final = 0.04
_WITH_SETTINGS: Final = 0.3
_WITH_ATTRIBUTE: Final = 0.25
_MOST_GROUPS: Final = 3
_MOST_ADMINS: Final = 2


def found(world: World, people: int, groups: int) -> None:
    """Put people and groups into an empty world, all of them older than its clock.

    Of the people a few are inactive, a few pending; the first is the owner. Each group has settings, locks
    and an administrator or two.
    """
    for _ in range(groups):
        _group(world)
    for number in range(people):
        _person(world, number)
    for group in world.groups:
        for _ in range(world.rng.randint(1, _MOST_ADMINS)):
            person = world.active.pick(world.rng)
            group.admins.add(person)
            person.admin_roles[group] = Since(_earlier(world, group.created_ms), OWNER)


def _earlier(world: World, since_ms: int) -> int:
    """A time between `since_ms` and the beginning of the history."""
    return since_ms + int(world.rng.random() * (world.clock.now_ms - since_ms))


def _birth(world: World) -> int:
    return _earlier(world, world.clock.now_ms - _YEARS_MS)


def _group(world: World) -> None:
    group = Group(world.new_id(), world.names.team(), _birth(world))
    change(group.settings, GROUP_SETTINGS, world.rng)
    change(group.locks, GROUP_LOCKS, world.rng)
    world.open_group(group)


def _person(world: World, number: int) -> None:
    rng = world.rng
    name = world.names.person() if number else PersonName("IT", "Leitstand", OWNER)
    person = Person(world.new_id(), name, "ssoCreate", "", created_ms=_birth(world))
    status = _status(world, number)
    if status == "pending":
        person.creation_type = "create"
        person.profile.update(
            email=name.email, type=1, first_name="", last_name="", display_name=name.email
        )
        world.enter(person, "pending")
        return
    person.profile.update(
        email=name.email,
        type=1 if rng.random() < 0.4 else 2,  # noqa: PLR2004  as many as `lifecycle` hires without a licence
        first_name=name.first,
        last_name=name.last,
        display_name=shown_name(world, name),
        dept=rng.choice(names.DEPARTMENTS),
        timezone=rng.choice(names.TIME_ZONES),
        language=rng.choice(names.LANGUAGES),
        pmi=rng.randrange(10**9, 10**10),
        use_pmi=False,
    )
    if rng.random() < _WITH_ATTRIBUTE:
        key, label, values = rng.choice(names.ATTRIBUTES)
        person.attributes[key] = {"key": key, "name": label, "value": rng.choice(values)}
    if rng.random() < _WITH_SETTINGS:
        change(person.settings, USER_SETTINGS, rng)
    for _ in range(rng.randint(0, _MOST_GROUPS) if world.groups else 0):
        group = world.groups.pick(rng)
        if group not in person.memberships:
            group.members.add(person)
            person.memberships[group] = Since(_earlier(world, person.created_ms), OWNER)
    world.enter(person, status)


def _status(world: World, number: int) -> str:
    """Active for the first few; one of each of the others then, and a small share of all who follow."""
    if number < _STAY_ACTIVE:
        return "active"
    first = {_STAY_ACTIVE: "pending", _STAY_ACTIVE + 1: "inactive"}
    if number in first:
        return first[number]
    drawn = world.rng.random()
    if drawn < _PENDING:
        return "pending"
    return "inactive" if drawn < _PENDING + _INACTIVE else "active"
