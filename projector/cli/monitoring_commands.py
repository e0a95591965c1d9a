"""`alerts` and `dashboard`: what Prometheus and Grafana need to watch this release."""

import json
import re
from typing import Annotated, Final

import typer

from projector.cli.running import put
from projector.errors import ConfigurationError
from projector.operations.alerts import RUNBOOK, alert_rules
from projector.operations.dashboard import dashboard as grafana_dashboard

# What stands in YAML as it is.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._~:/?=&%+@-]*")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(alerts)
    app.command()(dashboard)


def alerts(
    runbook: Annotated[
        str, typer.Option(help="Path or URL of the runbook, to which every alert points.")
    ] = RUNBOOK,
) -> None:
    """Print Prometheus alerting rules that fit this release."""
    if not _ADDRESS.fullmatch(runbook):
        raise ConfigurationError(
            "--runbook takes a path or URL, such as https://wiki.example/runbook.md; leave its anchor out"
        )
    put(alert_rules(runbook).rstrip("\n"))


def dashboard() -> None:
    """Print a Grafana dashboard that fits this release, as JSON."""
    put(json.dumps(grafana_dashboard(), indent=2, ensure_ascii=False))
