"""Hypothesis strategies for histories that Zoom might deliver, and their reduction."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import note
from hypothesis import strategies as st

from .naive_events import OWN_SOURCES, Delivery
from .zoom_documents import CLEAN, WILD
from .zoom_play import START, Delivered, Mood, Play

# Up to this many events Hypothesis draws every choice and can shrink it; beyond, only the seed.
DRAWN_CHOICE_BY_CHOICE = 25


def moods() -> st.SearchStrategy[Mood]:
    """Draw how a history behaves: correct, wrong or mixed old_objects, losses, oddities."""
    return st.builds(
        Mood,
        consistent=st.sampled_from([1.0, 0.8, 0.0]),
        lost=st.sampled_from([0.0, 0.05, 0.3]),
        odd=st.sampled_from([0.0, 0.3, 1.0]),
        step_ms=st.sampled_from([1, 3, 0, 1000]),
        alphabet=st.sampled_from([CLEAN, WILD, WILD]),
    )


@st.composite
def histories(
    draw: st.DrawFn, min_events: int = 0, max_events: int = 400, mood: Mood | None = None
) -> list[Delivered]:
    """Draw distinct deliveries in the order sent, as (bytes, milliseconds from START to receipt).

    The caller may permute, repeat (same bytes) and split them. A delivery keeps its time of receipt
    in any order, so that events without a time keep their place.
    """
    count = draw(st.integers(min_events, max_events))
    behaviour = mood or draw(moods())
    if max_events <= DRAWN_CHOICE_BY_CHOICE:
        return Play(draw(st.randoms(use_true_random=False)), behaviour).deliveries(count)
    seed = draw(st.integers(0, 2**32 - 1))
    note(f"history({seed=}, count={count}, mood={behaviour})")
    return history(seed, count, behaviour)


def history(seed: int, count: int, mood: Mood | None = None) -> list[Delivered]:
    """Return the history of a seed; a smaller count gives a prefix of it."""
    return Play(random.Random(seed), mood or Mood()).deliveries(count)


def as_log(history: Sequence[Delivered]) -> list[Delivery]:
    """Return deliveries as a log: positions from 1, in the order given."""
    return [
        Delivery(position, START + timedelta(milliseconds=received), body, source_of(body))
        for position, (body, received) in enumerate(history, start=1)
    ]


def source_of(body: bytes) -> str:
    """Return how a body of a play comes into the log: as a fact of our own, or by HTTP."""
    decoded = json.loads(body)
    payload = decoded.get("payload")
    forged = isinstance(payload, dict) and payload.get("forged")
    source = decoded["event"].partition(".")[0]
    return source if source in OWN_SOURCES and not forged else "webhook"


def smallest(
    history: Sequence[Delivered], fails: Callable[[list[Delivered]], bool]
) -> list[Delivered]:
    """Return a minimal part of a failing history that still fails."""
    kept = list(history)
    width = len(kept)
    while width:
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + width :]
            if fails(rest):
                kept = rest
            else:
                start += width
        width //= 2
    return kept
