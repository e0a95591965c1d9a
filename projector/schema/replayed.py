"""The views over a replay: the views' own texts, made to read the tables of a replay.

Of a replay named `then`, the views are in schema `then` as they are in `directory`, over tables in
`then_state` as in `state`.
"""

import re
from collections.abc import Iterator
from typing import Final

from projector.projections import PROJECTIONS
from projector.schema.ddl import view_files

_MADE: Final = re.compile(r"^CREATE OR REPLACE (?:VIEW|FUNCTION) state\.(\w+)", re.MULTILINE)
# What is about the present alone: the interface as such, checkpoints, and what says so.
_OF_THE_PRESENT: Final = ("COMMENT ON SCHEMA ", "state.checkpoints", "-- of the present alone\n")


def rows_schema(into: str) -> str:
    """The schema of a replay's tables."""
    return f"{into}_state"


def replayed_views(into: str) -> Iterator[str]:
    """Yield the texts that create the views of a replay, in the order in which they build on one another."""
    texts = [t for t in view_files() if not any(mark in t for mark in _OF_THE_PRESENT)]
    names = {name for text in texts for name in _MADE.findall(text)}
    names |= {name for projection in PROJECTIONS for name in projection.table_names}
    own = re.compile(rf"\bstate\.({'|'.join(sorted(names | {'dead_letters'}))})\b")
    for text in texts:
        moved = own.sub(rf"{rows_schema(into)}.\1", text)
        yield re.sub(r"\bdirectory\.", f"{into}.", moved)
