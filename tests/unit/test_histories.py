"""The generated histories: consistent when they should be, and covering every case of the fold."""

import random

import pytest
from hypothesis import given, settings

from tests.oracle.histories import as_log, histories, history, smallest
from tests.oracle.naive_diff import leaves, same
from tests.oracle.naive_fold import fold
from tests.oracle.naive_views import KEYS
from tests.oracle.story import pick
from tests.oracle.zoom_play import FAITHFUL, USERS, Delivered, Mood, Play


@pytest.mark.parametrize("seed", range(3))
def test_a_faithful_play_shows_no_drift_and_ends_at_its_truth(seed: int) -> None:
    play = Play(random.Random(seed), FAITHFUL)
    views = fold(as_log(play.deliveries(300)))
    assert views["drift"] == views["dead_letters"] == []
    shown = 0
    for row in views["user_settings"]:
        user = next(user for user in USERS if user.lower() == row["user_id"].lower())
        truth = play.truth[row["account_id"], "user settings", user]
        told = dict(leaves(truth.get("settings", {})))
        held = dict(leaves(row["settings"] or {}))
        assert all(same(held[path], told[path]) for path in held)
        shown += len(held)
    assert shown


def test_a_careless_play_reaches_every_view_and_any_order_gives_the_same() -> None:
    reached: set[str] = set()
    for seed in range(5):
        sent = history(seed, 200, Mood(consistent=0.8, odd=0.5))
        assert sent[:50] == history(seed, 50, Mood(consistent=0.8, odd=0.5))
        log = as_log(sent)
        shuffled = random.Random(seed).sample(log, len(log))
        views = fold(log)
        assert views == fold(shuffled)
        reached |= {view for view, rows in views.items() if rows}
        for view, columns in KEYS.items():
            keys = pick(views[view], *columns)
            assert len(keys) == len(set(keys)), view
    assert reached == set(KEYS)


def test_a_failing_history_is_cut_down_to_what_matters() -> None:
    sent = history(1, 40)
    wanted = {sent[3], sent[30]}
    assert set(smallest(sent, lambda part: wanted <= set(part))) == wanted


@settings(max_examples=10)
@given(histories(min_events=1, max_events=8), histories(min_events=100, max_events=120))
def test_drawn_histories_are_distinct_and_as_long_as_asked(
    short: list[Delivered], long: list[Delivered]
) -> None:
    assert 1 <= len({body for body, _ in short}) == len(short) <= 8
    assert 100 <= len({body for body, _ in long}) == len(long) <= 120
