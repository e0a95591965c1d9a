"""How the simulated API behaves: its limits, and what goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from projector.config import Plan
from projector.errors import ConfigurationError
from projector.simulator.api.scopes import SCOPES

PAGE_TOKEN_SECONDS: Final = 15 * 60.0
ACCESS_TOKEN_SECONDS: Final = 3599


class Label(StrEnum):
    """Zoom's classes of operations, each with a rate of its own."""

    LIGHT = "Light"
    MEDIUM = "Medium"


class Rate(NamedTuple):
    """Requests of a label that an account may make; `a_day` None: any number."""

    a_second: int
    a_day: int | None = None


RATES: Final[Mapping[Plan, Mapping[Label, Rate]]] = {
    Plan.FREE: {Label.LIGHT: Rate(4, 6000), Label.MEDIUM: Rate(2, 2000)},
    Plan.PRO: {Label.LIGHT: Rate(30), Label.MEDIUM: Rate(20)},
    Plan.BUSINESS: {Label.LIGHT: Rate(80), Label.MEDIUM: Rate(60)},
    Plan.UNLIMITED: {},
}


class RetryAfter(StrEnum):
    """How a 429 tells when to ask again; Zoom's own way is a time in ISO 8601, or nothing at all."""

    ISO = "iso"
    DATE = "date"
    SECONDS = "seconds"
    NONE = "none"


class Refusal(StrEnum):
    """How a section that may not be read is refused: a scope, a permission, or a plan is lacking."""

    GRANULAR = "4711"
    CLASSIC = "4700"
    FORBIDDEN = "403"
    PAID_ONLY = "200"
    """Status 200, and only the body says no."""


class Fault(StrEnum):
    """What may come in place of an answer, or of its end."""

    HTML = "html"
    """A page of some proxy, under status 200."""
    CUT = "cut"
    """The connection breaks in the middle of the answer."""
    HANG_UP = "hang up"
    BUSY = "busy"
    """A 429 whatever the plan."""
    ERROR = "error"
    """Status 500."""
    EXPIRED = "expired"
    """A 401, as though the access token had just expired."""


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """How the API behaves. Raises ConfigurationError for a scope that it does not know.

    `refused`: scopes that may not be used, and how that is said. `rates` in place of the plan's.
    `largest_page`: what page sizes are cut to. `more_than_there_are`: what is added to every total.
    `same_token`: the second page's token never changes. `moving`: so many people are in no listing, as though
    each had changed status between two of them. `faults`: by the number of the call, from 1; `always` for
    the others. `latency` in seconds. `shown_account`: the account that `me` names.
    """

    plan: Plan = Plan.UNLIMITED
    rates: Mapping[Label, Rate] | None = None
    retry_after: RetryAfter = RetryAfter.ISO
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    access_token_seconds: float = ACCESS_TOKEN_SECONDS
    page_token_seconds: float = PAGE_TOKEN_SECONDS
    largest_page: int | None = None
    more_than_there_are: int = 0
    same_token: bool = False
    moving: int = 0
    faults: Mapping[int, Fault] = field(default_factory=dict)
    always: Fault | None = None
    latency: float = 0
    deactivated: bool = False
    shown_account: str | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.refused) - SCOPES)
        if unknown:
            raise ConfigurationError(
                f"the API has no scope of that name to refuse; it has {', '.join(sorted(SCOPES))}"
            )

    @property
    def granted(self) -> list[str]:
        """The scopes of every token: all but those that are lacking."""
        lacking = {Refusal.GRANULAR, Refusal.CLASSIC}
        return sorted(scope for scope in SCOPES if self.refused.get(scope) not in lacking)

    @property
    def rates_in_force(self) -> Mapping[Label, Rate]:
        """How often each label may be asked; without an entry: as often as one likes."""
        return RATES[self.plan] if self.rates is None else self.rates
