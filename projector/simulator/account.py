"""The simulated account: a seeded stream of the deliveries that Zoom would send about it."""

import random
import time
from collections.abc import Callable, Generator, Iterator
from itertools import accumulate, islice
from typing import Any, NamedTuple

from projector.simulator import activity, group_changes, lifecycle, profile_changes
from projector.simulator.clock import Clock
from projector.simulator.delivery import SimulatedEvent
from projector.simulator.founding import found
from projector.simulator.world import OPERATORS, World

__all__ = ["FEWEST_USERS", "Account", "SimulatedEvent"]

# The operators and a few people who may change or leave.
FEWEST_USERS = OPERATORS + 2
DEFAULT_GAP_MS = 60_000

# A history of at least this many events shows each of the actions below at least once.
COMPLETE_HISTORY = 200

Run = Callable[[World], Iterator[SimulatedEvent] | Generator[SimulatedEvent, None, Any]]


class Action(NamedTuple):
    """Something that happens in an account; its weight is its share of the total."""

    run: Run
    weight: float


# Out of 1,000: 550 presence, 100 updates, 100 membership, 80 sign-ins, 170 of everything else.
ACTIONS = (
    Action(activity.change_presence, 550),
    Action(profile_changes.edit_profile, 46),
    Action(profile_changes.change_phone, 6),
    Action(profile_changes.rename, 4),
    Action(profile_changes.change_email, 4),
    Action(profile_changes.change_licence, 8),
    Action(profile_changes.change_pmi, 5),
    Action(profile_changes.rotate_host_key, 5),
    Action(profile_changes.edit_attributes, 8),
    Action(profile_changes.edit_licence_settings, 5),
    Action(profile_changes.choose_primary_group, 5),
    Action(profile_changes.change_password, 2),
    Action(profile_changes.sign_out_everywhere, 2),
    Action(group_changes.add_members, 68),
    Action(group_changes.remove_members, 32),
    Action(activity.sign_in, 50),
    Action(activity.sign_out, 30),
    Action(activity.change_user_settings, 50),
    Action(group_changes.change_group_settings, 20),
    Action(group_changes.change_group_locks, 14),
    Action(activity.write_note, 28),
    Action(group_changes.add_admins, 8),
    Action(group_changes.remove_admins, 5),
    Action(group_changes.rename_group, 4),
    Action(group_changes.create_group, 2),
    Action(group_changes.delete_group, 2),
    Action(lifecycle.hire, 11),
    Action(lifecycle.invite_again, 2),
    Action(lifecycle.accept, 5),
    Action(lifecycle.deactivate, 5),
    Action(lifecycle.activate, 4),
    Action(lifecycle.disassociate, 4),
    Action(lifecycle.revive, 2),
    Action(lifecycle.delete, 4),
)
_RUNS = tuple(action.run for action in ACTIONS)
_CUMULATED = tuple(accumulate(action.weight for action in ACTIONS))

# The most events that one action yields, those it depends on included (hire, disassociate, revive).
_EVENTS_PER_ACTION = 3


class Account:
    """One simulated account.

    `before` people are there before the first event, in groups, and no delivery introduces them. Events
    then bring `users` people in all (fewer in a short history: at most a quarter of its events create
    people) and `groups` groups (default: one per forty people). The same arguments give the same
    deliveries, byte for byte.
    """

    def __init__(
        self,
        seed: int,
        *,
        users: int = 50,
        groups: int | None = None,
        before: int = 0,
        start_ms: int,
        account_id: str | None = None,
    ) -> None:
        """Raise ValueError for fewer than five users. `start_ms`: epoch milliseconds."""
        if users < FEWEST_USERS:
            raise ValueError(f"a simulated account needs at least {FEWEST_USERS} users")
        self._users = users
        self._before = before
        self._groups = max(3, max(users, before) // 40) if groups is None else max(1, groups)
        self._start_ms = self._end_ms = start_ms
        self._over_at: float | None = None
        self._taken = False
        rng = random.Random(seed)
        self._world = World(rng, Clock(start_ms, 0, 0, rng), account_id)
        if before:
            # The others come by events, so that there is something to see.
            found(self._world, before, max(1, self._groups * 2 // 3))

    @property
    def account_id(self) -> str:
        """The id that every delivery of this account carries."""
        return self._world.account_id

    @property
    def world(self) -> World:
        """The account as it is now: after the deliveries taken so far."""
        return self._world

    @property
    def now_ms(self) -> int:
        """The time in the account, in epoch milliseconds: never earlier than an event taken from it."""
        if self._over_at is None:
            return self._world.clock.now_ms
        return self._end_ms + int(1000 * (time.monotonic() - self._over_at))

    @property
    def over(self) -> bool:
        """Whether the history is over, so that time passes by itself."""
        return self._over_at is not None

    def end_history(self) -> None:
        """Let time go on from the end of the history; no more events may be taken."""
        self._taken = True
        self._end_ms = max(self._end_ms, self._world.clock.now_ms)
        self._over_at = time.monotonic()

    @property
    def secrets(self) -> frozenset[str]:
        """Every host key and meeting password delivered so far; none may ever be shown."""
        return frozenset(self._world.secrets)

    def events(self, count: int, *, span_ms: int | None = None) -> Iterator[SimulatedEvent]:
        """Yield `count` deliveries in event order, from `start_ms` over `span_ms` milliseconds.

        Without a span they are a minute apart on average. Raises RuntimeError if called again, and
        ValueError for a span of less than a millisecond per event.
        """
        if self._taken:
            raise RuntimeError("the events of this account were taken already")
        self._taken = True
        span_ms = DEFAULT_GAP_MS * count if span_ms is None else span_ms
        self._end_ms = self._start_ms + span_ms
        self._world.clock = Clock(self._start_ms, span_ms, count, self._world.rng)
        return islice(self._history(count), count)

    def _history(self, count: int) -> Iterator[SimulatedEvent]:
        yield from self._founding(count)
        outstanding = list(_RUNS) if count >= COMPLETE_HISTORY else []
        self._world.rng.shuffle(outstanding)
        while True:
            yield from self._next(outstanding)(self._world)

    def _founding(self, count: int) -> Iterator[SimulatedEvent]:
        """Yield the creation of what is not there yet: people, groups, members and administrators."""
        world = self._world
        groups = min(self._groups, max(1, count // 20))
        people = max(FEWEST_USERS, min(self._users, count // 4))
        for _ in range(OPERATORS - len(world.operators)):
            yield from lifecycle.hire_at_once(world)
        for _ in range(groups - len(world.groups)):
            yield from group_changes.create_group(world)
        for _ in range(people - max(OPERATORS, self._before)):
            yield from lifecycle.hire(world)
        for _ in range(min(len(world.pending) * 2 // 3, count // 16)):
            yield from lifecycle.accept(world)
        for _ in range(min(people // 2, count // 10)):
            yield from group_changes.add_members(world)
        for _ in range(min(groups, count // 20)):
            yield from group_changes.add_admins(world)

    def _next(self, outstanding: list[Run]) -> Run:
        """Draw the next action; outstanding ones are drawn early, at the latest while events remain."""
        world = self._world
        if not outstanding:
            return world.rng.choices(_RUNS, cum_weights=_CUMULATED)[0]
        left = world.clock.remaining
        due = left <= _EVENTS_PER_ACTION * len(outstanding)
        if due or world.chance(2 * len(outstanding) / left):
            return outstanding.pop()
        run = world.rng.choices(_RUNS, cum_weights=_CUMULATED)[0]
        if run in outstanding:
            outstanding.remove(run)
        return run
