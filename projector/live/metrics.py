"""The metrics of a `project` process."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from projector.zoom.events import Event


class RuntimeMetrics:
    """Counters and gauges by projection; seconds and counts."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
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
        self.lag_events = Gauge(
            "projector_projection_lag_events", "Events not folded yet", label,
            registry=self.registry,
        )  # fmt: skip
        self.lag_seconds = Gauge(
            "projector_projection_lag_seconds", "Age of the oldest event not folded yet", label,
            registry=self.registry,
        )  # fmt: skip
        self.stuck_seconds = Gauge(
            "projector_projection_stuck_seconds", "Time since a projection moved while events wait",
            label, registry=self.registry,
        )  # fmt: skip
        self.standing = Gauge(
            "projector_standing_rows", "Dead letters, drift and quarantined deliveries that stand",
            ["kind"], registry=self.registry,
        )  # fmt: skip

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
