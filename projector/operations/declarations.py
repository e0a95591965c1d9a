"""Declarations: what an operator says that nothing else tells, compared with what stands, and appended.

Of two declarations with one event time the digest would decide. So where one stands from just that
millisecond on, the next one holds from the first free one after it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from projector.database import Database
from projector.errors import ConfigurationError, ProjectorError
from projector.folding.columns import lowered
from projector.operations.acts import About, act_body, append_patiently, received_now
from projector.operations.declared_files import BadFile, Groups, Line, ranked, refuse, shown
from projector.state.declarations import (
    Declared,
    Kind,
    Somebody,
    declared,
    groups_of,
    people,
    unfolded_declaration,
)
from projector.state.status import accounts
from projector.zoom.catalogue import DECLARED_MODEL, DECLARED_PRIMARY_GROUP, DECLARED_RANKING

# By kind: the event, and where its object says what.
_EVENTS: Final[Mapping[Kind, tuple[str, str]]] = {
    "model": (DECLARED_MODEL, "model"),
    "ranking": (DECLARED_RANKING, "groups"),
    "primary_group": (DECLARED_PRIMARY_GROUP, "primary_group_id"),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE: Final = 500
FOLD_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.1


class NotDeclared(ProjectorError):
    """Nothing can be declared as things stand."""


class Wanted(NamedTuple):
    """What to declare: of a user, or of the account where both texts are empty. None takes it back."""

    user_key: str
    user_id: str
    value: Any


class Step(NamedTuple):
    """One declaration to append: what stands before it, what after, and from when, epoch milliseconds."""

    wanted: Wanted
    before: Any
    at_ms: int


@dataclass(frozen=True)
class Plan:
    """What a command would append. `unchanged`: how many declarations say what stands already."""

    kind: Kind
    account: str
    steps: Sequence[Step]
    unchanged: int
    warnings: Sequence[str]


async def account_of(database: Database, named: str | None) -> str:
    """Return the account that is meant: the one named, or the only one. Raises NotDeclared."""
    known = await accounts(database)
    if not known:
        raise NotDeclared(
            "no account is known yet; wait for its first delivery, or read it with `projector reconcile`"
        )
    told = ", ".join(sorted(known))
    if named is None and len(known) > 1:
        raise NotDeclared(f"there are several accounts; name one with --account: {told}")
    if named is not None and named not in known:
        raise NotDeclared(f"there is no such account; --account takes one of: {told}")
    return named or next(iter(known))


def from_when(since: datetime | None) -> int:
    """The event time of declarations, epoch milliseconds: of `since`, or now. Raises ConfigurationError."""
    now = time.time_ns() // 1_000_000
    if since is None:
        return now
    at_ms = (since - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= at_ms <= now:
        raise ConfigurationError(
            "--since takes a time from 1970 until now; name one that is not to come"
        )
    return at_ms


async def until_folded(database: Database) -> None:
    """Wait until every declaration in the log is folded. Raises NotDeclared after FOLD_SECONDS."""
    deadline = time.monotonic() + FOLD_SECONDS
    while (position := await unfolded_declaration(database)) is not None:
        if time.monotonic() >= deadline:
            raise NotDeclared(
                f"the declaration at position {position} is not folded yet, so what stands is not known; let "
                "`projector project` run, and see `projector status`"
            )
        await asyncio.sleep(POLL_SECONDS)


async def of_model(database: Database, account: str, model: str | None, at_ms: int) -> Plan:
    """Plan the declaration of an account's model, or (None) take it back."""
    return await _planned(database, "model", account, [Wanted("", "", model)], at_ms, [])


async def of_ranking(
    database: Database, account: str, lines: Sequence[Line] | None, at_ms: int
) -> Plan:
    """Plan the declaration of a ranking of all groups, or (None) take it back. Raises BadFile."""
    value = None
    if lines is not None:
        value = ranked(lines, Groups(await groups_of(database, account)))
    return await _planned(database, "ranking", account, [Wanted("", "", value)], at_ms, [])


