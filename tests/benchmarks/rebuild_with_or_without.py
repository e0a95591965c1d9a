"""A rebuild in one process: `python -m tests.benchmarks.rebuild_with_or_without URL with|without`.

`without`: the same projections, stripped of their versions, as before there was any history. Prints the
seconds taken.
"""

import sys
import time
from dataclasses import replace
from typing import Final

import uvloop

from projector.database import open_database
from projector.folding.tables import MergeTable, Projection, SequenceTable
from projector.projections import PROJECTIONS
from projector.rebuild.rebuild import rebuild

# Kept for history alone.
MOMENTS: Final = "sign_in_moments"


def stripped(projection: Projection) -> Projection:
    """A projection without versions."""
    kept = [table for table in projection.tables if table.name != MOMENTS]
    return replace(projection, tables=tuple(map(_bare, kept)))


def _bare(table: MergeTable | SequenceTable) -> MergeTable | SequenceTable:
    return replace(table, versions=None)


async def main(url: str, how: str) -> None:
    chosen = PROJECTIONS if how == "with" else tuple(map(stripped, PROJECTIONS))
    database = await open_database(url, size=16)
    started = time.perf_counter()
    await rebuild(database, chosen, lambda *_: None, processes=1)
    sys.stdout.write(f"{time.perf_counter() - started}\n")
    await database.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
