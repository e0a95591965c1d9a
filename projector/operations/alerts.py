"""The alerting rules for Prometheus, which ship as a text."""

from importlib.resources import files
from typing import Final

RUNBOOK: Final = "docs/runbook.md"


def alert_rules(runbook: str = RUNBOOK) -> str:
    """Return the rule file as YAML; each alert points to its paragraph of `runbook`, a path or URL."""
    text = files(__package__).joinpath("rules.yml").read_text(encoding="utf-8")
    return text.replace(f"runbook_url: {RUNBOOK}#", f"runbook_url: {runbook}#")
