"""The catalogue is the only list of events, and its entries are valid."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projector.zoom.bodies import SECRETS
from projector.zoom.catalogue import CATALOGUE, EVENTS, Catalogue, EventType

ROOT = Path(__file__).parent.parent.parent
SENT = set(CATALOGUE.by_sent_name)
# The simulated Zoom names events freely.
MODULES = sorted(
    path
    for path in (ROOT / "projector").rglob("*.py")
    if path.name != "catalogue.py" and "simulator" not in path.parts
)


def spelled(tree: ast.AST) -> Iterator[str]:
    """Names of events in code, except as keys of a mapping."""
    keys = {
        key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys if key
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in SENT and node not in keys:
            yield str(node.value)


def test_no_code_but_the_mapping_of_a_projection_names_an_event() -> None:
    mapped = 0
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert list(spelled(ast.parse(text))) == [], path
        if path.parent.name == "projections":
            mapped += sum(f'"{name}": ' in text for name in EVENTS)
        else:
            assert not any(f'"{name}"' in text for name in SENT), path
    assert mapped >= len(EVENTS)


def test_sql_lists_no_events_or_all_of_them() -> None:
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        named = set(re.findall(r"'((?:user|group)\.[a-z_]+)'", path.read_text(encoding="utf-8")))
        assert named in (set(), set(EVENTS)), path


def test_no_field_that_folds_read_is_a_secret() -> None:
    def names(fields: Any) -> set[str]:
        return set(fields).union(
            *(names(inner) for inner in fields.values() if isinstance(inner, dict))
        )

    for row in CATALOGUE.rows:
        assert not names(row.reads or {}) & SECRETS


def test_a_name_stands_in_the_catalogue_once() -> None:
    with pytest.raises(ValueError, match="share a name"):
        Catalogue([EventType("user.x"), EventType("user.y", aliases=("user.x",))])
