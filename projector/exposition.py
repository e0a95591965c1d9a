"""What every process's metrics have in common: a registry, its text, and which release it is."""

from typing import Final

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from projector import __version__

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

# A `_created` series beside each counter doubles their number, and says what a counter's reset says.
disable_created_metrics()  # type: ignore[no-untyped-call]


def new_registry() -> CollectorRegistry:
    """A registry of one process, which names its release."""
    registry = CollectorRegistry()
    Gauge(
        "projector_build_info",
        "1; the label is the release that runs.",
        ["version"],
        registry=registry,
    ).labels(__version__).set(1)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """Everything of a registry in Prometheus' text format."""
    return generate_latest(registry)
