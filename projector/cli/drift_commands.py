"""`drift`: where events disagree with what is known; shown, healed by `reconcile`, or acknowledged."""

from functools import partial
from typing import Annotated, Any

import typer

from projector.cli.operator_options import By, Reason, acting, told_reason
from projector.cli.running import on_database, put, say, start
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
from projector.errors import ConfigurationError
from projector.log.read import LogRow, row_at
from projector.operations import drift
from projector.operations.shown_body import redacted
from projector.process import run
from projector.state.drift import Drifting, list_drift

Entity = Annotated[str, typer.Argument(help="Its kind, as `list` shows it: user, group, …")]
EntityId = Annotated[str, typer.Argument(help="Its id; of people in any case.")]
Account = Annotated[str | None, typer.Option(help="Where several accounts have it.")]


def group() -> typer.Typer:
    """The group of commands."""
    commands = typer.Typer(
        help="Where events disagree with what is known: a delivery was lost, or is still to come.",
        no_args_is_help=True,
    )
    commands.command(name="list")(list_)
    commands.command()(show)
    commands.command()(acknowledge)
    return commands


def list_(
    acknowledged: Annotated[
        bool, typer.Option("--acknowledged", help="What somebody acknowledged: who, when, why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List it: account, entity, id, path, time and position of the event, and what to do."""
    rows = run(on_database(start(), partial(list_drift, acknowledged=acknowledged)))
    if as_json:
        put_json([_document(row, reveal=False) for row in rows])
        return
    for row in rows:
        told = (row.acknowledged_at, row.acknowledged_by, row.reason)
        put_row(
            row.account_id, row.entity, row.entity_id, row.path, row.event_at.isoformat(), row.position,
            *(told if acknowledged else (drift.remedy(row.entity, row.entity_id, row.path),)),
        )  # fmt: skip


def show(
    entity: Entity,
    entity_id: EntityId,
    path: Annotated[str | None, typer.Argument(help="One path alone.")] = None,
    account: Account = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Show both values at each path, redacted, and the event that reported one; exit 1 if there is none."""

    async def work(database: Database) -> list[tuple[Drifting, LogRow | None]]:
        rows = await drift.selected(database, entity, entity_id, path, account, acknowledged=None)
        return [(row, await row_at(database, row.position)) for row in rows]

    found = run(on_database(start(), work))
    if as_json:
        put_json([
            _document(row, reveal=reveal) | _reported_by(event, reveal=reveal) for row, event in found
        ])  # fmt: skip
        return
    for row, event in found:
        put_fields(_document(row, reveal=reveal))
        put("")
        if event is not None:
            put("reported by")
            put_fields(event_fields(event))
            put_body(event.body, reveal=reveal)
            put("")


def _document(row: Drifting, *, reveal: bool) -> dict[str, Any]:
    """A row as JSON values: both sides redacted, and what to do unless that is done."""
    field = row.path.rpartition(".")[2]
    sides = {
        side: redacted(value, reveal=reveal, name=field)
        for side, value in (("known", row.known), ("reported", row.reported))
    }
    done = row.acknowledged_at is not None
    return {
        **row._asdict(),
        **sides,
        "to_do": None if done else drift.remedy(row.entity, row.entity_id, row.path),
    }


def _reported_by(event: LogRow | None, *, reveal: bool) -> dict[str, Any]:
    if event is None:
        return {"reported_by": None}
    return {"reported_by": {**event_fields(event), **body_fields(event.body, reveal=reveal)}}


def acknowledge(
    entity: Entity,
    entity_id: EntityId,
    reason: Reason,
    path: Annotated[str | None, typer.Argument(help="The path, as `list` shows it.")] = None,
    every_path: Annotated[
        bool, typer.Option("--all", help="All drift of this entity, in place of PATH.")
    ] = False,
    account: Account = None,
    by: By = None,
) -> None:
    """Acknowledge it: it counts no more until another event disagrees there; exit 1 where there is none."""
    if every_path == (path is not None):
        raise ConfigurationError("name a PATH, or --all of the entity; one of them")
    work = partial(
        drift.acknowledge,
        entity=entity,
        entity_id=entity_id,
        path=path,
        account=account,
        reason=told_reason(reason),
        who=acting(by),
    )
    done = run(on_database(start(), work))
    say(f"acknowledged {len(done.rows)}; {at_positions(done.acts)}")
