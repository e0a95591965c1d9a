"""Rules, dashboard and page of metrics as the tests read them, and runs of promtool."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from projector.operations.alerts import alert_rules
from projector.operations.dashboard import dashboard
from tests.alert_world import STEP, Series, World

ROOT = Path(__file__).parent.parent
METRICS_PAGE = ROOT / "docs" / "metrics.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
NAME = re.compile(r"\bprojector_[a-z0-9_]+")
PARTS_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
DURATION = re.compile(r"(\d+)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Metric(NamedTuple):
    """A row of the page of metrics. `when`: `always`, or what has to happen first."""

    name: str
    kind: str
    labels: frozenset[str]
    when: str
    served_by: str


@cache
def rules() -> list[dict[str, Any]]:
    """Every alerting rule, as printed."""
    return [rule for group in yaml.safe_load(alert_rules())["groups"] for rule in group["rules"]]


@cache
def page() -> dict[str, Metric]:
    """The metrics of the page, by name."""
    found: dict[str, Metric] = {}
    served_by = ""
    for line in METRICS_PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            served_by = line.removeprefix("## ")
        if not line.startswith("| `projector_"):
            continue
        name, kind, labels, when, *_ = (cell.strip() for cell in line.strip("|").split("|"))
        name = name.strip("`")
        assert name not in found, f"{name} stands in the page twice"
        found[name] = Metric(name, kind, frozenset(re.findall(r"`(\w+)`", labels)), when, served_by)
    return found


def base(name: str) -> str:
    """The name under which the page has a metric: a histogram's parts stand there as one."""
    for part in PARTS_OF_A_HISTOGRAM:
        whole = name.removesuffix(part)
        if (
            whole != name
            and page().get(whole, Metric("", "", frozenset(), "", "")).kind == "histogram"
        ):
            return whole
    return name


def names_in(expression: str) -> set[str]:
    """The metrics of ours that a PromQL expression reads."""
    return set(NAME.findall(expression))


def panels() -> Iterator[dict[str, Any]]:
    """The panels of the dashboard, as Grafana would read them."""
    yield from json.loads(json.dumps(dashboard()))["panels"]


def dashboard_queries() -> Iterator[str]:
    """Every query of the dashboard."""
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", ()))


def seconds_of(duration: str) -> int:
    """A duration of Prometheus, such as 1h30m, in seconds."""
    return sum(int(number) * SECONDS[unit] for number, unit in DURATION.findall(duration))


def promtool(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    return subprocess.run(
        ["promtool", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rule_test(
    world: World, expected: Mapping[float, Iterable[Mapping[str, str]]]
) -> dict[str, Any]:
    """A test of promtool: exactly which alerts fire at which second."""
    until = max(expected)
    return {
        "interval": f"{STEP}s",
        "input_series": [
            {"series": name, "values": _samples(series, until)} for name, series in world.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'ALERTS{alertstate="firing"}',
                "eval_time": f"{second:.0f}s",
                "exp_samples": [{"labels": _alert(labels), "value": 1} for labels in alerts],
            }
            for second, alerts in sorted(expected.items())
        ],
    }


def _samples(series: Series, until: float) -> str:
    values: list[str] = []
    known = False
    for second in range(0, int(until) + 2 * STEP, STEP):
        value = series(second)
        values.append(("stale" if known else "_") if value is None else f"{value:.4f}")
        known = value is not None
    return " ".join(_repeated(value, len(list(same))) for value, same in groupby(values))


def _repeated(value: str, times: int) -> str:
    """So many equal samples in promtool's notation, which repeats `_x5` five times and `1x5` six times."""
    return f"{value}x{times}" if value == "_" else f"{value}x{times - 1}" if times > 1 else value


def _alert(labels: Mapping[str, str]) -> str:
    severity = next(r for r in rules() if r["alert"] == labels["alertname"])["labels"]["severity"]
    every = {"alertstate": "firing", "severity": severity, **labels}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in every.items()) + "}"


def run_rule_tests(folder: Path, tests: Iterable[Mapping[str, Any]]) -> str:
    """Run tests of promtool on the printed rules; returns what fails, or an empty text."""
    (folder / "rules.yml").write_text(alert_rules(), encoding="utf-8")
    file = folder / "tests.yml"
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{STEP}s",
        "tests": list(tests),
    }
    file.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    ran = promtool("test", "rules", file)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
