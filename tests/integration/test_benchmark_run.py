"""The benchmark suite runs and reports; no test depends on speed."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.figures import Row, Target, ratios, spread
from tests.benchmarks.mixed_log import MixedLog

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_help_names_every_benchmark() -> None:
    said = run("--help")
    for name in ("ingress-16k", "projection", "delay", "rebuild", "memory", "append", "--large"):
        assert name in said


def test_a_tiny_run_reports_table_and_json(server: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--only", "append", "--events", "200", "--rounds", "2", "--json", str(file)]
    said = run(*arguments, "--database-url", server)
    assert "append at 200 rows" in said
    # The tests' server is not durable: a report must say that.
    assert "not durable" in said
    document = json.loads(file.read_bytes())
    assert document["machine"]["durable"] is False
    assert document["machine"]["postgresql"]
    [row] = document["rows"]
    assert row["name"] == "append"
    assert len(row["product"]["rounds"]) == len(row["baseline"]["rounds"]) == 2
    assert 0 < row["product"]["least"] <= row["product"]["median"] <= row["product"]["most"]
    assert row["target"] == {"reach": 0.9, "aim": 0.97, "better": "higher"}


def test_the_mixed_log_is_the_same_every_time() -> None:
    first, again = (list(MixedLog(users=500, groups=20).deliveries(3000)) for _ in range(2))
    assert first == again
    assert [made.body for made in MixedLog(users=500, groups=20, seed=2).deliveries(3000)] != [
        made.body for made in first
    ]


def test_the_mixed_log_has_its_shares() -> None:
    made = list(MixedLog().deliveries(10_000))
    assert len({hashlib.sha256(each.body).digest() for each in made}) == 10_000
    bodies = [json.loads(each.body) for each in made]
    assert [(b["event"], b["event_ts"]) for b in bodies] == [(m.event, m.event_ts) for m in made]
    shares = Counter(each.event for each in made)
    assert shares["user.presence_status_updated"] == 7000
    assert shares["user.updated"] == 1000
    assert shares["group.member_added"] + shares["group.member_deleted"] == 1000
    assert shares["user.signed_in"] + shares["user.signed_out"] == 500
    assert 400 < sum(len(each.body) for each in made) / 10_000 < 500
    late = sum(after.event_ts < before.event_ts for before, after in pairwise(made))
    assert late == 49


def test_a_row_is_judged_by_its_ratio() -> None:
    target = Target(0.5, 0.7)
    product, baseline = spread([60.0, 80.0]), spread([100.0, 100.0])
    ratio = ratios(product.rounds, baseline.rounds)
    assert (ratio.least, ratio.median, ratio.most) == (0.6, 0.7, 0.8)
    row = Row("x", "x", "1/s", product, "y", baseline, ratio, target)
    assert row.verdict == "aim"
    assert target.reached(0.6) == "reach"
    assert target.reached(0.4) == "no"
    assert Target(250, 50, "lower").reached(51) == "reach"
    assert Target(250, 50, "lower").reached(251) == "no"


def test_no_ratio_is_claimed_of_a_generator_that_is_too_slow() -> None:
    row = Row("x", "x", "1/s", spread([1.0]), target=Target(0.5, 0.7), note="generator-bound")
    assert row.verdict == ""
