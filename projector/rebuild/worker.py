"""The workers of a rebuild; this process is one of them."""

from collections.abc import Sequence
from typing import Protocol, assert_never

from projector.database import Database
from projector.rebuild.scan import Scanner
from projector.rebuild.states import fold_states
from projector.rebuild.tasks import (
    Analyze,
    Build,
    FinishScan,
    FoldStates,
    MergeRuns,
    MergeVersions,
    Scan,
    Task,
)
from projector.rebuild.versions import merge_versions
from projector.state.shadow import Shadow


class Worker(Protocol):
    """Does tasks one at a time, in this process or another."""

    async def do(self, task: Task) -> None:
        """Do a task to its end."""


class LocalWorker:
    """Does tasks on existing shadows, in this process; holds about `memory` bytes of rows."""

    def __init__(self, database: Database, shadows: Sequence[Shadow], memory: int) -> None:
        self._shadows = {shadow.projection.name: shadow for shadow in shadows}
        self._scanner = Scanner(database, shadows, memory)

    async def do(self, task: Task) -> None:
        """Do a task to its end."""
        match task:
            case Scan(start, end, repeated, until_ms):
                await self._scanner.scan(start, end, frozenset(repeated), until_ms)
            case FinishScan():
                await self._scanner.finish()
            case Build(name, part_of_ddl, number):
                await self._shadows[name].build(part_of_ddl, number)
            case MergeRuns(name, table, part, parts):
                await self._shadows[name].merge_runs(table, part, parts)
            case MergeVersions(name, table, part, parts):
                await merge_versions(self._shadows[name], table, part, parts)
            case FoldStates(name, part, parts):
                await fold_states(self._shadows[name], part, parts)
            case Analyze(name, of):
                await self._shadows[name].analyze(of)
            case _:
                assert_never(task)
