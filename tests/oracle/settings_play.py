"""A seeded play of settings: small accounts whose levels, locks and declarations often meet.

Few people, groups, paths and values on purpose. Each event has a time of its own.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .naive_events import Delivery

Body = dict[str, Any]

START = datetime(2026, 4, 6, 7, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
RECEIVED = START + timedelta(hours=1)

ACCOUNTS = ("acc-One", "acc-two")
USERS = ("Ann-9Q", "bOb_2", "CY3")
GROUPS = ("Team", "team", "G-3")
NOWHERE = "G-elsewhere"


@dataclass(frozen=True)
class Spelled:
    """How the levels spell one setting, and the flags that lock it; an empty tuple is none."""

    user: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    group_flags: tuple[str, ...] = ()
    account_flags: tuple[str, ...] = ()


def _everywhere(path: str, *flags: str) -> Spelled:
    return Spelled((path,), (path,), (path,), flags, flags)


CLOUD = _everywhere("recording.cloud_recording", "recording.cloud_recording")
INTERPRETATION = _everywhere(
    "in_meeting.language_interpretation.enable", "in_meeting.language_interpretation"
)
ARCHIVE = Spelled(
    group=("recording.archive.type",),
    account=("recording.archive.type",),
    group_flags=("recording.archive",),
    account_flags=("recording.archive",),
)
TWIN = Spelled(
    user=("schedule_meeting.participants_video",),
    group=("schedule_meeting.participant_video",),
    account=("schedule_meeting.participant_video",),
    group_flags=("schedule_meeting.participant_video",),
    account_flags=("schedule_meeting.participant_video",),
)
WAITING_ROOM = _everywhere(
    "in_meeting.waiting_room", "in_meeting.waiting_room", "meeting_security.waiting_room"
)
ACCOUNT_ONLY = Spelled(account=("security.admin_change_name_pic",))
ACCOUNT_ALMOST_ONLY = Spelled(
    group=("security.admin_change_name_pic",),
    account=("security.admin_change_name_pic",),
)
NO_FLAG = _everywhere("feature.meeting_capacity")
UNHEARD_OF = _everywhere("in_meeting.brand_new", "in_meeting.brand_new")
# An object at one level, a leaf at another; its flag may stand above it, at it, or below.
BOTH = Spelled(
    ("recording.fresh", "recording.fresh.inner"),
    ("recording.fresh", "recording.fresh.inner"),
    ("recording.fresh", "recording.fresh.inner"),
    ("recording.fresh", "recording.fresh.inner"),
    ("recording.fresh", "recording.fresh.inner"),
)
POOL = (
    CLOUD, CLOUD, INTERPRETATION, ARCHIVE, ARCHIVE, TWIN, WAITING_ROOM, ACCOUNT_ONLY,
    ACCOUNT_ALMOST_ONLY, NO_FLAG, UNHEARD_OF, BOTH,
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    True, "true", False, "false", 1, "1", None, "null", [], ["a", 1], ["a", "1"], "cloud", "Zoë", 2.5,
)  # fmt: skip
LIKE_EACH_OTHER: tuple[tuple[Any, ...], ...] = (
    (True, "true"),
    (1, "1"),
    (False, "false"),
    ("cloud",),
)
LOCKS: tuple[Any, ...] = (True, True, True, False, False, False, "TRUE", "False", None, 1, "on", [])


def settings_play(seed: int) -> list[Delivery]:
    """Return the log of a seed, in the order of events: positions from 1, each with its source."""
    rng = random.Random(seed)
    accounts = ACCOUNTS if rng.random() < 0.2 else ACCOUNTS[:1]
    stories = [SettingsPlay(rng, account).events() for account in accounts]
    # Accounts take turns, each in its own order.
    turns = [number for number, story in enumerate(stories) for _ in story]
    rng.shuffle(turns)
    told = [stories[number].pop(0) for number in turns]
    log, now = [], START_MS
    for position, (source, body) in enumerate(told, start=1):
        now += rng.randint(1, 50)
        raw = json.dumps({"event_ts": now, **body}, ensure_ascii=False).encode()
        log.append(Delivery(position, RECEIVED + timedelta(seconds=position), raw, source))
    return log


class SettingsPlay:
    """One account in progress. Half of them are `clear`: nearly all is told, so that much can be answered."""

    def __init__(self, rng: random.Random, account: str) -> None:
        self.rng, self.account = rng, account
        self.clear = rng.random() < 0.5
        self.users = rng.sample(USERS, rng.randint(1, 3))
        self.groups = rng.sample(
            GROUPS, rng.choice([0, 1, 2, 2, 3] if self.clear else [0, 1, 1, 2, 2, 3])
        )
        # Groups that only their members name.
        self.unheard = {group for group in self.groups if rng.random() < 0.15}
        self.paths = rng.sample(POOL, rng.randint(3, 5))
        # Where all levels draw from two or three values, they often agree.
        alike = rng.choice(LIKE_EACH_OTHER) if rng.random() < 0.6 else ()
        self.values = [*alike, *rng.sample(VALUES, 1 if alike else 3)]
        self.told: list[tuple[str, Body]] = []

    def events(self) -> list[tuple[str, Body]]:
        """Return (source, body) in order: first who there is, then what is set, then some changes."""
        self._people()
        steps: list[tuple[float, Callable[[], None]]] = [
            (self._likely(0.85), self._account_settings),
            *((0.9, self._member(user, group)) for user in self.users for group in self.groups),
            *(
                (self._likely(0.85), self._group(group))
                for group in self.groups
                if group not in self.unheard
            ),
            *((0.55, self._user(user)) for user in self.users),
            *((0.45, self._primary(user)) for user in self.users),
            (self._likely(0.6), self._declared_model),
            (self._likely(0.5), self._declared_ranking),
            *((0.4, self._declared_primary(user)) for user in self.users),
        ]
        chosen = [step for probability, step in steps if self._chance(probability)]
        self.rng.shuffle(chosen)
        for step in chosen:
            step()
        for _ in range(self.rng.choice([0, 0, 1, 3, 6])):
            self.rng.choice([step for _, step in steps] + [self._ending])()
        return self.told

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _likely(self, probability: float) -> float:
        return 0.97 if self.clear else probability

    def _tell(self, name: str, about: Body, **payload: Any) -> None:
        source = name.partition(".")[0]
        source = source if source in ("rest", "declared") else "webhook"
        said = {"account_id": self.account, "object": about, **payload}
        self.told.append((source, {"event": name, "payload": said}))

    def _spelling(self, user: str) -> str:
        return self.rng.choice([user, user, user, user.lower()])

    # Who there is

    def _people(self) -> None:
        for user in self.users:
            if self._chance(0.95):
                self._tell("user.created", {"id": user, "email": f"{user.lower()}@x.test"})
        for group in self.groups:
            if group not in self.unheard and self._chance(0.9):
                self._tell("group.created", {"id": group, "name": group})

    def _member(self, user: str, group: str) -> Callable[[], None]:
        def step() -> None:
            members = [{"id": self._spelling(user), "email": f"{user.lower()}@x.test"}]
            self._tell("group.member_added", {"id": group, "members": members})

        return step

    def _primary(self, user: str) -> Callable[[], None]:
        def step() -> None:
            changed = {"id": user, "primary_group_id": self._some_group()}
            self._tell("user.updated", changed, old_object={"id": user})

        return step

    def _ending(self) -> None:
        user = self.rng.choice(self.users)
        if not self.groups or self._chance(0.3):
            self._tell("user.deleted", {"id": user})
        elif self._chance(0.3):
            self._tell("group.deleted", {"id": self.rng.choice(self.groups)})
        else:
            group = self.rng.choice(self.groups)
            self._tell("group.member_deleted", {"id": group, "members": [{"id": user}]})

    def _some_group(self) -> str:
        return self.rng.choice([*self.groups * 4, NOWHERE])

    # What is set

    def _settings(self, level: str, probability: float) -> Body:
        document: Body = {}
        for setting in self.paths:
            spelled = getattr(setting, level)
            # Hardly ever: a group has what the map gives to accounts alone.
            rare = setting is ACCOUNT_ALMOST_ONLY and level == "group"
            if spelled and self._chance(0.3 if rare else probability):
                _put(document, self.rng.choice(spelled), self.rng.choice(self.values))
        return document

    def _locks(self, level: str) -> Body:
        document: Body = {}
        mostly = self.rng.choice(self._kinds_of_locks(level))
        for setting in self.paths:
            for flag in getattr(setting, f"{level}_flags"):
                if self._chance(self._likely(0.85)):
                    lock = self.rng.choice(LOCKS) if mostly is None else mostly
                    _put(document, flag, lock)
        return document

    def _kinds_of_locks(self, level: str) -> list[bool | None]:
        """Locks are all closed, all open, or (None) anything."""
        if level == "group":
            return [None, True, True, False]
        return [False, False, False, None, True] if self.clear else [None, False, False, True]

    def _account_settings(self) -> None:
        about: Body = {
            "id": self.account,
            "settings": self._settings("account", self._likely(0.85)),
        }
        if self._chance(self._likely(0.85)):
            about["locks"] = self._locks("account")
        self._tell("rest.account_settings_observed", about, run="r1")

    def _group(self, group: str) -> Callable[[], None]:
        def step() -> None:
            if self._chance(0.5):
                about = {"id": group, "settings": self._settings("group", self._likely(0.8))}
                locks = {"locks": self._locks("group")} if self._chance(self._likely(0.85)) else {}
                self._tell("rest.group_settings_observed", about | locks, run="r1")
                return
            if self._chance(self._likely(0.85)):
                self._change(
                    "group.settings_updated", group, self._settings("group", self._likely(0.8))
                )
            if self._chance(self._likely(0.8)):
                self._change("group.lock_settings_updated", group, self._locks("group"))

        return step

    def _user(self, user: str) -> Callable[[], None]:
        def step() -> None:
            settings = self._settings("user", 0.8)
            if self._chance(0.5):
                about = {"id": self._spelling(user), "settings": settings}
                self._tell("rest.user_settings_observed", about, run="r1")
            else:
                self._change("user.settings_updated", self._spelling(user), settings)

        return step

    def _change(self, name: str, entity: str, settings: Body) -> None:
        """Tell a change; sometimes one that clears what it names."""
        if self._chance(0.1):
            old = {"id": entity, "settings": settings}
            self._tell(name, {"id": entity, "settings": {}}, old_object=old)
        else:
            self._tell(name, {"id": entity, "settings": settings})

    # What an operator declares

    def _declared_model(self) -> None:
        model = self.rng.choice(["legacy", "legacy", "priority", "priority", None])
        self._tell("declared.model", {"id": self.account, "model": model})

    def _declared_ranking(self) -> None:
        ranking = self.rng.sample(self.groups, len(self.groups))
        if self._chance(0.2):
            ranking = ranking[1:]
        if self._chance(0.3):
            ranking.insert(0, NOWHERE)
        groups = ranking if ranking and self._chance(0.9) else None
        self._tell("declared.ranking", {"id": self.account, "groups": groups})

    def _declared_primary(self, user: str) -> Callable[[], None]:
        def step() -> None:
            group = self._some_group() if self._chance(0.9) else None
            about = {"id": self._spelling(user), "primary_group_id": group}
            self._tell("declared.primary_group", about)

        return step


def _put(document: Body, path: str, value: Any) -> None:
    """Set the leaf at a path; what stands in its way becomes an object."""
    *above, last = path.split(".")
    for step in above:
        inside = document.get(step)
        if not isinstance(inside, dict):
            inside = document[step] = {}
        document = inside
    document[last] = value
