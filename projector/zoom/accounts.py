"""Accounts: which are real, and which somebody made up."""

from typing import Final

SIMULATED: Final = "simulated-"


def is_simulated(account_id: str) -> bool:
    """Whether an account was made up, to try things out: its id says so. Zoom's own ids hold no such word."""
    return account_id.startswith(SIMULATED)
