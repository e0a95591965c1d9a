"""The tally and the budget as Prometheus metrics, read when they are asked for."""

import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from projector.rest.budget import Budget
from projector.rest.endpoints import Label
from projector.rest.tally import Tally


class RestMetrics(Collector):
    """Calls by label, 429s, and what is left of the budget; registers itself."""

    def __init__(self, registry: CollectorRegistry, tally: Tally, budget: Budget) -> None:
        self._tally = tally
        self._budget = budget
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The metrics as they stand now; an unlimited budget is left out."""
        calls = CounterMetricFamily(
            "projector_reconcile_calls", "Requests to Zoom's REST API.", labels=["label"]
        )
        left = GaugeMetricFamily(
            "projector_reconcile_budget_left",
            "Requests that may still go: today where the plan counts days, else in the next second.",
            labels=["label"],
        )
        for label in Label:
            calls.add_metric([label], self._tally.calls[label])
            if (count := self._budget.left(label)) != math.inf:
                left.add_metric([label], count)
        yield calls
        yield left
        yield CounterMetricFamily(
            "projector_reconcile_429s",
            "Answers of Zoom's REST API that said: too many requests.",
            value=self._tally.rate_limited,
        )
