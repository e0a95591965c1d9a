"""The lists of what stands open: what each means, and what to do about it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from projector.console.asked import LARGEST_POSITION

Key = Mapping[str, str | int]


class List(NamedTuple):
    """A list. `key`: the columns that say where it goes on, with what is before the first row.

    `view`: of schema `directory`; an upgrade may still have to make it. `do`: empty where nothing is to do;
    commands stand between backticks. `minor`: it is left out of the page Trust where it is empty. `slow`: a
    few rows, too, take long to find, and are looked for once in a while.
    """

    name: str
    title: str
    statement: str
    view: str
    key: Key
    means: str
    do: str
    none: str
    minor: bool = False
    slow: bool = False

    @property
    def order(self) -> str:
        """In which order the list is, in words."""
        return "Newest first" if LARGEST_POSITION in self.key.values() else "By id"


_BY_ENTITY: Final[Key] = {"entity_id": "", "entity": "", "path": "", "account_id": ""}
_BY_PROJECTION: Final[Key] = {"position": LARGEST_POSITION, "projection": ""}

LISTS: Final = (
    List(
        "drift", "Drift", "drift", "drift",
        {"entity_key": "", "account_id": "", "entity": "", "path": "", "position": 0},
        "An event reported a previous value that is not the directory's: a delivery was lost, or is still to "
        "come, and then the row goes away by itself.",
        "`projector reconcile` heals what stays for two hours; what no reading can tell, acknowledge.",
        "No event contradicts the directory.",
    ),
    List(
        "acknowledged", "Acknowledged drift", "acknowledged", "acknowledged_drift", _BY_ENTITY,
        "Drift that still stands and that somebody acknowledged; what a later event reports there counts.",
        "", "Nobody acknowledged any that still stands.", minor=True,
    ),
    List(
        "corrections", "Corrections", "corrections", "corrections",
        {"known_since": LARGEST_POSITION, "tie": ""},
        "Changes that came after later ones of the same entity had been folded: until then the directory "
        "believed something else of that time. It is right now.",
        "", "Nothing came late.", slow=True,
    ),
    List(
        "unresolved", "Unresolved people", "unresolved", "unresolved_users",
        {"account_id": "", "person_key": ""},
        "People whom events name and whom no event introduced: they were there before the first delivery, or "
        "theirs was lost.",
        "`projector reconcile` reads them from Zoom.", "Everybody whom events name is known.",
        slow=True,
    ),
    List(
        "unresolved-groups", "Unresolved groups", "unresolved_groups", "unresolved_groups",
        {"account_id": "", "id": ""}, "The same of groups.",
        "`projector reconcile` reads them from Zoom.", "Every group that events name is known.",
        minor=True, slow=True,
    ),
    List(
        "dead-letters", "Dead letters", "dead_letters", "dead_letters", _BY_PROJECTION,
        "Events that a projection could not fold. Everything else is folded; what these told is missing.",
        "`projector dead-letters show POSITION` shows one. Once a release can fold it, retry; if it is of no "
        "use, dismiss it, with a reason.",
        "Every event is folded.",
    ),
    List(
        "dismissed", "Dismissed dead letters", "dismissed", "dismissed_dead_letters", _BY_PROJECTION,
        "Events that could not be folded and that somebody held for of no use.",
        "", "Nobody dismissed any.", minor=True,
    ),
    List(
        "quarantine", "Quarantine", "quarantine", "quarantine", {"id": LARGEST_POSITION},
        "Deliveries that were refused and may be genuine all the same: no secret known here signed them, or "
        "their form was not understood.",
        "Once the right secret is set, verify them again: what is genuine is taken in. Purge the rest.",
        "Nothing was refused that might be genuine.",
    ),
)  # fmt: skip
CORRECTIONS: Final = next(one for one in LISTS if one.name == "corrections")
