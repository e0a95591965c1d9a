"""`reconcile`: what Zoom's REST API shows, compared with the directory; once or as a service."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from typing import Annotated, Final, Self

import typer
from prometheus_client import CollectorRegistry
from rich.table import Table
from rich.text import Text

from projector.cli.completion_command import several_of
from projector.cli.operator_options import By, acting
from projector.cli.progress import Report, progress
from projector.cli.running import (
    cancel_on_sigterm,
    database_url,
    open_checked,
    printable,
    put,
    say,
    start,
    table_console,
)
from projector.cli.shown_event import at_positions
from projector.config import Settings
from projector.errors import ConfigurationError
from projector.exposition import new_registry
from projector.health_port import serve_health
from projector.observations.forecast import Forecast, forecast
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import Options
from projector.observations.run import reconcile as run_once
from projector.observations.service import Plan, Service
from projector.operations.gauges import DatabaseGauges, nothing_more
from projector.operations.reconciliation import options_of, reconcile_one
from projector.process import STOP_SIGNALS, Signalled, cancel_on, relax_gc, run
from projector.rest.session import open_client

UP_SECONDS: Final = 6 * 3600.0

_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%?")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(
    only: Annotated[
        str | None,
        typer.Option(
            help="Sections, comma-separated: deliveries, groups, users, settings.",
            autocompletion=several_of([section.value for section in Section]),
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compare and tell; append nothing.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(help="Again and again, as a service: 30m, 6h, 1d.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="One person alone, by id or e-mail.")] = None,
    max_removals: Annotated[
        str, typer.Option(help="The largest part of the directory that one reading may remove.")
    ] = "5%",
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
    by: By = None,
) -> None:
    """Compare Zoom with the directory through its REST API, and repair what differs."""
    settings = start()
    options = replace(options_of(settings), dry_run=dry_run, max_removals=_share(max_removals))
    sections = sections_of(only, options)
    if every is not None:
        if person is not None or dry_run or as_json:
            raise ConfigurationError(
                "--every runs as a service; leave out --person, --dry-run and --json, or --every"
            )
        with suppress(Signalled):
            plan = Plan(sections, options, _seconds(every))
            run(cancel_on(STOP_SIGNALS, _serve(settings, plan)))
        return
    who = acting(by)
    with _Bars() as report:
        outcomes, missing, act = run(
            cancel_on_sigterm(_once(settings, sections, options, (person, who), report))
        )
    _show(outcomes, missing, as_json=as_json)
    if act is not None:
        say(at_positions([act]))
    if not all(outcome.complete for outcome in outcomes):
        raise typer.Exit(1)


def sections_of(only: str | None, options: Options) -> tuple[Section, ...]:
    """The sections to read, in their order: those named, else all that can be. Raises ConfigurationError."""
    if only is None:
        return tuple(s for s in Section if s is not Section.DELIVERIES or options.app_id)
    named = {name.strip() for name in only.split(",") if name.strip()}
    if not named or named - {section.value for section in Section}:
        raise ConfigurationError(
            f"--only takes {', '.join(Section)}, separated by commas; name some of these, or leave it out"
        )
    return tuple(section for section in Section if section.value in named)


def _share(text: str) -> float:
    found = _PERCENT.fullmatch(text.strip())
    if found is None or float(found[1]) > 100:  # noqa: PLR2004  percent
        raise ConfigurationError("--max-removals takes a part from 0% to 100%, such as 5%")
    return float(found[1]) / 100


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise ConfigurationError("--every takes a time such as 30m, 6h or 1d")
    return float(int(found[1]) * _UNITS[found[2]])


async def _once(
    settings: Settings,
    sections: Sequence[Section],
    options: Options,
    asked: tuple[str | None, str],
    report: "_Bars",
) -> tuple[Sequence[Outcome], Forecast | None, int | None]:
    """The outcomes; before a dry run also what is missing; the position of the act, if there is one.

    `asked`: the person, if it is about one alone, and who asks.
    """
    person, who = asked
    relax_gc()
    async with open_client(settings) as client, open_checked(settings) as database:
        missing = await forecast(client, database) if options.dry_run else None
        if person is not None:
            outcomes, act = await reconcile_one(client, database, person, options, report, who)
            return outcomes, missing, act
        return await run_once(client, database, sections, options, report), missing, None


async def reconcile_until_cancelled(
    settings: Settings, url: str, registry: CollectorRegistry
) -> None:
    """Reconcile everything that can be, every six hours; its metrics are in `registry`."""
    options = options_of(settings)
    plan = Plan(sections_of(None, options), options, UP_SECONDS)
    await Service(settings, url, plan, registry).run()


async def _serve(settings: Settings, plan: Plan) -> None:
    relax_gc()
    registry = new_registry()
    gauges = DatabaseGauges(registry, nothing_more)
    url = database_url(settings)
    service = Service(settings, url, plan, registry)
    health = None
    if settings.health_port is not None:
        health = await serve_health(registry, settings.health_host, settings.health_port)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.run())
            tasks.create_task(gauges.run_on(url))
    finally:
        if health is not None:
            await health.cleanup()


class _Bars:
    """A progress bar for each section, one after the other."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._section: Section | None = None
        self._report: Report | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, section: Section, done: int, total: int) -> None:
        if section is not self._section or self._report is None:
            self._stack.close()
            self._section = section
            bar: AbstractContextManager[Report] = progress(f"reconcile {section}", "read")
            self._report = self._stack.enter_context(bar)
        self._report(done, total)


def _show(outcomes: Sequence[Outcome], missing: Forecast | None, *, as_json: bool) -> None:
    if as_json:
        document = {
            "dry_run": missing is not None,
            **(missing._asdict() if missing is not None else {}),
            "complete": all(outcome.complete for outcome in outcomes),
            "sections": [
                {"section": outcome.section.value, "complete": outcome.complete, **outcome.counts(),
                 "unreadable": outcome.why}
                for outcome in outcomes
            ],
        }  # fmt: skip
        put(json.dumps(document, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("section", "read", "new", "repaired", "gone", "unreadable"):
        text = name in ("section", "unreadable")
        table.add_column(name, justify="left" if text else "right", no_wrap=name != "unreadable")
    for one in outcomes:
        counts = (f"{count:,}" for count in (one.read, one.new, one.repaired, one.gone))
        fields = (one.section.value, *counts, printable(one.why))
        table.add_row(*map(Text, fields))
    table_console().print(table)
    if missing is not None:
        _show_missing(missing)


def _show_missing(missing: Forecast) -> None:
    if missing.missing_scopes:
        put(f"scopes that the app lacks: {', '.join(missing.missing_scopes)}")
    if missing.never_received:
        put(f"events that never came: {', '.join(missing.never_received)}")
        put(
            "tick them in the app's event subscription, if they are not; docs/connect-zoom.md says where"
        )
