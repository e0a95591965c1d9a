"""What an operator does in a play: dismisses dead letters, acknowledges drift, and declares things."""

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from .naive_events import ALIASES, OWNERS, Delivery, in_event_order
from .naive_fold import apply
from .naive_state import Directory, Drift
from .naive_values import as_object

Sent = tuple[bytes, dict[str, Any]]
"""A delivery's bytes, and what they say."""

ACTS = ("operator.dead_letter_dismissed", "operator.drift_acknowledged")
REASONS = ("seen", "Zoom says so", "", None, "no \x00 reason", 7)
DECLARATIONS = ("declared.model", "declared.ranking", "declared.primary_group")
MEMORY = 200
RECEIVED = datetime(2026, 3, 3, tzinfo=UTC)


def act(rng: random.Random, name: str, sent: Sequence[Sent]) -> dict[str, Any]:
    """Return the object of an act about something that was sent, and sometimes about nothing."""
    about = _dismissal(rng, sent) if name == ACTS[0] else _acknowledgement(rng, sent)
    if rng.random() < 0.7:
        about["reason"] = rng.choice(REASONS)
    if rng.random() < 0.1:
        about[rng.choice(sorted(about))] = rng.choice([None, "", "x", {}, 5])
    return about


def declaration(
    rng: random.Random, name: str, account: str, person: Any, groups: Sequence[str]
) -> dict[str, Any]:
    """Return the object of a declaration: mostly one that makes sense, or takes an earlier one back."""
    some = rng.sample(groups, rng.randint(0, len(groups)))
    match name:
        case "declared.model":
            told = {"id": account, "model": rng.choice(["legacy", "priority", None])}
            nonsense: list[Any] = ["unknown", "", 1, True, {}, ["legacy"]]
        case "declared.ranking":
            told = {"id": account, "groups": rng.choice([some, some, [*some, 7], None])}
            nonsense = ["Team", {}, [None], ["Team", ""], ["Team", "Team"], [["Team"]], ["x" * 101]]
        case _:
            told = {"id": person, "primary_group_id": rng.choice([*groups, 7, None])}
            nonsense = ["", False, [], {}, 1.5, "x" * 101]
    if rng.random() < 0.15:
        told[rng.choice([*told][1:])] = rng.choice(nonsense)
    if rng.random() < 0.05:
        told.pop(rng.choice([*told]))
    return told


def _dismissal(rng: random.Random, sent: Sequence[Sent]) -> dict[str, Any]:
    raw, body = _one(rng, [one for one in sent if _is_broken(one[1])] or sent)
    name = body["event"]
    owner = OWNERS.get(ALIASES.get(name, name), "users")
    projection = owner if rng.random() < 0.8 else rng.choice(["users", "memberships", "nobody"])
    return {"id": _digest(raw), "projection": projection}


def _acknowledgement(rng: random.Random, sent: Sequence[Sent]) -> dict[str, Any]:
    drift = _drift(sent)
    if drift and rng.random() < 0.8:
        found = rng.choice(drift)
        person = found.owner[1]
        return {
            "id": rng.choice([person, person, person.upper()]),
            "entity": found.entity,
            "path": found.path,
            "event": found.event.digest,
        }
    raw, _ = _one(rng, sent)
    entity = rng.choice(["user", "user_settings", "group", "nothing"])
    return {"id": "CY3", "entity": entity, "path": "dept", "event": _digest(raw)}


def _drift(sent: Sequence[Sent]) -> list[Drift]:
    """Return the drift that the last deliveries show among themselves."""
    state = Directory()
    log = [Delivery(n, RECEIVED, raw) for n, (raw, _) in enumerate(sent[-MEMORY:], start=1)]
    for event in in_event_order(log):
        apply(state, event)
    return state.drift


def account_of(sent: Sequence[Sent], about: dict[str, Any], account: str) -> str:
    """Return the account of what is acknowledged, where it names one, or else this one."""
    for raw, body in sent:
        if _digest(raw) == about.get("event"):
            told = as_object(body.get("payload")).get("account_id")
            return told if isinstance(told, str) and told else account
    return account


def _is_broken(body: dict[str, Any]) -> bool:
    """Tell whether an event may be a dead letter."""
    payload = as_object(body.get("payload"))
    about = as_object(payload.get("object"))
    return not payload.get("account_id") or not about.get("id")


def _one(rng: random.Random, some: Sequence[Sent]) -> Sent:
    return rng.choice(some) if some else (b"", {"event": ""})


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
