"""The metrics of a healthy deployment, for the tests of the alerting rules.

A series is a function of the time in seconds; None: Prometheus has no sample.
"""

import math
from collections.abc import Callable, Mapping

Value = float | None
Series = Callable[[float], Value]
World = Mapping[str, Series]

STEP = 30
BREAKS = 10 * 60

INGRESSES = [f'job="ingress", instance="ingress-{n}:8080"' for n in (1, 2)]
PROJECTORS = [f'job="projector", instance="projector-{n}:8081"' for n in (1, 2)]
PROJECTIONS = ("users", "groups")
APPEND_FAILURES = "projector_append_failures_total"


def always(value: float) -> Series:
    """A value that never changes."""
    return lambda _t: value


def ago(seconds: float) -> Series:
    """A time that always lies so many seconds back."""
    return lambda t: t - seconds


def rate(per_second: float) -> Series:
    """A counter that has grown since time 0."""
    return lambda t: per_second * t


def grows(per_second: float) -> Series:
    """A counter that begins to grow when something breaks."""
    return lambda t: math.floor(per_second * max(t - BREAKS + STEP, 0))


def gone(_t: float) -> Value:
    """No sample."""
    return None


def named(metric: str, labels: str, **more: str) -> str:
    """A series in Prometheus' notation."""
    extra = "".join(f', {name}="{value}"' for name, value in more.items())
    return f"{metric}{{{labels}{extra}}}"


def _of_an_ingress(labels: str) -> dict[str, Series]:
    buckets = {"0.1": 0.9, "1.0": 1.0, "2.0": 1.0, "2.5": 1.0, "+Inf": 1.0}
    return {
        named("projector_ready", labels): always(1),
        named("projector_append_seconds_count", labels): rate(1),
        **{
            named("projector_acknowledge_seconds_bucket", labels, le=le): rate(share)
            for le, share in buckets.items()
        },
        **{
            named(APPEND_FAILURES, labels, reason=reason): always(0)
            for reason in ("disk_full", "timeout", "unreachable")
        },
        **{
            named("projector_quarantine_dropped_total", labels, signed=signed): always(0)
            for signed in ("true", "false")
        },
    }


def _of_a_projector(labels: str) -> dict[str, Series]:
    one = {
        "log_head_position": rate(1), "quarantine_rows": always(3), "epoch_number": always(2),
        "quarantine_limit_rows": always(10_000), "schema_behind": always(0),
        "epoch_timestamp_seconds": ago(30 * 86_400), "deliveries_lost": always(0),
        "disk_free_bytes": always(50), "disk_size_bytes": always(100),
    }  # fmt: skip
    each = {
        "projection_lag_seconds": always(0.2), "projection_stuck": always(0),
        "lease_owned": always(1), "dead_letters_open": always(0),
        "projection_restarts_total": always(0),
    }  # fmt: skip
    labelled: list[tuple[str, str, tuple[str, ...], Series]] = [
        ("drift_open", "entity", ("user", "group"), always(0)),
        ("account_silent", "account", ("one", "two"), always(0)),
        ("refused_deliveries_recent", "reason", ("wrong", "validation", "missing"), always(0)),
        ("reconcile_complete_timestamp_seconds", "section", ("users", "groups"), ago(3600)),
    ]
    return {
        **{named(f"projector_{name}", labels): series for name, series in one.items()},
        **{
            named(f"projector_{name}", labels, projection=projection): series
            for name, series in each.items()
            for projection in PROJECTIONS
        },
        **{
            named(f"projector_{name}", labels, **{label: value}): series
            for name, label, values, series in labelled
            for value in values
        },
    }


def healthy() -> dict[str, Series]:
    """Two ingresses and two projectors with a database, and nothing wrong."""
    world: dict[str, Series] = {}
    for labels in INGRESSES + PROJECTORS:
        world[named("up", labels)] = always(1)
        world[named("projector_build_info", labels, version="1")] = always(1)
        world[named("projector_database_up", labels)] = always(1)
    for labels in INGRESSES:
        world |= _of_an_ingress(labels)
    for labels in PROJECTORS:
        world |= _of_a_projector(labels)
    return world
