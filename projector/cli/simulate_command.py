"""`simulate`: plays Zoom, its deliveries and if asked its REST API."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import typer
from yarl import URL

from projector.cli.progress import progress
from projector.cli.running import (
    data_dir_of,
    database_url,
    on_database,
    put,
    say,
    start,
)
from projector.cli.up_secret import known_secret
from projector.config import Plan, Settings
from projector.errors import ConfigurationError, DatabaseUnavailable
from projector.listening import is_loopback, local_address
from projector.process import STOP_SIGNALS, Signalled, cancel_on, relax_gc, run
from projector.simulator.api.options import ApiOptions, Refusal
from projector.simulator.api.server import Api, serving_api
from projector.simulator.tally import Summary
from projector.simulator.zoom import PlayOptions, SimulatedZoom
from projector.state.status import accounts
from projector.zoom.accounts import is_simulated

API_PORT = 8099


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    url: Annotated[
        str | None, typer.Option(help="Where to deliver; default: the local ingress.")
    ] = None,
    events: Annotated[int, typer.Option(help="How many events.")] = 1000,
    users: Annotated[int, typer.Option(help="How many people the account has.")] = 50,
    before: Annotated[
        int, typer.Option(help="How many of them are there before the first event.")
    ] = 20,
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
    lose: Annotated[float, typer.Option(help="Share of deliveries that never arrive.")] = 0,
    time_scale: Annotated[float, typer.Option(help="Factor on Zoom's times between attempts.")] = 1
    / 3000,
    api: Annotated[
        bool, typer.Option("--api", help="Play Zoom's REST API too, also afterwards, until Ctrl-C.")
    ] = False,
    api_port: Annotated[int, typer.Option(help="Port of the API on 127.0.0.1.", min=0)] = API_PORT,
    api_plan: Annotated[Plan, typer.Option(help="Whose rates the API keeps to.")] = Plan.UNLIMITED,
    api_refuse: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="A scope that the API's tokens lack.")
    ] = None,
    among_real_accounts: Annotated[
        bool, typer.Option("--among-real-accounts", help="Deliver into a log of real accounts too.")
    ] = False,
) -> None:
    """Play Zoom: validate the URL, then deliver a simulated account's events, signed."""
    settings = start()
    target = url or _local_url(settings)
    options = PlayOptions(
        url=target, events=events, users=users, before=before, seed=seed, days=days, rate=rate,
        end_ms=None if until is None else round(until.replace(tzinfo=UTC).timestamp() * 1000),
        concurrency=concurrency, duplicates=duplicates, disorder=disorder, lose=lose,
        time_scale=time_scale,
    )  # fmt: skip
    refused = dict.fromkeys(api_refuse or (), Refusal.GRANULAR)
    behaviour = ApiOptions(plan=api_plan, refused=refused)
    secret = _secret(settings)
    if not among_real_accounts:
        run(_refuse_real_accounts(settings, target))
    if api:
        summary = run(_play_with_api(options, secret, behaviour, api_port))
    else:
        summary = run(_play(SimulatedZoom(options), secret))
    if summary.lost:
        raise typer.Exit(1)


async def _play(zoom: SimulatedZoom, secret: bytes) -> Summary:
    with progress("simulate") as report:
        summary = await zoom.deliver(secret, report)
    _print_summary(summary)
    return summary


async def _play_with_api(
    options: PlayOptions, secret: bytes, behaviour: ApiOptions, port: int
) -> Summary:
    zoom = SimulatedZoom(options)
    relax_gc()  # a walk through 100,000 people takes longer than the pages that call for it
    async with serving_api(
        Api(zoom.account, zoom.deliveries, behaviour), port, webhook=options.url
    ) as api:
        _print_environment(api)
        summary = await _play(zoom, secret)
        with suppress(Signalled):
            await cancel_on(STOP_SIGNALS, _go_on(api))
    return summary


async def _go_on(api: Api) -> None:
    say(f"still serving the API on {api.url}; stop it with Ctrl-C")
    await asyncio.Event().wait()


async def _refuse_real_accounts(settings: Settings, target: str) -> None:
    """Raise ConfigurationError where the target's log may hold what people really did."""
    try:
        # Asked for here, so that no database at all counts like one that does not answer.
        database_url(settings)
        seen = await on_database(settings, accounts, size=1)
    except (ConfigurationError, DatabaseUnavailable):
        if is_loopback(URL(target).host or ""):
            return
        raise ConfigurationError(
            "whether the log behind that URL holds real accounts cannot be seen from here; set "
            "PROJECTOR_DATABASE_URL to its database, or pass --among-real-accounts"
        ) from None
    if not all(map(is_simulated, seen)):
        raise ConfigurationError(
            "the log holds an account that is not simulated, and made-up people would mix with its "
            "people; use another database, or pass --among-real-accounts"
        )


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


def _print_environment(api: Api) -> None:
    """Print what a shell needs for `projector` to read this API."""
    credentials = api.credentials
    for name, value in (
        ("ACCOUNT_ID", credentials.account_id),
        ("CLIENT_ID", credentials.client_id),
        ("CLIENT_SECRET", credentials.client_secret),
        ("APP_ID", credentials.app_id),
        ("API_URL", api.url),
        ("TOKEN_URL", api.token_url),
        ("PLAN", api.options.plan),
    ):
        put(f"export PROJECTOR_ZOOM_{name}={value}")


def _print_summary(summary: Summary) -> None:
    put(
        f"delivered {summary.delivered:,} (duplicates {summary.duplicates:,}), retried "
        f"{summary.retried:,}, lost {sum(summary.lost.values()):,} in {summary.seconds:.1f} s"
    )
    for status, count in summary.lost.items():
        put(f"  lost after {status}: {count:,}")
    if summary.withheld:
        put(f"  never arrived, as asked by --lose: {summary.withheld:,}")
    if summary.p50_ms is not None:
        put(
            f"time to acknowledge: p50 {summary.p50_ms:.1f} ms, p95 {summary.p95_ms:.1f} ms, "
            f"p99 {summary.p99_ms:.1f} ms, max {summary.max_ms:.1f} ms"
        )
