"""Charts: what is drawn is what was counted."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from projector.console.charts import HEIGHT, LEAST, columns, round_above, shares

COUNTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


def heights(path: str, width: int) -> list[int]:
    """What a path draws above each unit of its width."""
    assert path.startswith(f"M0 {HEIGHT}")
    assert path.endswith("z")
    x, y = 0, HEIGHT
    drawn: list[int] = []
    for letter, number in re.findall(r"([HV])(\d+)", path):
        if letter == "H":
            drawn += [HEIGHT - y] * (int(number) - x)
            x = int(number)
        else:
            y = int(number)
    assert (x, y) == (width, HEIGHT)
    return drawn


def test_a_value_is_as_high_as_its_share_of_the_top() -> None:
    drawn = columns([0, 5, 10, 10, 0, 1])
    assert (drawn.top, drawn.width) == (10, 6)
    assert heights(drawn.path, 6) == [0, 50, 100, 100, 0, 10]


@given(COUNTS)
def test_higher_is_more_and_whatever_is_there_shows(values: list[int]) -> None:
    drawn = columns(values)
    seen = heights(drawn.path, drawn.width)
    assert len(seen) == len(values)
    assert all((height >= LEAST) == (value > 0) for height, value in zip(seen, values, strict=True))
    assert all(height <= HEIGHT for height in seen)
    by_value = sorted(zip(values, seen, strict=True))
    assert all(one[1] <= two[1] for one, two in pairwise(by_value))


def test_thirty_days_by_the_hour_stay_small() -> None:
    values = [(hour * 7919) % 1000 for hour in range(720)]
    assert len(columns(values).path) < 8_000


def test_the_top_is_a_round_number_no_less_than_the_greatest() -> None:
    assert [round_above(value) for value in (0, 1, 2, 3, 6, 10, 11, 99, 4_001)] == [
        1, 1, 2, 3, 6, 10, 20, 100, 5_000,
    ]  # fmt: skip
    assert columns([]).path == f"M0 {HEIGHT}H0V{HEIGHT}z"


def test_the_greatest_share_comes_first_and_is_whole() -> None:
    found = shares([("Away", 1), ("Available", 400), ("Busy", 100), ("Absent", 100)])
    assert [(one.name, one.length) for one in found] == [
        ("Available", 100), ("Absent", 25), ("Busy", 25), ("Away", LEAST),
    ]  # fmt: skip
    assert shares([]) == []
