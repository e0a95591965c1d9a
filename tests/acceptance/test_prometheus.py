"""A real Prometheus with the product's rules: a process breaks, and exactly the expected alert fires.

What becomes of the data is in test_prometheus_data.py: two files run side by side.
"""

import asyncio
from pathlib import Path

import pytest

from projector.operations.alerts import alert_rules
from tests.acceptance.breakages import OF_PROCESSES
from tests.acceptance.breaking import break_one_after_another, own_server
from tests.acceptance.prometheus_rig import MOST, quickened


def test_only_the_times_of_the_quick_rules_differ() -> None:
    before, after = alert_rules().splitlines(), quickened(alert_rules()).splitlines()
    changed = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert ("        for: 6h", f"        for: {MOST}s") in changed
    assert all("for: " in old or "[" in old for old, _ in changed)
    times = [line for line in before if line.strip().startswith("for:") or "m]" in line]
    assert len(times) == sum(line.strip().startswith("for:") or "s]" in line for line in after)


@pytest.mark.binary("prometheus")
def test_one_process_after_another_breaks_and_exactly_its_alert_fires(tmp_path: Path) -> None:
    with own_server() as server:
        asyncio.run(break_one_after_another(server, tmp_path, OF_PROCESSES))
