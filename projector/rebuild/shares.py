"""Shares: the projections of a rebuild, dealt out among processes."""

from collections.abc import Sequence
from typing import Final

from projector.folding.tables import MergeTable, Projection

# What a projection takes of the time of a rebuild, as measured on a large account's log; those not named 1.
COSTS: Final = {"presence": 14, "users": 4, "memberships": 4, "user_settings": 3, "sign_ins": 2}
# Fold hardly anything of very many events: each is folded where it is decoded anyway.
EVERYWHERE: Final = frozenset({"freshness"})

# Projections, each with those of its events that are folded here.
Share = dict[Projection, frozenset[str]]


def deal(projections: Sequence[Projection], most: int) -> list[Share]:
    """Deal projections out in at most so many shares of about the same cost, none of them empty.

    A projection of EVERYWHERE may be in several shares, each with other events: its tables must be merge
    tables, whose rows can be merged in the end.
    """
    spread = [p for p in projections if p.name in EVERYWHERE and len(projections) > 1]
    shares: list[Share] = [{} for _ in range(most)]
    for projection in sorted((p for p in projections if p not in spread), key=_cost, reverse=True):
        lightest = min(shares, key=lambda share: sum(map(_cost, share)))
        lightest[projection] = projection.events
    dealt = [share for share in shares if share]
    for projection in spread:
        _spread(projection, dealt)
    return dealt


def _spread(projection: Projection, shares: Sequence[Share]) -> None:
    assert all(isinstance(table, MergeTable) for table in projection.tables)  # noqa: S101
    left = projection.events
    for number, share in enumerate(shares):
        read = frozenset().union(*share.values()) if number < len(shares) - 1 else left
        if here := left & read:
            share[projection] = here
            left -= here


def _cost(projection: Projection) -> int:
    return COSTS.get(projection.name, 1)
