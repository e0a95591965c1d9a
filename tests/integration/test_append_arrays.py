"""Arrays in PostgreSQL's text format: every text is returned as it was given."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projector.database import Database
from projector.log.append import text_array

texts = st.none() | st.sampled_from(["", "NULL", "null", " ", "{}", ",", '"', "\\", '\\"', "a,b"])
texts |= st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(texts, min_size=1, max_size=8))
async def test_texts_come_back_as_they_were_given(
    database: Database, values: list[str | None]
) -> None:
    assert await database.fetchval("SELECT $1::text::text[]", text_array(values)) == values
