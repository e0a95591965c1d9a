"""`simulate`, `export` and `import`: deliveries in and out."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Annotated, BinaryIO

import typer

from projector.cli.progress import progress
from projector.cli.running import (
    data_dir_of,
    local_address,
    on_database,
    put,
    say,
    start,
)
from projector.cli.up_command import known_secret
from projector.config import Settings
from projector.database import Database
from projector.errors import ConfigurationError, ProjectorError
from projector.log.transfer import ExportSummary, ImportSummary, export_log, import_file
from projector.process import run
from projector.simulator.tally import Summary
from projector.simulator.zoom import PlayOptions, play


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(simulate)
    app.command(name="export")(export)
    app.command(name="import")(import_)


def simulate(
    url: Annotated[
        str | None, typer.Option(help="Where to deliver; default: the local ingress.")
    ] = None,
    events: Annotated[int, typer.Option(help="How many events.")] = 1000,
    users: Annotated[int, typer.Option(help="How many people the account has.")] = 50,
    seed: Annotated[
        int, typer.Option(help="With the same --until it plays the same deliveries.")
    ] = 1,
    days: Annotated[float, typer.Option(help="Days of history.")] = 30,
    until: Annotated[
        datetime | None, typer.Option(help="End of the history, in UTC; default: now.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Deliveries a second; 0: as fast as possible.")] = 0,
    concurrency: Annotated[int, typer.Option(help="Deliveries under way at once.")] = 16,
    duplicates: Annotated[float, typer.Option(help="Share of deliveries that come twice.")] = 0,
    disorder: Annotated[int, typer.Option(help="By how many places a delivery may come late.")] = 0,
    time_scale: Annotated[float, typer.Option(help="Factor on Zoom's times between attempts.")] = 1
    / 3000,
) -> None:
    """Play Zoom: validate the URL, then deliver a simulated account's events, signed."""
    settings = start()
    target = url or _local_url(settings)
    options = PlayOptions(
        url=target, events=events, users=users, seed=seed, days=days, rate=rate,
        end_ms=None if until is None else round(until.replace(tzinfo=UTC).timestamp() * 1000),
        concurrency=concurrency, duplicates=duplicates, disorder=disorder, time_scale=time_scale,
    )  # fmt: skip

    with progress("simulate") as report:
        summary = run(play(options, _secret(settings), report))
    _print_summary(summary)
    if summary.lost:
        raise typer.Exit(1)


def _local_url(settings: Settings) -> str:
    if settings.port == 0:
        raise ConfigurationError(
            "PROJECTOR_PORT is 0, so the port may be any; pass --url with the address that `projector up` "
            "printed"
        )
    return f"{local_address(settings.host, settings.port)}/webhooks/zoom"


def _secret(settings: Settings) -> bytes:
    given = settings.secrets()
    if given:
        return given[0]
    own = known_secret(data_dir_of(settings))
    if own is None:
        raise ConfigurationError(
            "no secret to sign with: set PROJECTOR_ZOOM_SECRET_TOKENS to that of the ingress, or "
            "start `projector up`, which makes one"
        )
    return own.encode()


def _print_summary(summary: Summary) -> None:
    put(
        f"delivered {summary.delivered:,} (duplicates {summary.duplicates:,}), retried "
        f"{summary.retried:,}, lost {sum(summary.lost.values()):,} in {summary.seconds:.1f} s"
    )
    for status, count in summary.lost.items():
        put(f"  lost after {status}: {count:,}")
    if summary.p50_ms is not None:
        put(
            f"time to acknowledge: p50 {summary.p50_ms:.1f} ms, p95 {summary.p95_ms:.1f} ms, "
            f"p99 {summary.p99_ms:.1f} ms, max {summary.max_ms:.1f} ms"
        )


def export(file: Annotated[str, typer.Argument(help="A file; - is standard output.")]) -> None:
    """Write the log as NDJSON, one envelope a line."""
    settings = start()

    async def work(database: Database) -> ExportSummary:
        # Opened this late because that empties a file that is there already.
        with _target(file) as target, progress("export") as report:
            return await export_log(database, target, report)

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


def _target(name: str) -> AbstractContextManager[BinaryIO]:
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
