"""A small hand-written account, which the questions of `sql/QUESTIONS.md` are about.

Times are days before now, so that questions about the last 30 days keep their answers.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from projector.operations.acts import About, Act, act_body
from projector.zoom.delivery import Delivery, delivery_of, head_in, head_of

SALES, SUPPORT, LABS, ATTIC = "gSales", "gSupport", "gLabs", "gAttic"
BOSS = "ada@nordlicht.example"

Told = tuple[float, str, dict[str, Any]]


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"id": f"u{name}", "email": f"{name.lower()}@nordlicht.example", **more}


def told(days: float, event: str, entity: dict[str, Any], **payload: Any) -> Told:
    return days, event, {"object": entity, **payload}


def hired(days: float, name: str, how: str = "ssoCreate", **more: Any) -> Told:
    return told(days, "user.created", person(name, **more), creation_type=how, operator=BOSS)


def joined(days: float, group: str, *people: dict[str, Any]) -> Told:
    entity = {"id": group, "members": list(people)}
    return told(days, "group.member_added", entity, operator=BOSS)


def leads(days: float, group: str, name: str) -> Told:
    entity = {"id": group, "admins": [person(name)]}
    return told(days, "group.admin_added", entity, operator=BOSS)


def signed_in(days: float, name: str, client: str, version: str, how: int = 101) -> Told:
    entity = person(name, client_type=client, version=version, login_type=how)
    return told(days, "user.signed_in", entity)


def presence(days: float, name: str, status: str, app: str, in_app: str) -> Told:
    entity = person(name, presence_status=status, app={"type": app, "presence_status": in_app})
    return told(days, "user.presence_status_updated", entity)


def groups() -> Iterator[Told]:
    for days, group, name in (
        (120, SALES, "Sales"),
        (119, SUPPORT, "Support"),
        (118, LABS, "Labs"),
        (117, ATTIC, "Attic"),
    ):
        yield told(days, "group.created", {"id": group, "name": name}, operator=BOSS)
    yield told(50, "group.deleted", {"id": ATTIC, "name": "Attic"}, operator=BOSS)
    chat = {"in_meeting": {"chat": True, "polling": True}}
    yield told(90, "group.settings_updated", {"id": SALES, "settings": chat})
    off = {"in_meeting": {"chat": False}}
    yield told(89, "group.settings_updated", {"id": LABS, "settings": off}, operator=BOSS)
    lock = {"in_meeting": {"chat": True}}
    yield told(88, "group.lock_settings_updated", {"id": SALES, "settings": lock})
    yield told(87, "group.lock_settings_updated", {"id": LABS, "settings": off})


def people() -> Iterator[Told]:
    yield hired(116, "Ada", type=2, dept="Sales")
    yield hired(115, "Ben", type=2, primary_group_id=SUPPORT)
    yield hired(90, "Chloe", type=2)
    yield hired(5, "Dan", type=2)
    yield told(80, "user.activated", person("Eva", type=2), operator=BOSS)
    yield hired(40, "Finn", "create", type=1)
    yield hired(3, "Gia", "create", type=1)
    yield hired(70, "Hugo", type=1, dept="Office")
    yield hired(100, "Ivy", type=2)
    yield hired(100, "Jon", type=1)
    yield hired(100, "Kim", type=1)
    yield told(20, "user.deactivated", person("Kim"), operator=BOSS)
    yield told(10, "user.deleted", person("Ivy"), operator=BOSS)
    yield told(60, "user.disassociated", person("Jon"), operator=BOSS)
    moved = {"old_object": {"id": "uHugo", "dept": "Sales"}}
    yield told(9, "user.updated", {"id": "uHugo", "dept": "Support"}, **moved)
    yield told(8, "user.updated", {"email": "test@nordlicht.example"})


def belonging() -> Iterator[Told]:
    yield joined(95, SALES, person("Ada"), person("Ben"))
    yield joined(85, SUPPORT, person("Chloe"), person("Dan"), person("Jon"))
    yield joined(2, SALES, {"email": "Gia@Nordlicht.example"})
    yield joined(4, SUPPORT, person("Zoe"))
    yield joined(60, ATTIC, person("Hugo"))
    yield leads(94, SALES, "Ada")
    yield leads(93, SUPPORT, "Ivy")
    yield leads(92, LABS, "Kim")


def activity() -> Iterator[Told]:
    yield signed_in(2, "Ada", "win", "6.4.1")
    yield signed_in(1, "Ada", "iphone", "5.17.11")
    yield signed_in(75, "Ben", "mac", "5.17.0", 100)
    yield signed_in(12, "Hugo", "browser", "-", 1)
    yield signed_in(11, "Ivy", "win", "5.16.0")
    yield presence(0.02, "Ada", "In_Meeting", "desktop", "In_Meeting")
    yield presence(0.5, "Ben", "Available", "mobile", "Away")
    yield presence(0.3, "Chloe", "Available", "desktop", "Available")
    yield presence(11, "Ivy", "Away", "desktop", "Away")


def late() -> Iterator[Told]:
    licensed = {"old_object": {"id": "uHugo", "type": 1}}
    yield told(30, "user.updated", {"id": "uHugo", "type": 2}, operator=BOSS, **licensed)


def dismissed(some: Iterable[Delivery]) -> list[Delivery]:
    """What an operator did a day ago, of these deliveries: the one that names nobody is dismissed."""
    at = datetime.now(UTC) - timedelta(days=1)
    found = []
    for delivery in some:
        if "id" not in json.loads(delivery.body)["payload"]["object"]:
            about = About(
                {
                    "id": delivery.digest.hex(),
                    "projection": "users",
                    "reason": "a test of the subscription",
                },
                delivery.account_id,
            )
            at_ms = int(at.timestamp() * 1000)
            body = act_body(Act.DEAD_LETTER_DISMISSED, BOSS, at_ms, about)
            found.append(delivery_of(body, head_of(body), received_at=at))
    return found


def observed() -> list[Delivery]:
    """What Zoom's REST API showed a day ago of settings: of the account, two groups and four people."""
    record = "recording", "cloud_recording"
    account = {"settings": _set(record, True) | _set(("in_meeting", "file_transfer"), False)}
    account["locks"] = _set(record, False) | _set(("in_meeting", "file_transfer"), True)
    yes, no = _set(record, True), _set(record, False)
    shown = [
        ("account_settings", "nordlicht", account),
        ("group_settings", SALES, {"settings": no, "locks": yes}),
        ("group_settings", SUPPORT, {"settings": no, "locks": no}),
        ("user_settings", "uAda", {"settings": yes | _set(("in_meeting", "file_transfer"), True)}),
        ("user_settings", "uBen", {"settings": no}),
        ("user_settings", "uChloe", {"settings": yes}),
        ("user_settings", "uHugo", {"settings": yes}),
    ]
    return _own(
        (f"rest.{kind}_observed", {"object": {"id": entity, **documents}})
        for kind, entity, documents in shown
    )


