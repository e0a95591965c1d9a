"""What asking Zoom has cost so far: plain counters."""

from collections import Counter
from dataclasses import dataclass, field

from projector.rest.endpoints import Label


@dataclass
class Tally:
    """Requests sent (each attempt is one), answers that said "too many", seconds waited for the budget."""

    calls: Counter[Label] = field(default_factory=Counter)
    rate_limited: int = 0
    seconds_waited: float = 0.0
