"""Changes of a settings document, in the form in which Zoom delivers them."""

import random
from collections.abc import Iterable
from typing import Any

from projector.simulator.delivery import Json
from projector.simulator.settings_catalogue import Path, Setting

# A settings document as its leaves: the settings that the account has set.
Leaves = dict[Path, Any]

_CLEARED = 0.12
_DEFAULT_REPORTED = 0.6
_POLICY_PUSH = 0.05

# Administrators change or clear the same settings again more often than at random.
_REVISITED = 0.4


class SettingsDiff:
    """New and old values of the changed leaves, each as a nested document."""

    __slots__ = ("new", "old")

    def __init__(self) -> None:
        """Start without a change."""
        self.new: Json = {}
        self.old: Json = {}


def change(leaves: Leaves, catalogue: tuple[Setting, ...], rng: random.Random) -> SettingsDiff:
    """Change a few settings of `leaves` in place (rarely many at once) and return the diff.

    The old value of a leaf never set is its default, or left out; a cleared leaf is only in the old
    side.
    """
    diff = SettingsDiff()
    for setting in _chosen(leaves, catalogue, rng):
        known = leaves.get(setting.path)
        if known is not None and rng.random() < _CLEARED:
            _put(diff.old, setting.path, leaves.pop(setting.path))
            continue
        in_effect = setting.default if known is None else known
        value = rng.choice([value for value in setting.values if value != in_effect])
        if known is None and rng.random() < _DEFAULT_REPORTED:
            known = setting.default
        assign(leaves, setting.path, value, known, diff)
    return diff


def assign(leaves: Leaves, path: Path, value: Any, known: Any, diff: SettingsDiff) -> None:
    """Set one leaf to `value`, in `leaves` and in the diff; `known` None reports no old value."""
    leaves[path] = value
    _put(diff.new, path, value)
    if known is not None:
        _put(diff.old, path, known)


def nested(leaves: Iterable[tuple[Path, Any]]) -> Json:
    """Return the document with these leaves."""
    document: Json = {}
    for path, value in leaves:
        _put(document, path, value)
    return document


def _chosen(
    leaves: Leaves, catalogue: tuple[Setting, ...], rng: random.Random
) -> Iterable[Setting]:
    if rng.random() < _POLICY_PUSH:
        return rng.sample(catalogue, len(catalogue) * 2 // 3)
    chosen = rng.sample(catalogue, rng.randint(1, min(4, len(catalogue))))
    if leaves and rng.random() < _REVISITED:
        again = rng.choice([setting for setting in catalogue if setting.path in leaves])
        return [again, *(setting for setting in chosen if setting is not again)]
    return chosen


def _put(document: Json, path: Path, value: Any) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
    document[path[-1]] = value