def declared() -> list[Delivery]:
    """What an operator declared a day ago: the account still uses the old model of settings."""
    return _own(
        [("declared.model", {"operator": BOSS, "object": {"id": "nordlicht", "model": "legacy"}})]
    )


def _set(path: tuple[str, str], value: bool) -> dict[str, Any]:
    return {path[0]: {path[1]: value}}


def _own(facts: Iterable[tuple[str, dict[str, Any]]]) -> list[Delivery]:
    """Facts of our own, of a day ago."""
    at = datetime.now(UTC) - timedelta(days=1)
    found = []
    for event, payload in facts:
        document = {
            "event": event,
            "event_ts": int(at.timestamp() * 1000),
            "payload": {"account_id": "nordlicht", **payload},
        }
        body = json.dumps(document).encode()
        found.append(delivery_of(body, head_in(document), received_at=at))
    return found


def deliveries() -> list[Delivery]:
    """The account's deliveries in the order of their times, each received when it happened.

    But for the last one, which came a day ago.
    """
    now = datetime.now(UTC) - timedelta(hours=1)
    history = [*groups(), *people(), *belonging(), *activity()]
    in_time = sorted(history, key=lambda one: -one[0])
    found = []
    for number, (days, event, payload) in enumerate([*in_time, *late()]):
        at = now - timedelta(days=days)
        received = at if number < len(in_time) else now - timedelta(days=1)
        document = {
            "event": event,
            "event_ts": int(at.timestamp() * 1000),
            "payload": {"account_id": "nordlicht", **payload},
        }
        found.append(
            delivery_of(json.dumps(document).encode(), head_in(document), received_at=received)
        )
    return found
