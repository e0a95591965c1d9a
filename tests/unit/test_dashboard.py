"""The dashboard: what Grafana needs to draw it, and nothing that the product does not measure."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from projector.operations.dashboard import dashboard
from tests.command_rig import projector
from tests.monitoring import base, dashboard_queries, names_in, page, panels, promtool

COLUMNS = 24
KINDS = {"row", "timeseries", "stat"}


def test_it_is_printed_as_json_and_needs_no_database() -> None:
    ran = projector("dashboard", database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert (ran.code, ran.said) == (0, "")
    assert json.loads(ran.text) == dashboard()


def test_the_rules_are_printed_and_need_no_database() -> None:
    ran = projector("alerts", "--runbook", "https://wiki.example/r.md")
    assert (ran.code, ran.said) == (0, "")
    assert "runbook_url: https://wiki.example/r.md#projectorstuck\n" in ran.text


@pytest.mark.parametrize("runbook", ["a b", "r.md#here", "'r.md", "- x", ""])
def test_a_runbook_that_would_break_the_rules_is_refused(runbook: str) -> None:
    ran = projector("alerts", f"--runbook={runbook}")
    assert ran.code == 2 or "--runbook takes" in ran.sentence()


def test_every_panel_has_an_id_of_its_own_and_a_title_of_its_own() -> None:
    found = list(panels())
    assert len({panel["id"] for panel in found}) == len(found)
    assert len({panel["title"] for panel in found}) == len(found)
    assert {panel["type"] for panel in found} == KINDS


def test_no_two_panels_overlap_and_none_leaves_the_grid() -> None:
    places = [panel["gridPos"] for panel in panels()]
    for place in places:
        assert place["x"] >= 0
        assert place["w"] > 0
        assert place["h"] > 0
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_every_panel_says_what_it_shows_in_which_unit_and_whose_data() -> None:
    for panel in panels():
        if panel["type"] == "row":
            continue
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        source = {"type": "prometheus", "uid": "${datasource}"}
        assert panel["datasource"] == source
        assert panel["targets"]
        assert {target["refId"] for target in panel["targets"]} <= set("ABCDEFGH")
        assert all(target["datasource"] == source for target in panel["targets"])


def test_the_data_source_is_a_variable() -> None:
    (variable,) = dashboard()["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    assert variable["query"] == "prometheus"


def test_every_query_reads_metrics_of_the_page() -> None:
    for query in dashboard_queries():
        read = names_in(query)
        assert read, query
        assert {base(name) for name in read} <= set(page()), query


def test_every_metric_of_the_page_is_looked_at_or_alerted_on() -> None:
    """A metric that nobody looks at is noise: it is taken out, or it stands in this list with its reason."""
    for_people_alone = {
        "projector_acknowledged_lost_total",  # beside projector_deliveries_lost
        "projector_quarantined_total",  # beside projector_quarantine_rows
        "projector_dead_letters_written_total",  # beside projector_dead_letters_open
        "projector_last_validation_timestamp_seconds",
        "projector_reconcile_read_total",
        "projector_reconcile_budget_left",
    }
    looked_at = {base(name) for query in dashboard_queries() for name in names_in(query)}
    assert set(page()) - looked_at == for_people_alone


@pytest.mark.binary("promtool")
def test_promtool_reads_every_query(tmp_path: Path) -> None:
    records = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(dashboard_queries())
    ]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": records}]}))
    ran = promtool("check", "rules", file)
    assert ran.returncode == 0, ran.stderr
