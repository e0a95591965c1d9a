"""Our own counters read as prometheus_client's do."""

import re

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from projector.ingress.tallies import Spread, Tally

BOUNDS = (0.001, 0.5, 1, 3.0)
VALUES = (0.0, 0.001, 0.0011, 0.5, 2.9, 3.0, 3.1, 100.0)


def exposed(registry: CollectorRegistry) -> str:
    """The exposition, times of creation left out."""
    return re.sub(r"\d\.\d+e\+09", "T", generate_latest(registry).decode())


def test_they_read_as_those_of_the_library() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tally = Tally("n", "How many.", ["event", "outcome"], registry=ours)
    counter = Counter("n", "How many.", ["event", "outcome"], registry=theirs)
    spread = Spread("s_seconds", "How long.", BOUNDS, registry=ours)
    histogram = Histogram("s_seconds", "How long.", buckets=BOUNDS, registry=theirs)
    assert exposed(ours) == exposed(theirs)
    for labels in (("a", "b"), ("a", "b"), ('quo"ted', "line\n")):
        tally.add(*labels)
        counter.labels(*labels).inc()
    for value in VALUES:
        spread.observe(value)
        histogram.observe(value)
    assert exposed(ours) == exposed(theirs)
    assert 's_seconds_bucket{le="0.001"} 2.0' in exposed(ours)
