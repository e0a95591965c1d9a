"""Queries of Prometheus that several panels are made of."""

from typing import Final

RATE: Final = "[$__rate_interval]"


def per_second(counter: str, *labels: str) -> str:
    """Return a query of how fast a counter grows, summed by labels."""
    return f"sum by ({', '.join(labels)}) (rate({counter}{RATE}))"


def quantile(share: float, histogram: str, *labels: str) -> str:
    """Return a query of a histogram's quantile, by labels."""
    buckets = f"sum by ({', '.join(('le', *labels))}) (rate({histogram}_bucket{RATE}))"
    return f"histogram_quantile({share}, {buckets})"
