"""The database merges rows as the pure fold does: `rules` match what `merge` does with each column."""

from typing import Any, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projector.database import Database
from projector.folding.change import Change
from projector.folding.tables import Key, MergeTable, Projection, Row, With
from projector.projections import PROJECTIONS
from projector.schema.ddl import projection_statements
from projector.state.codec import codec_of
from projector.state.shadow import Shadow
from projector.state.shadow_sql import runs_of
from projector.state.store import Move, Store
from tests.runtime_rig import append_bodies, delivery, renamed

MERGING = [
    (projection, table)
    for projection in PROJECTIONS
    for table in projection.tables
    if isinstance(table, MergeTable)
]

# A value of each type that keys have.
KEYS = {str: "key", bytes: b"key", int: 7}


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    """Few values, so that equal ones occur; orders of 41 bytes, as events have."""
    if annotation is bytes:
        return st.integers(0, 3).map(lambda n: b"\0" * 40 + bytes([n]))
    if annotation is int:
        return st.integers(0, 3)
    if annotation is bool:
        return st.booleans()
    texts = st.sampled_from(["a", "b"])
    if get_origin(annotation) is tuple:
        return st.lists(texts, max_size=2).map(tuple)
    return texts if annotation is str else st.none() | _values(_present(annotation))


def _present(annotation: Any) -> Any:
    return next(part for part in annotation.__args__ if part is not type(None))


def _orders(table: MergeTable) -> list[str]:
    """The columns that hold orders of events; bytes in the key are digests where there are others."""
    hints = get_type_hints(table.row)
    names = [name for name in table.row._fields if hints[name] is bytes]
    return [name for name in names if name not in table.row._fields[: table.key]] or names


def _rows(table: MergeTable) -> st.SearchStrategy[list[Row]]:
    """Rows of one key. Rows of the same order are equal: they are of one event."""
    hints = get_type_hints(table.row)
    columns = [
        st.just(KEYS[hints[name]]) if n < table.key else _values(hints[name])
        for n, name in enumerate(table.row._fields)
    ]
    orders = _orders(table)
    return st.lists(
        st.tuples(*columns).map(table.row._make),
        min_size=1,
        max_size=6,
        unique_by=tuple((lambda row, name=name: getattr(row, name)) for name in orders) or None,
    )


def test_rules_name_every_column_but_the_key() -> None:
    for _, table in MERGING:
        assert tuple(table.rules) == codec_of(table).columns[table.key :]


@pytest.mark.parametrize(("projection", "table"), MERGING, ids=[t.name for _, t in MERGING])
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_the_database_merges_as_the_fold_does(
    database: Database, projection: Projection, table: MergeTable, data: st.DataObject
) -> None:
    rows = data.draw(_rows(table))
    await database.fetch(f"TRUNCATE state.{table.name}")
    [told] = await append_bodies(database, [renamed(1)])  # a checkpoint moves to what the log holds
    store = Store(database)
    checkpoint = (
        await database.fetch(
            "SELECT position, epoch FROM state.checkpoints WHERE projection = $1", projection.name
        )
    )[0]
    for row in rows:
        change = Change(merged=[(table, {row[: table.key]: row})])
        move = Move(*checkpoint, told.position, delivery(renamed(1)).digest)
        await store.write(projection, change, move)
        checkpoint = (told.position, checkpoint[1])
    expected = rows[0]
    for row in rows[1:]:
        expected = table.merge(expected, row)
    stored = await store.load(table, [expected[: table.key]])
    assert list(stored.values()) == [expected]


def _unnamed(table: MergeTable, row: Row) -> Row:
    """The row of an event without a value for a column with its own order, as one without an e-mail."""
    hints = get_type_hints(table.row)
    orders = {rule.column for rule in table.rules.values() if isinstance(rule, With)} - {"folded"}
    orders = {column for column in orders if hints[column] is bytes}
    if len(orders) < 1 or "folded" not in row._fields:
        return row
    emptied = {
        name: b"" if name in orders else False if hints[name] is bool else None
        for name, rule in table.rules.items()
        if isinstance(rule, With) and rule.column in orders
    }
    return row._replace(**emptied)


def _runs(table: MergeTable) -> st.SearchStrategy[list[Row]]:
    """Rows of several keys, as in runs; rows of the same key and order are of one event."""
    hints = get_type_hints(table.row)
    drawn_keys = [st.sampled_from(["a", "b"]), st.sampled_from(["u1", "u2", "u3"])]
    columns = [
        (
            drawn_keys[n]
            if n < len(drawn_keys) and hints[name] is str
            else st.just(KEYS[hints[name]])
        )
        if n < table.key
        else _values(hints[name])
        for n, name in enumerate(table.row._fields)
    ]
    rows = st.tuples(*columns).map(table.row._make)
    orders = _orders(table)
    unique = tuple(
        (lambda row, name=name: (row[: table.key], getattr(row, name))) for name in orders
    )
    drawn = st.lists(rows, min_size=1, max_size=25, unique_by=unique or None)
    return st.tuples(drawn, st.sets(st.integers(0, 24))).map(
        lambda some: [
            _unnamed(table, row) if n in some[1] else row for n, row in enumerate(some[0])
        ]
    )


@pytest.fixture
async def shadow(database: Database, projection: Projection) -> Shadow:
    """An empty shadow with its keys."""
    made = Shadow(database, projection, "rebuild_merging")
    await made.create()
    for number in range(len(projection_statements(projection, "keys"))):
        await made.build("keys", number)
    return made


@pytest.mark.parametrize(("projection", "table"), MERGING, ids=[t.name for _, t in MERGING])
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_the_database_merges_runs_slice_by_slice_as_the_fold_does(
    shadow: Shadow, table: MergeTable, data: st.DataObject
) -> None:
    rows = data.draw(_runs(table))
    expected: dict[Key, Row] = {}
    for row in rows:
        key = row[: table.key]
        expected[key] = table.merge(expected[key], row) if key in expected else row
    codec, runs, merged = codec_of(table), runs_of(table), f"{shadow.schema}.{table.name}"
    await shadow.database.fetch(f"TRUNCATE {merged}, {shadow.schema}.{runs}")
    await shadow.copy(runs, codec.columns, map(codec.record, data.draw(st.permutations(rows))))
    number = shadow.projection.merging.index(table)
    parts = data.draw(st.integers(1, 5))
    for part in data.draw(st.permutations(range(parts))):
        await shadow.merge_runs(number, part, parts)
    stored = await Store(shadow.database, shadow.schema).load(table, list(expected))
    assert stored == expected
    assert await shadow.database.fetchval(f"SELECT count(*) FROM {merged}") == len(expected)
