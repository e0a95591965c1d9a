"""The metrics of runs, by section."""

from prometheus_client import CollectorRegistry, Counter

from projector.observations.outcome import Outcome, Section


class ReconcileMetrics:
    """What the readings of each section found. When it was last complete, the database tells."""

    def __init__(self, registry: CollectorRegistry) -> None:
        label = ["section"]
        self._incomplete = Counter(
            "projector_reconcile_incomplete", "Readings that could not be completed", label,
            registry=registry,
        )  # fmt: skip
        self._counts = {
            name: Counter(f"projector_reconcile_{name}", told, label, registry=registry)
            for name, told in (
                ("read", "Entities that were read from Zoom's REST API"),
                ("new", "Entities that the directory did not have"),
                ("repaired", "Entities of the directory that differed"),
                ("gone", "Entities of the directory that Zoom does not have any more"),
            )
        }
        for section in Section:
            for counter in (self._incomplete, *self._counts.values()):
                counter.labels(section.value)

    def took(self, outcome: Outcome) -> None:
        """Count what one reading of a section came to."""
        for name, counter in self._counts.items():
            counter.labels(outcome.section.value).inc(getattr(outcome, name))
        if not outcome.complete:
            self._incomplete.labels(outcome.section.value).inc()
