"""The database merges rows as the pure fold does: `rules` say of every column what `merge` does with it."""

from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projector.database import Database
from projector.folding.tables import MergeTable, Projection, Row
from projector.projections import PROJECTIONS
from projector.runtime.codec import codec_of
from projector.runtime.store import Change, Move, Store

MERGING = [
    (projection, table)
    for projection in PROJECTIONS
    for table in projection.tables
    if isinstance(table, MergeTable)
]


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    """Few values, so that equal ones meet; orders of 41 bytes, as events have them."""
    if annotation is bytes:
        return st.integers(0, 3).map(lambda n: b"\0" * 40 + bytes([n]))
    if annotation is int:
        return st.integers(0, 3)
    if annotation is bool:
        return st.booleans()
    texts = st.sampled_from(["a", "b"])
    return texts if annotation is str else st.none() | _values(_present(annotation))


def _present(annotation: Any) -> Any:
    return next(part for part in annotation.__args__ if part is not type(None))


def _rows(table: MergeTable) -> st.SearchStrategy[list[Row]]:
    """Rows of one key. Those of one order are equal: they are one event's."""
    hints = get_type_hints(table.row)
    columns = [
        st.just("key") if n < table.key else _values(hints[name])
        for n, name in enumerate(table.row._fields)
    ]
    orders = [name for name in table.row._fields if hints[name] is bytes]
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
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_the_database_merges_as_the_fold_does(
    database: Database, projection: Projection, table: MergeTable, data: st.DataObject
) -> None:
    rows = data.draw(_rows(table))
    await database.fetch(f"TRUNCATE state.{table.name}")
    store = Store(database)
    checkpoint = (
        await database.fetch(
            "SELECT position, epoch FROM state.checkpoints WHERE projection = $1", projection.name
        )
    )[0]
    for row in rows:
        change = Change(merged=[(table, {row[: table.key]: row})])
        await store.write(projection, change, Move(*checkpoint, checkpoint["position"], None))
    expected = rows[0]
    for row in rows[1:]:
        expected = table.merge(expected, row)
    stored = (await store.load([(table, [expected[: table.key]])]))[table.name]
    assert list(stored.values()) == [expected]
