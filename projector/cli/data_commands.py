"""`export` and `import`: deliveries out and in."""

import os
import sys
from collections import Counter
from typing import Annotated, BinaryIO, Self

import typer

from projector.cli.files import Overwrite, opened, target
from projector.cli.progress import progress
from projector.cli.running import cancel_on_sigterm, on_database, put, say, start
from projector.database import Database
from projector.log.transfer import ExportSummary, ImportSummary, export_log, import_file
from projector.process import run
from projector.zoom.redaction import Redactor

MOST_COMPLAINTS = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="export")(export)
    app.command(name="import")(import_)


def export(
    file: Annotated[str, typer.Argument(help="A file; - is standard output.")],
    redact: Annotated[
        bool,
        typer.Option("--redact", help="With pseudonyms for people and secrets; see the README."),
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the log as NDJSON, one envelope a line, to a file that its owner alone may read."""
    settings = start()
    redactor = Redactor() if redact else None

    async def work(database: Database) -> ExportSummary:
        with target(file, overwrite=overwrite) as out, progress("export") as report:
            return await export_log(database, out, report, redactor)

    summary = run(cancel_on_sigterm(on_database(settings, work)))
    unreadable = f", {summary.unreadable:,} without a JSON object" if redact else ""
    say(
        f"exported {summary.exported:,} events{' redacted' if redact else ''}; left out: "
        f"{summary.erased:,} erased, {summary.repeated:,} repeated{unreadable}"
    )


def import_(file: Annotated[str, typer.Argument(help="A file; - is standard input.")]) -> None:
    """Append the envelopes or bare bodies of a file, NDJSON or one JSON document; exit 1 if any is bad."""
    settings = start()
    complaints = _Complaints()

    def imported(source: BinaryIO, size: int) -> ImportSummary:
        async def work(database: Database) -> ImportSummary:
            with progress("import", "bytes") as report:
                return await import_file(
                    database, source, lambda _lines, read: report(read, size), complaints.add
                )

        return run(on_database(settings, work))

    with complaints:
        if file == "-":
            summary = imported(sys.stdin.buffer, 0)
        else:
            with opened(file) as source:
                summary = imported(source, os.fstat(source.fileno()).st_size)
    put(f"imported {summary.appended:,}, known already {summary.duplicates:,}, bad {summary.bad:,}")
    if summary.bad:
        raise typer.Exit(1)


class _Complaints:
    """Says which lines are bad, of equal complaints the first 20, and the number of the others at the end."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, number: int, why: str) -> None:
        """Complain about a line."""
        self._counts[why] += 1
        if self._counts[why] <= MOST_COMPLAINTS:
            say(f"line {number}: {why}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for why, count in self._counts.items():
            if count > MOST_COMPLAINTS:
                say(f"and {count - MOST_COMPLAINTS:,} more lines: {why}")
