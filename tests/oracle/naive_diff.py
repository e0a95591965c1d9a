"""How an object and an old_object change a known document, and where they contradict it."""

from collections.abc import Iterator
from typing import Any

from .naive_values import identifier

Document = dict[str, Any]


def prune(value: Any) -> Any:
    """Drop empty objects inside objects, and those that become empty by that."""
    if not isinstance(value, dict):
        return value
    kept = {key: prune(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item != {}}


def merge(known: Document, new: Document, old: Document) -> Document:
    """Apply one diff: keys in `new` are set, keys only in `old` are cleared, others stay."""
    result = dict(known)
    for key, value in new.items():
        if not isinstance(value, dict):
            result[key] = value
        elif key in old and not isinstance(old[key], dict):
            result |= {key: whole} if (whole := prune(value)) else {}
        else:
            _merge_inside(result, key, value, old.get(key, {}))
    for key in old.keys() - new.keys():
        if isinstance(old[key], dict) and isinstance(result.get(key), dict):
            _merge_inside(result, key, {}, old[key])
        else:
            result.pop(key, None)
    return result


def _merge_inside(result: Document, key: str, new: Document, old: Document) -> None:
    before = result.get(key)
    after = merge(before if isinstance(before, dict) else {}, new, old)
    if after:
        result[key] = after
    elif isinstance(before, dict):
        del result[key]


def merge_attributes(known: Document, new: Any, old: Any) -> Document:
    """Merge custom attributes; `known` and the result map keys to attributes."""
    set_now = _attributes(new)
    cleared = _attributes(old).keys() - set_now.keys()
    return {key: item for key, item in known.items() if key not in cleared} | set_now


def _attributes(listed: Any) -> Document:
    found: Document = {}
    for entry in listed if isinstance(listed, list) else []:
        key = identifier(entry.get("key")) if isinstance(entry, dict) else None
        if key is not None:
            found[key] = {"key": key, "name": entry.get("name"), "value": entry.get("value")}
    return found


def kind(value: Any) -> str:
    """Name a value's JSON kind."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal in kind and value, all the way down."""
    if kind(left) != kind(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def disagreements(
    known: Document, reported: Document, new: Document, prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, known, reported) wherever `reported` contradicts what is known."""
    for key, said in reported.items():
        if said in (None, "", [], {}) or key not in known:
            continue
        held = known[key]
        if key in new and same(held, prune(new[key])):
            continue
        if isinstance(held, dict) and isinstance(said, dict):
            inside = new.get(key)
            yield from disagreements(
                held, said, inside if isinstance(inside, dict) else {}, f"{prefix}{key}."
            )
        elif not same(held, said):
            yield f"{prefix}{key}", held, said


def leaves(document: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (path, value) of every leaf; arrays and nulls are leaves."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value
