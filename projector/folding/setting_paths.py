"""Setting paths: every path that the settings of an account's users, groups or of itself were ever told at.

They only grow: a setting that was cleared again has a path without a value. So whoever asks for one path of
everybody need not look into every document for which paths there are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from projector.folding.documents import leaf_paths
from projector.folding.keys import LONGEST_ID
from projector.folding.tables import MergeTable, Rule
from projector.zoom.events import Event

# Characters: what an index can hold beside an account's id. Zoom's own paths have fewer than 100.
LONGEST_PATH: Final = 500


class SettingPath(NamedTuple):
    """A dotted path of one account. `first_ms`: event time of the first event that named it, epoch ms."""

    account_id: str
    path: str
    first_ms: int


def paths_named(events: Sequence[Event]) -> Iterator[SettingPath]:
    """One row a path for the events of one name: most events name the same few.

    What cannot be folded is left to the table of the documents: it reports it.
    """
    first: dict[tuple[str, str], int] = {}
    for event in events:
        account, settings = event.account_id, _settings(event)
        if account is None or len(account) > LONGEST_ID or event.too_deep:
            continue
        for path in leaf_paths(settings):
            if len(path) <= LONGEST_PATH:
                key = account, path
                first[key] = min(first.get(key, event.time_ms), event.time_ms)
    for (account, path), first_ms in first.items():
        yield SettingPath(account, path, first_ms)


RowsOf: TypeAlias = Callable[[Sequence[Event]], Iterator[SettingPath]]


def _settings(event: Event) -> dict[str, Any]:
    settings = (event.object or {}).get("settings")
    return settings if isinstance(settings, dict) else {}


def _earliest(one: SettingPath, other: SettingPath) -> SettingPath:
    return min(one, other)


def setting_paths(name: str, rows: Mapping[str, RowsOf]) -> MergeTable:
    """The table of that name of the paths that some events named; `rows` gives `paths_named` for each."""
    return MergeTable(
        name=name,
        row=SettingPath,
        key=2,
        rows=rows,
        merge=_earliest,
        rules={"first_ms": Rule.LEAST},
    )
