"""Projections: how far each has folded the log, and what it feeds."""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from projector.console.asked import Asked
from projector.console.charts import HEIGHT
from projector.console.judged import of_folding, verdict
from projector.console.pages import Page, Shown
from projector.console.snapshot import Snapshot
from projector.console.words import number
from projector.projections import PROJECTIONS as ALL

# The views of schema `directory` whose rows come of a projection before all.
FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "account_settings": ("account_settings",),
    "coverage": ("coverage",),
    "declarations": ("declarations",),
    "dismissals": ("dismissed_dead_letters", "acknowledged_drift"),
    "freshness": ("freshness", "activity", "observation"),
    "group_admins": ("group_admins",),
    "group_settings": ("group_settings", "group_setting_values"),
    "groups": ("groups", "former_groups", "all_groups"),
    "memberships": ("memberships",),
    "presence": ("presence",),
    "sign_ins": ("sign_ins", "sign_in_changes"),
    "user_settings": ("user_settings", "user_setting_values"),
    "users": ("users", "former_users", "people"),
}

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "live": ("live", "good"),
    "rebuilding": ("live, and being rebuilt beside", "warn"),
    "waiting": ("waits after an error, to try again", "warn"),
    "idle": ("nobody folds it", "warn"),
    "stale": ("waits for a newer release to rebuild it", "bad"),
    "beyond head": ("ahead of the log", "bad"),
}


async def _read(_asked: Asked, read: Snapshot) -> Shown:
    rows = await read.rows("projections")
    head = max((row["head"] for row in rows), default=0)
    return {
        "head": head,
        "verdict": verdict(f"The log ends at position {number(head)}.", of_folding(rows, (), 0)),
        "projections": [_shown(row) for row in rows],
    }


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    state, tone = STATES[row["state"]]
    rebuilt = row["rebuild_position"]
    return dict(row) | {
        "state": state,
        "tone": tone,
        "feeds": FEEDS.get(row["projection"], ()),
        "done": _share(row["position"], row["head"]),
        "rebuilt": None if rebuilt is None else _share(rebuilt, row["head"]),
        "known": row["projection"] in _KNOWN,
    }


def _share(position: int, head: int) -> int:
    """How much of the log that is, of HEIGHT; all of it only at its end."""
    return HEIGHT if position >= head else HEIGHT * position // head


# A newer release may have others, which this one cannot rebuild.
_KNOWN: Final = frozenset(one.name for one in ALL)

PROJECTIONS: Final = Page("/projections", "projections", "projections.html.j2", _read)
