"""The alerting rules, on metrics as they would be: fires, not yet, ends, and what happens without data."""

import re
from pathlib import Path

import pytest

from projector.operations.alerts import alert_rules
from tests.alert_stories import FIRES, STAYS_CALM, Story, without
from tests.alert_world import BREAKS, STEP, gone
from tests.monitoring import (
    RUNBOOK,
    base,
    names_in,
    page,
    promtool,
    rule_test,
    rules,
    run_rule_tests,
    seconds_of,
)

RULES = {rule["alert"]: rule for rule in rules()}
GUARD = "ProjectorDataMissing"
INPUTS = sorted(
    {name for rule in rules() if rule["alert"] != GUARD for name in names_in(rule["expr"])}
)
# Whose absence means that a whole kind of process is away.
OF_A_PROCESS = {
    "projector_ready": "ProjectorIngressGone",
    "projector_log_head_position": "ProjectorProjectorsGone",
}
by_name = pytest.mark.parametrize("story", FIRES, ids=lambda story: story.name.replace(" ", "-"))
prometheus = pytest.mark.binary("promtool")


@prometheus
def test_promtool_finds_nothing_wrong_with_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(alert_rules("https://wiki.example/runbook.md"), encoding="utf-8")
    ran = promtool("check", "rules", file)
    assert ran.returncode == 0, ran.stderr
    assert f"{len(RULES)} rules found" in ran.stdout


@prometheus
@by_name
def test_it_fires_not_before_its_time_alone_and_ends(story: Story, tmp_path: Path) -> None:
    assert story.alert is not None
    true_from = BREAKS + story.late
    fires = true_from + seconds_of(RULES[story.alert].get("for", "0s"))
    false_from = BREAKS + story.lasts + story.lingers
    assert fires < BREAKS + story.lasts
    alert = {"alertname": story.alert, **story.labels}
    expected = {
        BREAKS - STEP: [], fires - STEP: [], fires: [alert], BREAKS + story.lasts - STEP: [alert],
        false_from: [], false_from + 900: [],
    }  # fmt: skip
    if story.lingers:
        expected[false_from - STEP] = [alert]
    assert not run_rule_tests(tmp_path, [rule_test(story.world(), expected)])


@prometheus
@pytest.mark.parametrize("story", STAYS_CALM, ids=lambda story: story.name.replace(" ", "-"))
def test_it_stays_calm_when(story: Story, tmp_path: Path) -> None:
    ends = int(BREAKS + story.lasts)
    seconds = range(BREAKS - STEP, ends + 1800, STEP)
    expected: dict[float, list[dict[str, str]]] = {second: [] for second in seconds}
    assert not run_rule_tests(tmp_path, [rule_test(story.world(), expected)])


@prometheus
@pytest.mark.parametrize("metric", INPUTS)
def test_without_one_of_its_metrics_an_alert_is_missed_aloud(metric: str, tmp_path: Path) -> None:
    told = page()[base(metric)]
    if told.when != "always":
        alerts = []  # it may be absent; that its process is away shows in others
    elif metric in OF_A_PROCESS:
        alerts = [{"alertname": OF_A_PROCESS[metric]}]
    else:
        alerts = [{"alertname": GUARD, "metric": metric}]
    expected = {BREAKS - STEP: [], BREAKS + 900: alerts}
    assert not run_rule_tests(tmp_path, [rule_test(without(metric), expected)])


@prometheus
def test_with_no_data_at_all_both_kinds_of_process_are_missed(tmp_path: Path) -> None:
    world = Story("", {"{": gone}, None, lasts=3600).world()
    alerts = [{"alertname": name} for name in OF_A_PROCESS.values()]
    expected = {BREAKS - STEP: [], BREAKS + 90: [], BREAKS + 120: alerts, BREAKS + 1800: alerts}
    assert not run_rule_tests(tmp_path, [rule_test(world, expected)])


def test_every_alert_has_its_story() -> None:
    assert {story.alert for story in FIRES} | {GUARD} == set(RULES)


def test_the_guard_asks_for_every_metric_that_is_always_there() -> None:
    always = {metric for metric in INPUTS if page()[base(metric)].when == "always"}
    asked = re.findall(r'absent\((\w+)\), "metric", "(\w+)", "", ""', RULES[GUARD]["expr"])
    assert all(metric == label for metric, label in asked)
    assert {metric for metric, _ in asked} == always - set(OF_A_PROCESS)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_says_what_is_wrong_and_where_to_read_on(name: str) -> None:
    rule = RULES[name]
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert notes["summary"].endswith(".")
    assert len(notes["summary"]) <= 70
    assert notes["description"].endswith(".")
    assert notes["runbook_url"] == f"docs/runbook.md#{name.lower()}"


def test_the_runbook_has_one_paragraph_for_each_alert_in_their_order() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(RULES)


def test_each_paragraph_says_what_it_means_what_to_do_and_when_it_ends() -> None:
    parts = re.split(r"^### (\w+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    leads = ["Means", "Noticed", "Look", "Do", "Ends"]
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        paragraph = re.split(r"^## ", text, flags=re.MULTILINE)[0].strip()
        assert "\n\n" not in paragraph, name
        found = re.findall(r"\*\*([A-Z][a-z]+):?\*\*", paragraph)
        assert [lead for lead in found if lead in leads] == leads, name


def test_the_runbook_can_stand_elsewhere() -> None:
    told = alert_rules("https://wiki.example/runbook.md")
    assert told.count("runbook_url: https://wiki.example/runbook.md#projector") == len(RULES)