async def of_primary_groups(
    database: Database, account: str, lines: Sequence[Line], at_ms: int
) -> Plan:
    """Plan the declarations of people's primary groups; those without one are taken back. Raises BadFile."""
    groups = Groups(await groups_of(database, account))
    by_id = await people(database, account, "id", {line.person.lower() for line in lines})
    by_email = await people(database, account, "email", {lowered(line.person) for line in lines})
    lines_of: dict[str, int] = {}
    wanted, problems, warnings = [], [], []
    for line in lines:
        try:
            who = _somebody(line.person, by_id, by_email)
            group = groups.found(line.group) if line.group else None
        except BadFile as error:
            problems.append(f"line {line.number}: {error}")
            continue
        if (earlier := lines_of.get(who.user_key)) is not None:
            problems.append(f"line {line.number}: line {earlier} has the same person already")
            continue
        lines_of[who.user_key] = line.number
        wanted.append(Wanted(who.user_key, who.user_id, group))
        if group is not None and who.primary_group_id not in (None, group):
            warnings.append(
                f"line {line.number}: events say that the primary group of {shown(who.user_id)} is "
                f"{groups.label(who.primary_group_id or '')}, and what events say wins"
            )
    if problems:
        refuse(problems)
    if not wanted:
        refuse(["the file names nobody"])
    return await _planned(database, "primary_group", account, wanted, at_ms, warnings)


def _somebody(
    text: str, by_id: Mapping[str, list[Somebody]], by_email: Mapping[str, list[Somebody]]
) -> Somebody:
    """The person that is meant. Raises BadFile, without the line's number."""
    found = by_id.get(text.lower()) or by_email.get(lowered(text)) or []
    if len(found) > 1:
        ids = ", ".join(sorted({one.user_id for one in found}))
        raise BadFile(f"several people have the e-mail {shown(text)}; name one by id: {ids}")
    if not found:
        raise BadFile(f"nobody in the account has the id or e-mail {shown(text)}")
    return found[0]


async def _planned(
    database: Database,
    kind: Kind,
    account: str,
    wanted: Sequence[Wanted],
    at_ms: int,
    warnings: Sequence[str],
) -> Plan:
    steps: list[Step] = []
    unchanged = 0
    pending = list(wanted)
    while pending:
        moment = _EPOCH + timedelta(milliseconds=at_ms)
        keys = [one.user_key for one in pending]
        standing = await declared(database, kind, account, moment, keys)
        again = []
        for one in pending:
            found = standing.get(one.user_key)
            before = None if found is None else found.value
            if found is not None and _is_taken(found, one.value, at_ms):
                again.append(one)
            elif before == one.value:
                unchanged += 1
            else:
                steps.append(Step(one, before, at_ms))
        pending, at_ms = again, at_ms + 1
    newest = await declared(database, kind, account, None, [one.user_key for one in wanted])
    passing = sum(
        (last := newest.get(step.wanted.user_key)) is not None and last.since_ms > step.at_ms
        for step in steps
    )
    later = [f"{passing:,} of them only until a later declaration that stands"] * bool(passing)
    return Plan(kind, account, steps, unchanged, [*warnings, *later])


def _is_taken(found: Declared, value: Any, at_ms: int) -> bool:
    """Whether a millisecond has a declaration of another value, or one that the next millisecond corrects."""
    return found.since_ms == at_ms and (found.value != value or found.until_ms == at_ms + 1)


async def declare(database: Database, plan: Plan, who: str) -> list[int]:
    """Append what a plan says, some hundred declarations a commit; returns their positions."""
    event, name = _EVENTS[plan.kind]
    positions = []
    for start in range(0, len(plan.steps), AT_ONCE):
        bodies = [
            received_now(
                act_body(
                    event,
                    who,
                    step.at_ms,
                    About(
                        {"id": step.wanted.user_id or plan.account, name: step.wanted.value},
                        plan.account,
                    ),
                )
            )
            for step in plan.steps[start : start + AT_ONCE]
        ]
        positions += await append_patiently(database, bodies, "declared")
    return positions
