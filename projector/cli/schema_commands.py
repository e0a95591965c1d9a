"""`migrate`, `rebuild` and `verify`: the schema, and what is folded into it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

import typer

from projector.cli.completion_command import among
from projector.cli.operator_options import By, acting
from projector.cli.progress import progress
from projector.cli.running import (
    cancel_on_sigterm,
    on_database,
    open_configured,
    printable,
    put,
    say,
    start,
)
from projector.cli.shown_event import at_positions
from projector.config import Settings
from projector.database import Database
from projector.errors import ConfigurationError
from projector.folding.tables import Projection
from projector.log.seals import ChainVerdict, Seal, parse_anchor, verify_chain
from projector.operations.rebuilding import POOL_SIZE, named, rebuild_asked
from projector.process import relax_gc, run
from projector.projections import PROJECTIONS
from projector.rebuild.verify import verify as verify_projections
from projector.schema.ddl import full_text
from projector.schema.migrate import migrate as migrate_schema
from projector.schema.roles import missing_right
from projector.state.comparison import Verdict

T = TypeVar("T")

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Projections; all where none is named.",
        autocompletion=among([projection.name for projection in PROJECTIONS]),
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=1, max=256, help="How many; default: the usable cores, as far as memory lasts."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(rebuild)
    app.command()(verify)


def migrate(
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print what an empty database gets; run nothing.")
    ] = False,
) -> None:
    """Bring the schema up to date; any number of replicas may do so at once."""
    if print_sql:
        put(full_text())
        return
    settings = start()

    async def work() -> tuple[list[str], str | None]:
        async with open_configured(settings) as database:
            applied = await migrate_schema(database)
            return applied, await missing_right(database)

    applied, missing = run(work())
    say(f"migrated: {', '.join(applied)}" if applied else "nothing to migrate")
    if missing is not None:
        say(missing)


def rebuild(
    names: Names = None,
    processes: Processes = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")
    ] = False,
    by: By = None,
) -> None:
    """Fold the log afresh and swap the result in, while everything goes on."""
    settings, chosen, who = start(), named(names), acting(by)
    if dry_run:
        _print_verdicts(_verdicts(chosen, "dry run", processes), "would change")
        return

    async def work(database: Database) -> tuple[dict[str, int], int]:
        with progress("rebuild") as report:
            return await rebuild_asked(database, chosen, report, who, processes=processes)

    done, act = _fold_log(settings, work)
    for name, position in done.items():
        put(f"{name}\trebuilt up to position {position}")
    say(at_positions([act]))


def verify(
    names: Names = None,
    processes: Processes = None,
    log: Annotated[
        bool, typer.Option("--log", help="Compare the log itself with its chain of digests.")
    ] = False,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION:CHAIN",
            help="With --log: what an earlier run, or a projector's line log_sealed, printed. Whoever owns "
            "the database can make the whole chain anew, and only this tells.",
        ),
    ] = None,
) -> None:
    """Fold the log afresh and compare it with the live rows; exit 1 if any differs.

    With --log, compare every row of the log with the digests that projectors chain over it: a row that was
    changed, removed or inserted behind our back breaks the chain.
    """
    if log:
        _verify_log(names, anchor)
        return
    if anchor is not None:
        raise ConfigurationError("--anchor is for the log: give --log with it")
    verdicts = _verdicts(named(names), "verify", processes)
    _print_verdicts(verdicts, "differ from the log")
    if any(verdict.differences for verdict in verdicts):
        raise typer.Exit(1)


def _verify_log(names: list[str] | None, anchor: str | None) -> None:
    if names:
        raise ConfigurationError("--log compares the log, which no projection changes: name none")
    try:
        kept = None if anchor is None else parse_anchor(anchor)
    except ValueError as error:
        raise ConfigurationError(f"{error}; copy it from an earlier run") from None

    async def work(database: Database) -> ChainVerdict:
        with progress("verify --log") as report:
            return await verify_chain(database, kept, report)

    verdict = run(cancel_on_sigterm(on_database(start(), work)))
    _print_chain(verdict, kept)
    if verdict.findings:
        raise typer.Exit(1)


def _print_chain(verdict: ChainVerdict, anchor: Seal | None) -> None:
    for finding in verdict.findings:
        put(f"log\t{finding}")
    put(
        f"log\tposition {verdict.head}\t{verdict.seals} seals\t{verdict.unsealed} positions not sealed yet\t"
        f"{len(verdict.findings)} findings"
    )
    if verdict.seals:
        put(f"anchor\t{verdict.sealed}")
    if anchor is None:
        say(
            "without --anchor this does not tell whether somebody who owns the database made the chain anew; "
            "keep the anchor elsewhere and give it the next time"
        )


def _verdicts(chosen: Sequence[Projection], title: str, processes: int | None) -> list[Verdict]:
    settings = start()

    async def work(database: Database) -> list[Verdict]:
        with progress(title) as report:
            return await verify_projections(database, chosen, report, processes=processes)

    return _fold_log(settings, work)


def _fold_log(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run what folds the whole log, and clears up after itself where it is interrupted."""
    relax_gc()
    return run(cancel_on_sigterm(on_database(settings, work, size=POOL_SIZE)))


def _print_verdicts(verdicts: Sequence[Verdict], what: str) -> None:
    for verdict in verdicts:
        put(
            f"{verdict.projection}\tposition {verdict.position}\t{verdict.rows} rows\t"
            f"{verdict.differences} {what}"
        )
        for example in verdict.examples:
            columns = f" ({', '.join(example.columns)})" if example.columns else ""
            key = ", ".join(printable(part) for part in example.key)
            put(f"  {example.kind} in {example.table}: {key}{columns}")
        unshown = verdict.differences - len(verdict.examples)
        if unshown:
            put(f"  and {unshown:,} more")
