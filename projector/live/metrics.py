"""The metrics of a `project` process."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from projector.exposition import new_registry
from projector.projections import PROJECTIONS
from projector.zoom.events import Event


class RuntimeMetrics:
    """Counters by projection; seconds and counts. What the database knows better is read from there."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or new_registry()
        label = ["projection"]
        self._events = Counter(
            "projector_projection_events", "Events that a projection has passed", label,
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "projector_projection_batch_seconds", "Time to fold and write a batch", label,
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30),
            registry=self.registry,
        )  # fmt: skip
        self._dead = Counter(
            "projector_dead_letters_written", "Dead letters that this process wrote", label,
            registry=self.registry,
        )  # fmt: skip
        self._unheld = Counter(
            "projector_values_not_held",
            "Values that a typed column could not hold and that became null",
            label,
            registry=self.registry,
        )
        self._waits = Counter(
            "projector_projection_waits", "Times that a projection waited out trouble", label,
            registry=self.registry,
        )  # fmt: skip
        self._restarts = Counter(
            "projector_projection_restarts", "Worker loops that died and were started again", label,
            registry=self.registry,
        )  # fmt: skip
        for projection in PROJECTIONS:  # there from the start: the first of them is an increase too
            self._waits.labels(projection.name)
            self._restarts.labels(projection.name)

    def folded(self, projection: str, events: int, seconds: float) -> None:
        """Count a batch that was folded and written, in `seconds`."""
        self._events.labels(projection).inc(events)
        self._seconds.labels(projection).observe(seconds)

    def dead_letters(self, projection: str, count: int) -> None:
        """Count events that became dead letters."""
        self._dead.labels(projection).inc(count)

    def not_held(self, projection: str, events: Iterable[Event]) -> None:
        """Count the columns of this projection that could not hold what these events have."""
        for columns in [event.unheld for event in events if event.unheld is not None]:
            mine = sum(column.startswith(f"{projection}.") for column in columns)
            self._unheld.labels(projection).inc(mine)

    def waits(self, projection: str) -> None:
        """Count a wait after an error."""
        self._waits.labels(projection).inc()

    def restarted(self, projection: str) -> None:
        """Count a loop that died and is started again."""
        self._restarts.labels(projection).inc()
