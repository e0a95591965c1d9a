"""Random documents over small alphabets, changes to them, and the diffs of changes."""

import math
import random
from dataclasses import dataclass
from typing import Any

from .naive_diff import prune

Body = dict[str, Any]


@dataclass(frozen=True)
class Alphabet:
    """The keys and values of documents; `wild` values are not in Zoom's reference."""

    wild: bool
    keys: tuple[str, ...] = ("a", "b", "c")
    scalars: tuple[Any, ...] = (True, False, 2, 7, "x", "", None)


CLEAN = Alphabet(wild=False, scalars=(True, False, 2, 7, "x", "y"))
WILD = Alphabet(
    wild=True,
    keys=("a", "a", "b", "b", "c", "d\u0000", "host_key"),
    scalars=(True, False, "true", 2, 2.0, 7, "x", "", None, "n\u0000\ud800", math.nan),
)

FIELDS: dict[str, tuple[Any, ...]] = {
    "email": ("ann@x.test", "Ann@X.test", "bob@x.test", "desk@x.test"),
    "first_name": ("Ann", "Bo", "Zoë"),
    "dept": ("Sales", "R&D"),
    "type": (1, 2, 3),
    "pmi": (1234567890, 9876543210),
    "use_pmi": (True, False),
    "language": ("en-US", "de-DE"),
}
ODD_FIELDS: dict[str, tuple[Any, ...]] = {
    "email": ("", None),
    "first_name": ("", None, "a\u0000b", "\ud83d", 5, ["x"]),
    "dept": ("", None, True),
    "type": ("1", "2", 2.0, 99, "basic", True, None, 2**31, ""),
    "pmi": ("1234567890", 2**63, None, ""),
    "use_pmi": ("true", "FALSE", 0, "1", None, "yes"),
    "language": (None, {}),
    "host_key": ("123456", "654321"),
    "custom_attributes": (
        [{"key": "k2", "name": "Two", "value": 2}, {"key": "k1", "name": "One", "value": "1"}],
        [{"key": "k1", "name": "One", "value": "new"}, {"name": "no key"}, "x"],
        [{"key": "k3"}, {"key": "k3", "value": None}],
        [],
        "x",
    ),
}


def arbitrary(rng: random.Random, alphabet: Alphabet, kind: str) -> Body:
    """Return one random side of a diff of that kind of document."""
    return _changed_often(rng, alphabet, kind, {})


def changed(rng: random.Random, alphabet: Alphabet, kind: str, before: Body) -> Body:
    """Return the document after a change or two; Zoom's own documents hold no empty objects."""
    after: Body = prune(_changed_often(rng, alphabet, kind, before))
    return after


def _changed_often(rng: random.Random, alphabet: Alphabet, kind: str, before: Body) -> Body:
    after = before
    for _ in range(rng.choice([1, 1, 2, 3])):
        after = _change(rng, alphabet, kind, after)
    return after


def _change(rng: random.Random, alphabet: Alphabet, kind: str, before: Body) -> Body:
    if kind == "note":
        return _field(rng, before, "personal_notes", ("hi", "away", "", None, "n\u0000"))
    if kind == "group":
        return _field(rng, before, "name", ("red", "blue", "green"))
    if kind == "profile" and rng.random() < 0.75:
        wild = alphabet.wild and rng.random() < 0.25
        fields = ODD_FIELDS if wild else FIELDS
        name = rng.choice(list(fields))
        return _field(rng, before, name, fields[name])
    settings = before.get("settings")
    inside: Any = _inside(rng, alphabet, settings if isinstance(settings, dict) else {}, 3)
    if kind == "profile" and alphabet.wild and rng.random() < 0.1:
        inside = rng.choice([None, "none", [], {}])
    return before | {"settings": inside}


def _field(rng: random.Random, before: Body, name: str, values: tuple[Any, ...]) -> Body:
    if name in before and rng.random() < 0.25:
        return {key: value for key, value in before.items() if key != name}
    return before | {name: rng.choice(values)}


def _inside(rng: random.Random, alphabet: Alphabet, before: Body, depth: int) -> Body:
    """Set, clear or descend at one key; a scalar may become an object, and back."""
    key = rng.choice(alphabet.keys)
    fate = rng.random()
    held = before.get(key)
    if fate < 0.2:
        return {name: value for name, value in before.items() if name != key}
    if depth > 1 and fate < 0.65:
        return before | {
            key: _inside(rng, alphabet, held if isinstance(held, dict) else {}, depth - 1)
        }
    if fate < 0.75:
        return before | {key: rng.choice([[], ["x"], ["x", 2], [{"a": {}}]])}
    return before | {key: rng.choice(alphabet.scalars)}


def difference(before: Body, after: Body) -> tuple[Body, Body]:
    """Return (new values, previous values) of what differs, as Zoom would report it."""
    new: Body = {}
    old: Body = {}
    for key in sorted(before.keys() | after.keys()):
        left, right = before.get(key), after.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            inner_new, inner_old = difference(left, right)
            new |= {key: inner_new} if inner_new else {}
            old |= {key: inner_old} if inner_old else {}
        elif repr(left) != repr(right) or (key in before) != (key in after):
            new |= {key: right} if key in after else {}
            old |= {key: left} if key in before else {}
    return new, old


def noise(rng: random.Random, body: Body) -> None:
    """Add values that state must not keep, or must keep without harm."""
    payload = body["payload"] if isinstance(body["payload"], dict) else {}
    about = payload.get("object")
    match rng.randrange(5):
        case 0:
            body["extra"] = {"pmi_password": "p4ss", "n": math.inf}
        case 1 if isinstance(about, dict):
            about["surprise"] = [1e400, "\udfff", {"host_key": "h"}]
        case 2 if isinstance(about, dict):
            about["email"] = rng.choice(["Ann@x.test", "desk\u0000@x.test", "", None])
        case 3:
            payload["operator"] = rng.choice(["op\udc00@x.test", "", None, 5])
        case _:
            payload["old_object"] = payload.get("old_object", {"id": "other"})
