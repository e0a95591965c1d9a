"""`dead-letters`: what could not be folded; shown, folded again, or dismissed."""

from functools import partial
from typing import Annotated

import typer

from projector.cli.operator_options import By, Reason, acting, told_reason
from projector.cli.running import on_database, printable, put, say, start
from projector.cli.shown_event import (
    AsJson,
    Reveal,
    at_positions,
    body_fields,
    event_fields,
    put_body,
    put_fields,
    put_json,
    put_row,
)
from projector.database import Database
from projector.log.read import LogRow, row_at
from projector.operations import dead_letters
from projector.process import run
from projector.state.dead_letters import Listed, list_dead_letters
from projector.zoom.delivery import LARGEST_INT8

Position = Annotated[
    int, typer.Argument(min=1, max=LARGEST_INT8, help="Position in the log, as `list` shows it.")
]


def group() -> typer.Typer:
    """The group of commands."""
    commands = typer.Typer(help="Events that a projection could not fold.", no_args_is_help=True)
    commands.command(name="list")(list_)
    commands.command()(show)
    commands.command()(retry)
    commands.command()(dismiss)
    return commands


def list_(
    dismissed: Annotated[
        bool, typer.Option("--dismissed", help="Those that somebody dismissed: who, when, why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List them: position, projection, event, what is wrong."""
    rows = run(on_database(start(), partial(list_dead_letters, dismissed=dismissed)))
    if as_json:
        put_json([row._asdict() for row in rows])
        return
    for row in rows:
        told = (row.dismissed_at, row.dismissed_by, row.reason) if dismissed else ()
        put_row(row.position, row.projection, row.event, row.error, *told)


def show(position: Position, reveal: Reveal = False, as_json: AsJson = False) -> None:
    """Show one: where and why it failed, and the event, redacted; exit 1 where there is none."""

    async def work(database: Database) -> tuple[list[Listed], LogRow | None]:
        return await dead_letters.at(database, position), await row_at(database, position)

    letters, row = run(on_database(start(), work))
    if row is None:
        say(f"the log has no position {position}: it is not the log that was folded")
        raise typer.Exit(1)
    if as_json:
        failed = [_failure(letter) for letter in letters]
        put_json({**event_fields(row), "dead": failed, **body_fields(row.body, reveal=reveal)})
        return
    put_fields(event_fields(row))
    for letter in letters:
        put(f"\n{letter.projection}: {printable(letter.error)}")
        put_fields(
            {"failed_at": letter.failed_at, "dismissed_at": letter.dismissed_at,
             "dismissed_by": letter.dismissed_by, "reason": letter.reason}
        )  # fmt: skip
    put("")
    put_body(row.body, reveal=reveal)


def _failure(letter: Listed) -> dict[str, object]:
    told = letter._asdict()
    return {name: told[name] for name in told.keys() - {"position", "event", "digest"}}


def retry(
    positions: Annotated[
        list[int] | None,
        typer.Argument(
            min=1, max=LARGEST_INT8, help="Positions; default: all that nobody dismissed."
        ),
    ] = None,
    by: By = None,
) -> None:
    """Fold them again, each in its proper place; prints those that are left and why, and exits 1 then."""
    work = partial(dead_letters.retry, positions=positions, who=acting(by))
    done, act = run(on_database(start(), work))
    for left in done.left:
        put_row(left.position, left.projection, left.why)
    counted = f"folded {done.folded}, left {len(done.left)}"
    say(counted if act is None else f"{counted}; {at_positions([act])}")
    if done.left:
        raise typer.Exit(1)


def dismiss(
    position: Position,
    reason: Reason,
    projection: Annotated[
        str | None, typer.Option(help="In this projection alone; default: in all.")
    ] = None,
    by: By = None,
) -> None:
    """Dismiss one, which counts no more and stays listed with who and why; exit 1 where there is none."""
    work = partial(
        dead_letters.dismiss,
        position=position,
        projection=projection,
        reason=told_reason(reason),
        who=acting(by),
    )
    done = run(on_database(start(), work))
    named = ", ".join(letter.projection for letter in done.letters)
    say(f"dismissed position {position} in {named}; {at_positions(done.acts)}")
