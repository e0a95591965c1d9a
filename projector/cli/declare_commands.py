"""`declare`: what neither events nor Zoom's REST API tell, said by an operator."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from projector.cli.files import opened
from projector.cli.history_commands import moment_of
from projector.cli.operator_options import By, acting
from projector.cli.running import on_database, say, start
from projector.cli.shown_event import at_positions, put_json, put_row
from projector.database import Database
from projector.errors import ConfigurationError
from projector.operations import declarations
from projector.operations.declarations import Plan
from projector.operations.declared_files import people_lines, ranking_lines, text_of
from projector.process import run

MOST_WARNINGS = 20
NOTHING = "-"


class Model(StrEnum):
    """What may be said of an account's model; `unknown` takes back what was declared."""

    LEGACY = "legacy"
    PRIORITY = "priority"
    UNKNOWN = "unknown"


Account = Annotated[str | None, typer.Option(help="Where there are several.")]
Since = Annotated[
    str | None,
    typer.Option(help="From when it holds: a date or time, ISO 8601; UTC. Default: now."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be declared, and append nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]

# Makes a plan of the account and the event time in epoch milliseconds.
Planning = Callable[[Database, str, int], Awaitable[Plan]]


def group() -> typer.Typer:
    """The group of commands."""
    commands = typer.Typer(
        help="Say what neither events nor Zoom's REST API tell: the model, the ranking, primary groups.",
        no_args_is_help=True,
    )
    commands.command()(model)
    commands.command()(ranking)
    commands.command()(primary_group)
    return commands


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group(), name="declare")


def model(
    model: Annotated[Model, typer.Argument(help="unknown takes it back.")],
    account: Account = None,
    since: Since = None,
    dry_run: DryRun = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Declare which model of settings an account uses."""
    value = None if model is Model.UNKNOWN else model.value

    async def planned(database: Database, of: str, at_ms: int) -> Plan:
        return await declarations.of_model(database, of, value, at_ms)

    _declare(planned, account, since, by, dry_run=dry_run, as_json=as_json)


def ranking(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A group a line, by id or exact name, the highest first; of CSV the first column. "
            "# begins a comment; - is standard input."
        ),
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take it back, in place of FILE.")
    ] = False,
    account: Account = None,
    since: Since = None,
    dry_run: DryRun = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Declare the ranking of an account's groups, all of them."""
    if withdraw == (file is not None):
        raise ConfigurationError("name a FILE, or --withdraw; one of them")
    lines = None if file is None else ranking_lines(_text(file))

    async def planned(database: Database, of: str, at_ms: int) -> Plan:
        return await declarations.of_ranking(database, of, lines, at_ms)

    _declare(planned, account, since, by, dry_run=dry_run, as_json=as_json)


def primary_group(
    file: Annotated[
        str,
        typer.Argument(
            help="CSV: person,group. A person by id or e-mail, a group by id or exact name; no group "
            "takes it back. - is standard input."
        ),
    ],
    account: Account = None,
    since: Since = None,
    dry_run: DryRun = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Declare the primary groups of people; where events tell one, that wins."""
    lines = people_lines(_text(file))

    async def planned(database: Database, of: str, at_ms: int) -> Plan:
        return await declarations.of_primary_groups(database, of, lines, at_ms)

    _declare(planned, account, since, by, dry_run=dry_run, as_json=as_json)


def _text(file: str) -> str:
    """The text of a file to read, or of standard input."""
    if file == "-":
        return text_of(sys.stdin.buffer.read())
    with opened(file) as source:
        return text_of(source.read())


def _declare(
    planned: Planning,
    account: str | None,
    since: str | None,
    by: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Plan, show, and append unless it is a dry run."""
    who, at_ms = acting(by), declarations.from_when(moment_of("--since", since))

    async def work(database: Database) -> None:
        of = await declarations.account_of(database, account)
        await declarations.until_folded(database)
        plan = await planned(database, of, at_ms)
        for text in plan.warnings[:MOST_WARNINGS]:
            say(f"warning: {text}")
        if len(plan.warnings) > MOST_WARNINGS:
            say(f"and {len(plan.warnings) - MOST_WARNINGS:,} more warnings")
        if not as_json:
            _put_steps(plan)
        append = partial(declarations.declare, database, plan, who)
        positions = [] if dry_run else await append()
        if as_json:
            put_json(_document(plan, positions, dry_run=dry_run))
        say(_summary(plan, positions, dry_run=dry_run))

    run(on_database(start(), work))


def _put_steps(plan: Plan) -> None:
    for step in plan.steps:
        sides = (_side(step.before), "->", _side(step.wanted.value))
        put_row(plan.kind, step.wanted.user_id or plan.account, *sides)


def _side(value: Any) -> str:
    """A value as a line shows it; of a ranking, its groups in their order."""
    if value is None:
        return NOTHING
    return " > ".join(value) if isinstance(value, list) else str(value)


def _document(plan: Plan, positions: list[int], *, dry_run: bool) -> dict[str, Any]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return {
        "account_id": plan.account,
        "kind": plan.kind,
        "dry_run": dry_run,
        "declarations": [
            {
                "user_id": step.wanted.user_id or None,
                "before": step.before,
                "after": step.wanted.value,
                "since": epoch + timedelta(milliseconds=step.at_ms),
            }
            for step in plan.steps
        ],
        "unchanged": plan.unchanged,
        "warnings": list(plan.warnings),
        "positions": positions,
    }


def _summary(plan: Plan, positions: list[int], *, dry_run: bool) -> str:
    counts = f"{len(plan.steps):,}, unchanged {plan.unchanged:,}"
    if dry_run:
        return f"would declare {counts}; nothing was appended"
    return f"declared {counts}" + (f"; {at_positions(positions)}" if positions else "")
