"""Everyday activity: presence, notes, sign-ins, and people's own settings."""

from collections.abc import Generator, Iterator

from projector.simulator.delivery import Json, SimulatedEvent
from projector.simulator.names import NOTES
from projector.simulator.people import Client, Person
from projector.simulator.settings_catalogue import PMI_PASSWORD, USER_SETTINGS
from projector.simulator.settings_diff import assign, change
from projector.simulator.world import World

_STATUSES = (
    "Available",
    "Away",
    "Do_Not_Disturb",
    "In_Meeting",
    "Presenting",
    "On_Phone_Call",
    "In_Calendar_Event",
    "Offline",
    "Busy",
    "Mobile_signed_in",
)
_STATUS_WEIGHTS = (28, 22, 4, 16, 3, 5, 6, 12, 2, 2)
_APP_TYPES = ("desktop", "mobile", "pad", "pzr")
_APP_STATUSES = tuple(status for status in _STATUSES if status != "Mobile_signed_in")

# The current and an outdated version of each client; browsers report none.
_VERSIONS = {
    "browser": ("-", "-"),
    "mac": ("6.4.6.53970", "5.13.5.14826"),
    "win": ("6.4.6.64360", "5.12.9.10650"),
    "iphone": ("6.4.5.22780", "5.16.2.9201"),
    "android": ("6.4.6.27450", "5.14.7.14370"),
    "ipad": ("6.4.5.22780", "5.16.2.9201"),
    "chromeos": ("6.3.11.4420", "5.13.1.211"),
    "linux": ("6.4.6.1370", "5.11.10.4400"),
}
_CLIENTS = tuple(_VERSIONS)
_CLIENT_WEIGHTS = (10, 24, 30, 14, 12, 4, 2, 4)
_OUTDATED = 0.15

# Facebook, Google, Zoom's own password, SSO; people created through SSO mostly stay with it.
_LOGIN_TYPES = (0, 1, 100, 101)
_LOGIN_WEIGHTS = (2, 10, 38, 50)
_SSO = 101


def change_presence(world: World) -> Iterator[SimulatedEvent]:
    """Report another presence status, under the lower-cased id."""
    rng = world.rng
    at = world.clock.tick()
    person = world.active.pick(rng)
    status = rng.choices(_STATUSES, _STATUS_WEIGHTS)[0]
    named: Json = {
        "id": person.user_id.lower(),
        "email": person.email,
        "date-time" if world.chance(0.1) else "date_time": world.moment_before(at),
        "presence_status": status,
    }
    if world.chance(0.4):
        named["app"] = {
            "type": rng.choice(_APP_TYPES),
            "presence_status": rng.choice(_APP_STATUSES),
        }
    person.presence = named
    yield world.deliver("user.presence_status_updated", at, {"object": named})


def write_note(world: World) -> Iterator[SimulatedEvent]:
    """Write another personal note, or clear it."""
    at = world.clock.tick()
    person = world.active.pick(world.rng)
    before = person.note or ""
    person.note = "" if before and world.chance(0.3) else world.rng.choice(NOTES)
    named = {
        "id": person.user_id,
        "email": person.email,
        "date_time": "" if world.chance(0.1) else world.moment_before(at),
        "personal_notes": person.note,
    }
    payload = {"object": named, "old_object": {"personal_notes": before}}
    yield world.deliver("user.personal_notes_updated", at, payload)


def sign_in(world: World) -> Generator[SimulatedEvent, None, None]:
    """Sign in with some client, which makes a pending person active."""
    person = world.active.pick(world.rng)
    if world.pending and world.chance(0.02):
        person = world.pending.pick(world.rng)
        world.enter(person, "active")
    name = world.rng.choices(_CLIENTS, _CLIENT_WEIGHTS)[0]
    version = _VERSIONS[name][world.chance(_OUTDATED)]
    client = person.clients[name] = Client(True, version, _login_type(world, person), 0)
    world.sessions.add((person, name))
    yield _session_event(world, "user.signed_in", person, name, client)


def sign_out(world: World) -> Iterator[SimulatedEvent]:
    """Sign out of one client that is signed in."""
    if not world.sessions:
        yield from sign_in(world)
    person, name = world.sessions.pick(world.rng)
    world.sessions.discard((person, name))
    client = person.clients[name]
    client.signed_in = False
    yield _session_event(world, "user.signed_out", person, name, client)


def change_user_settings(world: World) -> Iterator[SimulatedEvent]:
    """Change a person's own settings, sometimes including a meeting password."""
    at = world.clock.tick()
    person = world.active.pick(world.rng)
    diff = change(person.settings, USER_SETTINGS, world.rng)
    if world.chance(0.08):
        before = person.settings.get(PMI_PASSWORD)
        assign(person.settings, PMI_PASSWORD, world.new_secret(), before, diff)
    payload = {**world.operator(), "object": {"id": person.user_id, "settings": diff.new}}
    # Zoom's reference makes the old side optional; it may be left out only if no setting was cleared.
    if diff.old:
        payload["old_object"] = {"id": person.user_id, "settings": diff.old}
    yield world.deliver("user.settings_updated", at, {**payload, "time_stamp": at})


def _login_type(world: World, person: Person) -> int:
    if person.creation_type == "ssoCreate" and world.chance(0.8):
        return _SSO
    return world.rng.choices(_LOGIN_TYPES, _LOGIN_WEIGHTS)[0]


def _session_event(
    world: World, event: str, person: Person, name: str, client: Client
) -> SimulatedEvent:
    at = client.changed_ms = world.clock.tick()
    login_type = client.login_type
    named = {
        "id": person.user_id,
        "client_type": name,
        "date_time": world.moment_before(at),
        "email": person.email,
        "version": client.version,
        # Zoom's own examples carry the number as a string.
        "login_type": str(login_type) if world.chance(0.3) else login_type,
    }
    return world.deliver(event, at, {"object": named})
