"""The dashboard, of three rows: is everything arriving, is it folded, can it be believed."""

from typing import Any

from projector.operations.grafana import as_json
from projector.operations.panels_arriving import ARRIVING
from projector.operations.panels_believed import BELIEVED
from projector.operations.panels_folded import FOLDED


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana's JSON."""
    return as_json("Directory projector", "directory-projector", (ARRIVING, FOLDED, BELIEVED))
