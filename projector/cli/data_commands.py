"""`export` and `import`: deliveries out and in."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated, BinaryIO

import typer

from projector.cli.progress import progress
from projector.cli.running import on_database, put, say, start
from projector.database import Database
from projector.errors import ProjectorError
from projector.log.transfer import ExportSummary, ImportSummary, export_log, import_file
from projector.process import run


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="export")(export)
    app.command(name="import")(import_)


def export(file: Annotated[str, typer.Argument(help="A file; - is standard output.")]) -> None:
    """Write the log as NDJSON, one envelope a line."""
    settings = start()

    async def work(database: Database) -> ExportSummary:
        # Opened this late because that empties a file that is there already.
        with target(file) as out, progress("export") as report:
            return await export_log(database, out, report)

    summary = run(on_database(settings, work))
    say(
        f"exported {summary.exported:,} events; left out: {summary.erased:,} erased, "
        f"{summary.repeated:,} repeated"
    )


def import_(file: Annotated[str, typer.Argument(help="A file; - is standard input.")]) -> None:
    """Append the envelopes or bare bodies of an NDJSON file; exit 1 if any line is bad."""
    settings = start()

    def bad(number: int, why: str) -> None:
        say(f"line {number}: {why}")

    def imported(source: BinaryIO, size: int) -> ImportSummary:
        async def work(database: Database) -> ImportSummary:
            with progress("import", "bytes") as report:
                return await import_file(
                    database, source, lambda _lines, read: report(read, size), bad
                )

        return run(on_database(settings, work))

    if file == "-":
        summary = imported(sys.stdin.buffer, 0)
    else:
        with _file(file, "rb") as source:
            summary = imported(source, os.fstat(source.fileno()).st_size)
    put(f"imported {summary.appended:,}, known already {summary.duplicates:,}, bad {summary.bad:,}")
    if summary.bad:
        raise typer.Exit(1)


def target(name: str) -> AbstractContextManager[BinaryIO]:
    """The file of that name to write, or standard output for `-`."""
    return nullcontext(sys.stdout.buffer) if name == "-" else _file(name, "wb")


@contextmanager
def _file(name: str, mode: str) -> Iterator[BinaryIO]:
    """Open a file; raises ProjectorError where it cannot be opened, read, written or closed."""
    try:
        with open(name, mode) as file:  # noqa: PTH123  "-" and pipes are names too
            yield file  # type: ignore[misc]
    except (ConnectionError, TimeoutError):
        raise  # of the database, not of the file
    except OSError as error:
        raise ProjectorError(
            f"{name} cannot be {'written' if mode == 'wb' else 'read'} ({error.strerror}); check "
            "the path, its permissions and the space that is left, then run the same command again"
        ) from None
