"""The directory as of a moment: the views' own texts, made to read versions in place of rows.

A view file that says "-- as of: any moment too" also stands for functions. Of a view `state.x` or
`directory.x` that is `state.x_at(bound)`: the same query, in which each table is what it was at that bound
of event order. Of a function `state.f` it is `state.f_at(bound, ...)`. And `directory.x_at(moment)` is what
people call.

The functions of views are plain queries, parsed when they are created: the planner sees through them, and no
search_path changes what they mean.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

MARK: Final = "-- as of: any moment too\n"

# The tables that views are made of. Each has a view of its versions, `state.past_…`.
_TABLES: Final = (
    "users", "removed_emails", "sign_ins", "groups", "memberships", "group_admins", "observed_groups",
    "user_settings", "group_settings", "account_settings",
    "declared_models", "declared_rankings", "declared_primary_groups",
)  # fmt: skip
_TABLE: Final = re.compile(rf"\bstate\.({'|'.join(_TABLES)})\b")
_NEEDS: Final = re.compile(r"^-- needs: .*\n", re.MULTILINE)
_VIEW: Final = re.compile(
    r"^CREATE OR REPLACE VIEW (\w+)\.(\w+) AS\n(.*?);\n", re.DOTALL | re.MULTILINE
)
_FUNCTION: Final = re.compile(
    r"^CREATE OR REPLACE FUNCTION state\.(\w+)\(\n(.*?\n\$\$);\n", re.DOTALL | re.MULTILINE
)

# The versions that stood at the bound. In sub-selects, so that the bound is computed once a query.
_VERSIONS: Final = (
    r"(SELECT * FROM state.past_\1 WHERE folded < (SELECT p_bound) AND until >= (SELECT p_bound))"
)
_EVERYTHING: Final = (
    "users 3", "groups 3", "memberships 3", "group_admins 3", "sign_ins 2",
    "user_settings 3", "group_settings 3", "account_settings 2", "declarations 1",
)  # fmt: skip


def as_of_texts(files: Iterable[str]) -> Iterator[str]:
    """Yield the functions that the marked ones of these texts stand for, one text each."""
    marked = [text for text in files if MARK in text]
    names = [match[2] for text in marked for match in _VIEW.finditer(text) if match[1] == "state"]
    calls = [match[1] for text in marked for match in _FUNCTION.finditer(text)]
    for text in marked:
        made = sorted([*_functions(text, names, calls), *_views(text, names, calls)])
        needs = [*_NEEDS.findall(text), *(f"-- needs: {need}\n" for need in _EVERYTHING)]
        yield "".join([*needs, *(statement for _, statement in made)])


def _then(query: str, names: Iterable[str], calls: Iterable[str]) -> str:
    """A query that reads what was at the bound."""
    query = _TABLE.sub(_VERSIONS, query)
    query = re.sub(rf"(?<!SETOF )\bstate\.({'|'.join(names)})\b", r"state.\1_at(p_bound)", query)
    return re.sub(rf"\bstate\.({'|'.join(calls)})\(", r"state.\1_at(p_bound, ", query)


def _functions(text: str, names: Iterable[str], calls: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield (its place in the text, the statements) for each function."""
    for match in _FUNCTION.finditer(text):
        name, rest = match[1], _then(match[2], names, calls)
        statements = (
            f"CREATE OR REPLACE FUNCTION state.{name}_at(\n    p_bound bytea, {rest.lstrip()};\n"
            f"GRANT EXECUTE ON FUNCTION state.{name}_at TO PUBLIC;\n"
        )
        yield match.start(), statements


def _views(text: str, names: Iterable[str], calls: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the same for each view."""
    for match in _VIEW.finditer(text):
        schema, name, query = match[1], match[2], _then(match[3], names, calls)
        statements = (
            f"CREATE OR REPLACE FUNCTION state.{name}_at(p_bound bytea) RETURNS SETOF {schema}.{name}\n"
            f"LANGUAGE sql STABLE PARALLEL SAFE\nBEGIN ATOMIC\n{query};\nEND;\n"
            f"GRANT EXECUTE ON FUNCTION state.{name}_at TO PUBLIC;\n"
        )
        if schema == "directory":
            statements += (
                f"CREATE OR REPLACE FUNCTION directory.{name}_at(t timestamptz)\n"
                f"RETURNS SETOF directory.{name} LANGUAGE sql STABLE PARALLEL SAFE\n"
                f"BEGIN ATOMIC\nSELECT * FROM state.{name}_at(state.bound(t));\nEND;\n"
                f"COMMENT ON FUNCTION directory.{name}_at IS 'What the view {name} would show had exactly "
                "the events up to this moment been folded, those that arrived late included.';\n"
                f"REVOKE EXECUTE ON FUNCTION directory.{name}_at FROM PUBLIC;\n"
                f"GRANT EXECUTE ON FUNCTION directory.{name}_at TO directory_reader;\n"
            )
        yield match.start(), statements
