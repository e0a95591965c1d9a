"""Figures over rounds, their targets, and the machine they were measured on."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

GENERATOR_BOUND = "generator-bound"


@dataclass(frozen=True)
class Spread:
    """One figure over rounds."""

    median: float
    least: float
    most: float
    rounds: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """The median, least and most of at least one value."""
    return Spread(median(values), min(values), max(values), tuple(values))


def ratios(product: Sequence[float], baseline: Sequence[float]) -> Spread:
    """The spread of each round's ratio: a disturbance in a round affects both sides."""
    return spread([ours / theirs for ours, theirs in zip(product, baseline, strict=True)])


@dataclass(frozen=True)
class Target:
    """A minimum (`reach`) and a goal (`aim`); `better`: whether more or less is better."""

    reach: float
    aim: float
    better: Literal["higher", "lower"] = "higher"

    def reached(self, value: float) -> Literal["aim", "reach", "no"]:
        """Which of the two a value meets, if any."""
        sign = 1 if self.better == "higher" else -1
        if sign * value >= sign * self.aim:
            return "aim"
        return "reach" if sign * value >= sign * self.reach else "no"


@dataclass(frozen=True)
class Row:
    """A line of the report. Its ratio, or without one its figure, is compared with the target."""

    name: str
    what: str
    unit: str
    product: Spread
    against: str = ""
    baseline: Spread | None = None
    ratio: Spread | None = None
    target: Target | None = None
    latency_ms: dict[str, Spread] = field(default_factory=dict)
    peak_mb: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """aim, reach or no; empty without a target."""
        if self.target is None or self.note == GENERATOR_BOUND:
            return ""
        return self.target.reached((self.ratio or self.product).median)

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"verdict": self.verdict}


def megabytes(size: int | None) -> float | None:
    """Bytes as MB."""
    return None if size is None else size / 1e6


def machine() -> dict[str, Any]:
    """The properties of the machine that figures depend on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu() -> str:
    try:
        found = re.search(
            r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8")
        )
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()
