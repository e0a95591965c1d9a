"""Settings as people read them: the leaves of a document, in sections by the first part of their paths."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

from projector.console.documents import leaves


class Setting(NamedTuple):
    """One setting. `locked`: whether members may not change it; None where no lock is known."""

    path: str
    value: Any
    locked: bool | None


class Section(NamedTuple):
    """Settings whose paths begin alike."""

    name: str
    settings: list[Setting]


def sections(
    settings: Mapping[str, Any] | None, locks: Mapping[str, Any] | None = None
) -> list[Section]:
    """Return the settings of a document, and those that only a lock names: their value is None.

    A lock of several settings shows at each of them.
    """
    values = dict(leaves(settings or {}))
    above = {path[:depth] for path in values for depth in range(1, len(path))}
    paths = values.keys() | {path for path, _ in leaves(locks or {})} - above
    found = [
        (path, Setting(".".join(path), values.get(path), _lock(locks or {}, path)))
        for path in sorted(paths)
    ]
    return [
        Section(name, [setting for _, setting in some])
        for name, some in groupby(found, lambda one: one[0][0])
    ]


def _lock(locks: Any, path: tuple[str, ...]) -> bool | None:
    """The lock that covers a setting: at its path or above."""
    for name in path:
        if not isinstance(locks, Mapping):
            break
        locks = locks.get(name)
    if isinstance(locks, str) and locks.lower() in ("true", "false"):
        return locks.lower() == "true"
    return locks if isinstance(locks, bool) else None
