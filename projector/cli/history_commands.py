"""`timeline`, `changes`, `snapshot` and `replay`: what happened, and what was believed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import typer

from projector.cli.completion_command import several_of
from projector.cli.files import Overwrite, target
from projector.cli.progress import progress
from projector.cli.running import (
    cancel_on_sigterm,
    on_database,
    printable,
    put,
    say,
    start,
)
from projector.database import Database
from projector.errors import ConfigurationError
from projector.folding.documents import ABSENT
from projector.history.cursor import Cursor, parsed_cursor
from projector.history.feed import cursor_at, cursor_at_start, folded_up_to, pages
from projector.history.lines import ENTITIES, Line
from projector.history.snapshot import snapshot as take_snapshot
from projector.history.timeline import Entry, parsed_moment, timelines
from projector.process import relax_gc, run
from projector.rebuild.replay import Replay, drop_replay
from projector.rebuild.replay import replay as make_replay

LONGEST_VALUE = 60
POLL_SECONDS = 0.5
LATEST = "latest"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(timeline)
    app.command()(changes)
    app.command()(snapshot)
    app.command()(replay)


def timeline(
    who: Annotated[str, typer.Argument(help="A user id, any e-mail ever had, a group id or name.")],
    since: Annotated[str | None, typer.Option(help="A date or time, ISO 8601; UTC.")] = None,
    until: Annotated[str | None, typer.Option(help="The same; not included.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Tell the whole story of a person or a group, change by change."""
    settings = start()
    first, last = moment_of("--since", since), moment_of("--until", until)

    async def work(database: Database) -> int:
        count = 0
        async for entry in timelines(database, who, first, last):
            put(json.dumps(entry.as_json(), ensure_ascii=False) if as_json else line_of(entry))
            count += 1
        return count

    if not run(on_database(settings, work, size=1)):
        say("nothing is known to have happened in that time")


def moment_of(option: str, text: str | None) -> datetime | None:
    """A time as an option gives it. Raises ConfigurationError."""
    try:
        return None if text is None else parsed_moment(text)
    except ValueError:
        raise ConfigurationError(
            f"{option} takes a date or a time such as 2026-03-03 or 2026-03-03T09:30+01:00"
        ) from None


def line_of(entry: Entry) -> str:
    """An entry as one line for a person."""
    parts = [f"{entry.at:%F %T}", f"#{entry.position}", _what(entry)]
    if entry.by:
        parts.append(f"by {entry.by}")
    if entry.source not in (None, "webhook"):
        parts.append(f"({entry.source})")
    if entry.late and entry.received_at is not None:
        parts.append(f"came late, received {entry.received_at:%F %T}")
    return "  ".join(printable(part) for part in parts)


def _what(entry: Entry) -> str:
    group = entry.group_name or entry.group_id
    match entry.entity:
        case "sign_in":
            return f"{entry.after}: {entry.path}"
        case "membership" | "group_admin":
            role = "member" if entry.entity == "membership" else "admin"
            verb = "became" if entry.after else "ended as"
            whom = "" if entry.group_name is not None else f" {entry.user_id}"
            return f"{verb} {role} of {group}{whom}"
        case entity:
            return f"{entity} {entry.path}: {_value(entry.before)} -> {_value(entry.after)}"


