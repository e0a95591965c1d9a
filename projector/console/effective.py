"""Settings in effect: what somebody's settings come to, who decides each of them, and how sure that is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg

from projector.console.documents import NULL, leaves, parsed, written
from projector.console.moments import Moments
from projector.console.snapshot import Snapshot

# So many settings are shown without being asked for; of more, those that somebody may wonder about.
FEW: Final = 60
MOST_NOTABLE: Final = 100
MOST: Final = 1_000
MOST_SECTIONS: Final = 100
LONGEST_WHY: Final = 300  # characters
_WORDS: Final = ("exact", "declared", "unknown")
_NOT_JUDGED: Final = "what is in effect is not told of a setting with such a name"


class Effective(NamedTuple):
    """One setting. `value`: None where it is not known what is in effect. `own`: None where it is not known.

    `source`: account, group, user, or default unknown; `group_id`: which group, where it is one.
    """

    path: str
    value: Any
    source: str
    group_id: str | None
    locked_by: str | None
    confidence: str
    why: str
    own: Any

    @property
    def overruled(self) -> bool:
        """Whether something else is in effect than the own value. Zoom tells true also as "true"."""
        if self.own is None or self.value is None:
            return False
        return _text(self.own) != _text(self.value)

    @property
    def reason(self) -> str:
        """`why`, of which a very long one shows its beginning."""
        return self.why if len(self.why) <= LONGEST_WHY else f"{self.why[:LONGEST_WHY]} \u2026"

    @property
    def own_is_left_out(self) -> bool:
        """Whether nothing else that the page shows tells the own value."""
        if self.own is None or self.value is not None:
            return False
        return not self.reason.endswith(f" own {written(self.own)}")

    @property
    def notable(self) -> bool:
        """Whether somebody else decides it, or it rests on a declaration."""
        return self.locked_by is not None or self.confidence == "declared" or self.overruled


class InEffect(NamedTuple):
    """Settings whose paths begin alike: those that are shown, and how many there are.

    `number`: its place among all sections, from 1.
    """

    number: int
    name: str
    shown: Sequence[Effective]
    total: int
    locked: int
    unknown: int


class Settings(NamedTuple):
    """All settings of somebody. `many`: so many that all are shown only where that is asked for.

    `chosen`: all are shown, and else only those that are notable. `left_out`: so many sections are not here.
    """

    sections: Sequence[InEffect]
    left_out: int
    counts: Mapping[str, int]
    locked: int
    total: int
    shown: int
    many: bool
    chosen: bool

    @property
    def words(self) -> str:
        """How sure they are, in a line."""
        return ", ".join(f"{self.counts[word]} {word}" for word in _WORDS)


async def effective(
    read: Snapshot, person: asyncpg.Record, own: str | None, moments: Moments, *, every: bool
) -> Settings | None:
    """Read what is in effect for somebody of the people; None where nothing is known of any setting.

    `own`: the person's own settings, as the database writes them. `every`: show all, however many.
    """
    # It reads other views than the rest of the page, which an upgrade may have to build first.
    if not await read.rows("views_there", ["effective_user_settings"]):
        return None
    which = person["account_id"], person["user_id"]
    rows = await (
        read.rows("person_effective", *which)
        if moments.at is None
        else read.rows("person_effective_at", *which, moments.at)
    )
    if not rows:
        return None
    found = sorted(_judged(rows, parsed(own) or {}), key=lambda one: one.path.split("."))
    return _settings(found, every=every)


def _judged(rows: Sequence[asyncpg.Record], own: Mapping[str, Any]) -> Iterator[Effective]:
    values = dict(leaves(own))
    for row in rows:
        mine = values.pop(tuple(row["path"].split(".")), None)
        yield Effective(
            row["path"], parsed(row["value"]), row["source"], row["source_group_id"], row["locked_by"],
            row["confidence"], row["why"], mine,
        )  # fmt: skip
    for path, mine in values.items():
        yield Effective(
            ".".join(path), None, "default unknown", None, None, "unknown", _NOT_JUDGED, mine
        )


def _settings(found: Sequence[Effective], *, every: bool) -> Settings:
    many = len(found) > FEW
    chosen = every or not many
    shown = found[:MOST] if chosen else [one for one in found if one.notable][:MOST_NOTABLE]
    by_section = dict(_by_section(shown))
    sections = [
        InEffect(
            number,
            name,
            by_section.get(name, ()),
            len(some),
            sum(one.locked_by is not None for one in some),
            sum(one.confidence == "unknown" for one in some),
        )
        for number, (name, some) in enumerate(_by_section(found), 1)
    ]
    # Of very many sections those that show something.
    here = sections
    if len(sections) > MOST_SECTIONS:
        here = [one for one in sections if one.shown][:MOST_SECTIONS]
    return Settings(
        here,
        len(sections) - len(here),
        Counter(one.confidence for one in found),
        sum(one.locked for one in sections),
        len(found),
        len(shown),
        many,
        chosen,
    )


def _by_section(some: Sequence[Effective]) -> list[tuple[str, list[Effective]]]:
    return [
        (name, list(few)) for name, few in groupby(some, lambda one: one.path.partition(".")[0])
    ]


def _text(value: Any) -> str | None:
    """What tells values apart, as in the directory: a JSON null is like no text."""
    if value is NULL:
        return None
    return value if isinstance(value, str) else written(value)
