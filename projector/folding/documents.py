"""Documents: applying a diff to one, and finding where a diff contradicts it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

Document = dict[str, Any]

# What a state starts with: no fold changes a document in place.
EMPTY: Final[Document] = {}

_NOTHING: Final[Mapping[str, Any]] = {}


def merge(document: Document, new: Mapping[str, Any], old: Mapping[str, Any]) -> Document:
    """The document after a diff: keys of `new` are set, keys of `old` alone are cleared, the rest stays.

    Where both sides are objects (an absent side counts as an empty one) this goes on key by key. Objects
    left empty disappear.
    """
    merged = dict(document)
    for key, value in new.items():
        before = old.get(key, _NOTHING)
        if not isinstance(value, dict):
            merged[key] = value
        elif isinstance(before, dict) or before is _NOTHING:
            held = document.get(key)
            inner = merge(held if isinstance(held, dict) else {}, value, before)
            if inner or isinstance(held, dict):
                _put(merged, key, inner)
        elif whole := merge({}, value, _NOTHING):
            merged[key] = whole
    for key, value in old.items():
        if key in merged and key not in new:
            held = merged[key]
            if isinstance(held, dict) and isinstance(value, dict):
                _put(merged, key, merge(held, _NOTHING, value))
            else:
                del merged[key]
    return merged


def _put(document: Document, key: str, value: Document) -> None:
    if value:
        document[key] = value
    else:
        document.pop(key, None)


def leaf_paths(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted path of every leaf: whatever is no object, or an empty one."""
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from leaf_paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


Path = tuple[str, ...]
ABSENT: Final = object()


# Of these, two values of one type are the same where they are equal.
_PLAIN: Final = frozenset({str, bool, int, type(None)})


def changed_leaves(
    before: Document, after: Document, path: Path = ()
) -> Iterator[tuple[Path, Any, Any]]:
    """Where two documents differ, leaf by leaf: (path, value before, value after); ABSENT: not there."""
    for key, new in after.items():
        old = before.get(key, ABSENT)
        if old is new or (type(old) is type(new) and type(new) in _PLAIN and old == new):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changed_leaves(old, new, (*path, key))
        elif not isinstance(old, dict) and not isinstance(new, dict):
            if old is ABSENT or not same(old, new):
                yield (*path, key), old, new
        else:
            yield from ((leaf, value, ABSENT) for leaf, value in _leaves(old, (*path, key)))
            yield from ((leaf, ABSENT, value) for leaf, value in _leaves(new, (*path, key)))
    for key in before.keys() - after.keys():
        yield from ((leaf, value, ABSENT) for leaf, value in _leaves(before[key], (*path, key)))


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every leaf of a value at a path; none of ABSENT."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif value is not ABSENT:
        yield path, value


def contradictions(
    known: Document, reported: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Where the reported previous values differ from what is known: (dotted path, known, reported).

    A reported value that is blank contradicts nothing, nor does any where the known value is absent or
    equals the new one.
    """
    for key, value in reported.items():
        if key not in known or is_blank(value):
            continue
        held, after = known[key], new.get(key, ABSENT)
        if isinstance(held, dict) and isinstance(value, dict):
            inner = after if isinstance(after, dict) else _NOTHING
            yield from contradictions(held, value, inner, f"{prefix}{key}.")
        elif not same(held, value) and not same(held, _pruned(after)):
            yield f"{prefix}{key}", held, value


def _pruned(value: Any) -> Any:
    """A value as `merge` sets it: without empty objects."""
    return merge({}, value, _NOTHING) if isinstance(value, dict) else value


def is_blank(value: Any) -> bool:
    """Whether a reported value says nothing: null, an empty text, array or object."""
    return value is None or value in ("", [], {})


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, and neither equals true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float | int) and isinstance(right, float | int):
        if type(left) is type(right):
            return left == right
        # The database stores the digits: 1e23 comes back as the integer 10**23, which the float is not.
        return Decimal(repr(left)) == Decimal(repr(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