def _value(value: Any) -> str:
    """A value as a line shows it; a dash where there is none."""
    text = "-" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def changes(
    follow: Annotated[bool, typer.Option("--follow", help="Go on as the log grows.")] = False,
    after: Annotated[
        str | None,
        typer.Option(help="A cursor; default: the start of the log. latest: from now on."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    entity: Annotated[
        str | None,
        typer.Option(
            help="Only of these kinds, comma-separated.",
            autocompletion=several_of(sorted(ENTITIES)),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Tell what changed, in the order of the log, each change once."""
    settings = start()
    kinds = _kinds(entity)

    async def work(database: Database) -> None:
        async for line, cursor in _feed(database, after, follow=follow):
            subject = line.subject
            if account in (None, subject.account_id) and (not kinds or subject.entity in kinds):
                _put_line(line, cursor, as_json=as_json)

    with suppress(KeyboardInterrupt, BrokenPipeError):
        run(cancel_on_sigterm(on_database(settings, work, size=2)))


async def _feed(
    database: Database, after: str | None, *, follow: bool
) -> AsyncIterator[tuple[Line, Cursor]]:
    if after is None:
        cursor = await cursor_at_start(database)
    elif after == LATEST:
        cursor = await cursor_at(database, await folded_up_to(database))
    else:
        cursor = parsed_cursor(after)
    while True:
        async for page in pages(database, cursor):
            for line in page.lines:
                yield line
            cursor = page.cursor
            sys.stdout.flush()
        if not follow:
            return
        await asyncio.sleep(POLL_SECONDS)


def _kinds(entity: str | None) -> frozenset[str]:
    kinds = frozenset(filter(None, (entity or "").replace(" ", "").split(",")))
    if kinds - ENTITIES:
        raise ConfigurationError(f"--entity takes some of {', '.join(sorted(ENTITIES))}")
    return kinds


def _put_line(line: Line, cursor: Cursor, *, as_json: bool) -> None:
    if as_json:
        put(json.dumps(line.as_json(str(cursor)), ensure_ascii=False))
        return
    subject = line.subject
    whose = (
        subject.entity_id
        if subject.group_id in (None, subject.entity_id)
        else (f"{subject.entity_id} in {subject.group_id}")
    )
    what = (
        f"{line.path}: {_side(line.before)} -> {_side(line.after)}"
        if line.kind == "change"
        else f"told anew: {_value(line.values)}"
    )
    parts = [f"#{line.position}", f"{subject.entity} {whose}", what]
    if line.changed_at is not None:
        parts.insert(1, f"{line.changed_at:%F %T}")
    if line.late:
        parts.append("late")
    put("  ".join(printable(part) for part in parts))


def _side(value: Any) -> str:
    return "-" if value is ABSENT else _value(value)


def snapshot(
    file: Annotated[str, typer.Argument(help="A file; - is standard output.")],
    overwrite: Overwrite = False,
) -> None:
    """Write the present directory as NDJSON; its first line holds the cursor for `changes --after`."""
    settings = start()

    async def work(database: Database) -> int:
        count = 0
        with target(file, overwrite=overwrite) as out:
            async for one in take_snapshot(database):
                if isinstance(one, Cursor):
                    document = {"kind": "snapshot", "cursor": str(one), "position": one.position}
                else:
                    document = one.as_json(None)
                    count += 1
                out.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
            out.write(json.dumps({"kind": "end", "lines": count}).encode() + b"\n")
        return count

    say(f"wrote {run(cancel_on_sigterm(on_database(settings, work, size=2))):,} entities")


def replay(
    into: Annotated[str, typer.Option(help="The schema to make, or with --drop to remove.")],
    known_at: Annotated[
        str | None, typer.Option(help="A position of the log, or a date or time, ISO 8601; UTC.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Only what had happened by then, as far as it was known.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, max=256, help="As of rebuild.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Remove a replay.")] = False,
) -> None:
    """Fold what was known then into views in a schema of their own."""
    settings = start()
    if drop:
        if known_at is not None or at is not None:
            raise ConfigurationError("--drop goes with --into alone; leave out --known-at and --at")
        run(on_database(settings, lambda database: drop_replay(database, into)))
        say(f"dropped {into}")
        return
    if known_at is None:
        raise ConfigurationError("say --known-at: a position of the log, or a time")
    wanted = Replay(into, _position_or_moment(known_at), moment_of("--at", at))

    async def work(database: Database) -> int:
        with progress("replay") as report:
            return await make_replay(database, wanted, report, processes=processes)

    relax_gc()
    position = run(cancel_on_sigterm(on_database(settings, work, size=16)))
    say(
        f"replayed up to position {position:,}; its views are in schema {into}: {into}.users and so on"
    )


def _position_or_moment(text: str) -> int | datetime:
    if text.isascii() and text.isdigit():
        return int(text)
    moment = moment_of("--known-at", text)
    assert moment is not None  # noqa: S101  there is a text
    return moment
