"""Prometheus metrics of a replica: base units, few labels, never an account or a person."""

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from projector.database_reasons import WORDS
from projector.exposition import exposition, new_registry
from projector.zoom.catalogue import ALIASES, EVENTS, URL_VALIDATION

OTHER: Final = "other"

# Unknown names come from outside: each would be a label of its own.
_LABELS: Final = {name: name for name in (*EVENTS, URL_VALIDATION)} | ALIASES

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 3.0)
_EVENTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 500)


def event_label(event: str | None) -> str:
    """The label of an event's name: one that Zoom documents, or `other`."""
    return OTHER if event is None else _LABELS.get(event, OTHER)


class Metrics:
    """The metrics of one replica. `registry`: that of a process that shows more; else one of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.alone = registry is None
        self.registry = registry = new_registry() if registry is None else registry
        deliveries = Counter(
            "projector_deliveries",
            "Requests to the webhook routes, by event and outcome.",
            ["event", "outcome"],
            registry=registry,
        )
        self._by_outcome = deliveries
        self._deliveries = cache(deliveries.labels)  # few, and `labels` costs twice what `inc` does
        self.acknowledge_seconds = Histogram(
            "projector_acknowledge_seconds",
            "From receipt to the answer, of deliveries answered 200.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.append_seconds = Histogram(
            "projector_append_seconds",
            "How long one append of a batch takes, commit included.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.append_batch = Histogram(
            "projector_append_batch_events",
            "Deliveries that shared one append.",
            buckets=_EVENTS,
            registry=registry,
        )
        self.append_failures = Counter(
            "projector_append_failures",
            "Appends that did not commit, by why.",
            ["reason"],
            registry=registry,
        )
        self.acknowledged_lost = Counter(
            "projector_acknowledged_lost",
            "Deliveries that were acknowledged and that a failover or a restore has lost.",
            registry=registry,
        )
        for word in WORDS:  # there from the start: the first failure is an increase too
            self.append_failures.labels(word)
        self.duplicates = Counter(
            "projector_duplicates",
            "Deliveries whose bytes the log held already.",
            registry=registry,
        )
        self.quarantined = Counter(
            "projector_quarantined",
            "Deliveries put into the quarantine.",
            ["reason"],
            registry=registry,
        )
        self.quarantine_dropped = Counter(
            "projector_quarantine_dropped",
            "Deliveries that the quarantine had no room for, signed or not.",
            ["signed"],
            registry=registry,
        )
        for signed in ("true", "false"):  # there from the start: the first one is an increase too
            self.quarantine_dropped.labels(signed)
        self.validations_failed = Counter(
            "projector_validations_failed", "URL validations refused.", registry=registry
        )
        self.connections_refused = Counter(
            "projector_connections_refused",
            "Connections turned away, the limit being reached.",
            registry=registry,
        )
        self._last_validation = Moment(
            "projector_last_validation_timestamp_seconds",
            "When this replica last answered a URL validation, in epoch seconds; absent: never.",
            registry,
        )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge that reads its value when it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def delivery(self, event: str, outcome: str) -> None:
        """Count a request, by the label of its event and its outcome."""
        self._deliveries(event, outcome).inc()

    def outcomes(self) -> dict[str, int]:
        """Requests to the webhook routes since the start, by outcome."""
        counted: dict[str, int] = {}
        for metric in self._by_outcome.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    outcome = sample.labels["outcome"]
                    counted[outcome] = counted.get(outcome, 0) + int(sample.value)
        return counted

    def validated(self) -> None:
        """A URL validation was answered."""
        self._last_validation.is_now()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return exposition(self.registry)


class Moment(Collector):
    """When something last happened in this process; absent until the first time. Registers itself."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._name = name
        self._text = text
        self._at: float | None = None
        registry.register(self)

    def is_now(self) -> None:
        """It happened just now."""
        self._at = time.time()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The time, if there is one."""
        if self._at is not None:
            yield GaugeMetricFamily(self._name, self._text, value=self._at)
