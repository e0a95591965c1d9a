"""How a command shows one event: its row of the log, and its body, redacted."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from projector.cli.running import printable, put
from projector.log.read import LogRow
from projector.operations.shown_body import ShownBody, shown_body

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show personal values too; secrets never show.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, and whole.")]

# Of a body on a terminal; --json prints the whole.
MOST_LINES: Final = 400
LONGEST_LINE: Final = 500


def put_json(value: Any) -> None:
    """Print a value as JSON, times as ISO 8601."""
    put(json.dumps(value, indent=2, ensure_ascii=False, default=_text_of))


def _text_of(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def put_row(*values: object) -> None:
    """Print a line of tab-separated values."""
    put("\t".join(printable(value) for value in values))


def put_fields(fields: Mapping[str, object]) -> None:
    """Print named values, a line each; those that are None are left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    width = max(map(len, told), default=0)
    for name, value in told.items():
        put(f"{name:<{width}}  {printable(_text_of(value))}")


def event_fields(row: LogRow) -> dict[str, object]:
    """What the log knows of an event beside its body."""
    return {
        "position": row.position,
        "event": row.event,
        "event_ts": row.event_ts,
        "received_at": row.received_at,
        "source": row.source,
        "account_id": row.account_id,
        "request_id": row.request_id,
        "digest": row.digest.hex(),
        "bytes": None if row.body is None else len(row.body),
    }


def body_fields(body: bytes | None, *, reveal: bool) -> dict[str, Any]:
    """A body as a member of a JSON document: redacted, or why there is none to show."""
    shown = shown_body(body, reveal=reveal)
    return {"body": shown.value, "body_not_shown": shown.why_not}


def put_body(body: bytes | None, *, reveal: bool) -> None:
    """Print a body for a person: redacted, at most some hundred lines, none of which steers the terminal."""
    shown = shown_body(body, reveal=reveal)
    if shown.why_not is not None:
        put(f"{shown.why_not}, and does not show")
        return
    put("body" if reveal else "body, redacted; --reveal shows personal values")
    for line in _cut(_lines(shown)):
        put(line)


def _lines(shown: ShownBody) -> list[str]:
    text = json.dumps(shown.value, indent=2, ensure_ascii=False)
    return [printable(line) for line in text.split("\n")]


def _cut(lines: list[str]) -> Iterator[str]:
    for line in lines[:MOST_LINES]:
        yield line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
    if len(lines) > MOST_LINES:
        yield f"… and {len(lines) - MOST_LINES:,} more lines, which --json prints"


def at_positions(positions: Iterable[int]) -> str:
    """Say where acts stand in the log."""
    told = sorted(positions)
    if len(told) == 1:
        return f"recorded at position {told[0]}"
    return f"recorded at positions {told[0]} to {told[-1]}"
