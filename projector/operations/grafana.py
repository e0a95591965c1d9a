"""A dashboard as Grafana's JSON: panels as values, laid out from left to right.

The JSON keeps to the stable part of Grafana's schema, version 39: that of Grafana 10.4; later ones read it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SCHEMA_VERSION: Final = 39
COLUMNS: Final = 24

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_STAT_HEIGHT: Final = 4
_GRAPH_HEIGHT: Final = 8


@dataclass(frozen=True, slots=True)
class Graph:
    """A time series. `queries`: PromQL by legend; `unit`: Grafana's id of a unit; `width` in columns."""

    title: str
    description: str
    queries: Mapping[str, str]
    unit: str = "short"
    width: int = 8

    height = _GRAPH_HEIGHT

    def as_json(self) -> dict[str, Any]:
        """The panel without its id and place."""
        custom = {"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}
        return {
            "type": "timeseries",
            "fieldConfig": {
                "defaults": {"unit": self.unit, "min": 0, "custom": custom},
                "overrides": [],
            },
            "options": {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
        }


@dataclass(frozen=True, slots=True)
class Number:
    """One number, coloured: green below `warn`, orange from there, red from `wrong`; None: no such colour.

    `falling`: a small number is the bad one; red below `wrong`, orange below `warn`.
    """

    title: str
    description: str
    query: str
    unit: str = "short"
    warn: float | None = None
    wrong: float | None = None
    falling: bool = False
    width: int = 4

    height = _STAT_HEIGHT

    @property
    def queries(self) -> Mapping[str, str]:
        """The one query, without a legend."""
        return {"": self.query}

    def as_json(self) -> dict[str, Any]:
        """The panel without its id and place."""
        return {
            "type": "stat",
            "fieldConfig": {
                "defaults": {
                    "unit": self.unit,
                    "noValue": "unknown",
                    "thresholds": {"mode": "absolute", "steps": self._steps()},
                },
                "overrides": [],
            },
            "options": {
                "colorMode": "background",
                "graphMode": "none",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "textMode": "value",
            },
        }

    def _steps(self) -> list[dict[str, Any]]:
        bounds = {"orange": self.warn, "red": self.wrong}
        known = {color: bound for color, bound in bounds.items() if bound is not None}
        if not self.falling:
            return [_step("green", None), *(_step(*each) for each in known.items())]
        ordered = sorted(known.items(), key=lambda each: each[1])
        begins = [None, *(bound for _color, bound in ordered)]
        colors = [*(color for color, _bound in ordered), "green"]
        return [_step(*each) for each in zip(colors, begins, strict=True)]


def _step(color: str, value: float | None) -> dict[str, Any]:
    return {"color": color, "value": value}


Panel = Graph | Number


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the dashboard: a question, and the panels that answer it."""

    title: str
    panels: Sequence[Panel]


def as_json(title: str, uid: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the dashboard's JSON; `uid` is its name in Grafana's addresses."""
    return {
        "uid": uid,
        "title": title,
        "tags": [uid],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source_variable()]},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_placed(rows)),
    }


def _source_variable() -> dict[str, Any]:
    return {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
        "hide": 0, "includeAll": False, "multi": False, "refresh": 1, "regex": "",
    }  # fmt: skip


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Every row and panel with an id and a place; a panel that does not fit begins a new line."""
    number, y = 0, 0
    for row in rows:
        number += 1
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {
            "id": number, "type": "row", "title": row.title, "collapsed": False,
            "gridPos": place, "panels": [],
        }  # fmt: skip
        x, y, height = 0, y + 1, 0
        for panel in row.panels:
            number += 1
            if x + panel.width > COLUMNS:
                x, y, height = 0, y + height, 0
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x, height = x + panel.width, max(height, panel.height)
        y += height


def _panel(panel: Panel, number: int, place: Mapping[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
        for n, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": targets,
        **panel.as_json(),
    }
