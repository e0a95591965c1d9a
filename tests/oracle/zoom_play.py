"""A careless Zoom: seeded deliveries that soon reach every case of the fold.

Small alphabets on purpose: few people, groups, e-mails and paths, so that events concern the same ones.
All choices come from one random stream, in order: a shorter play is a prefix of a longer one.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .naive_diff import leaves
from .operator_play import ACTS, DECLARATIONS, account_of, act, declaration
from .zoom_documents import CLEAN, WILD, Alphabet, arbitrary, changed, difference, noise

Body = dict[str, Any]
Delivered = tuple[bytes, int]  # raw bytes, and milliseconds from START to their receipt

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)

ACCOUNTS = ("acc-One", "acc-two")
USERS = ("Ann-9Q", "bOb_2", "CY3", "77")
GROUPS = ("Team", "team", "G-3")
EMAILS = ("ann@x.test", "bob@x.test", "desk@x.test", "Zoë@x.test")
CLIENTS = ("mac", "win", "browser")
REMOVALS = ("user.deleted", "user.disassociated")

WEIGHTS = {
    "user.created": 5,
    "user.invitation_accepted": 2,
    "user.activated": 3,
    "user.deactivated": 3,
    "user.disassociated": 2,
    "user.deleted": 2,
    "user.updated": 16,
    "user.settings_updated": 14,
    "user.presence_status_updated": 7,
    "user.personal_notes_updated": 6,
    "user.signed_in": 6,
    "user.signed_out": 4,
    "group.created": 3,
    "group.updated": 5,
    "group.deleted": 2,
    "group.member_added": 9,
    "group.member_deleted": 4,
    "group.members_deleted": 3,
    "group.admin_added": 4,
    "group.admin_deleted": 3,
    "group.settings_updated": 9,
    "group.lock_settings_updated": 7,
    "meeting.started": 1,
    "user.promoted": 1,
    "rest.user_observed": 12,
    "rest.user_gone": 2,
    "rest.group_observed": 3,
    "rest.group_gone": 2,
    "rest.group_members_observed": 4,
    "rest.group_admins_observed": 5,
    "rest.user_settings_observed": 5,
    "rest.group_settings_observed": 4,
    "rest.account_settings_observed": 2,
    "rest.section_read": 2,
    "rest.unheard_of": 1,
    "operator.dead_letter_dismissed": 2,
    "operator.drift_acknowledged": 4,
    "operator.unheard_of": 1,
    "declared.model": 3,
    "declared.ranking": 3,
    "declared.primary_group": 5,
    "declared.unheard_of": 1,
}
UNHEARD_OF = ("meeting.started", "user.promoted", "operator.unheard_of", "declared.unheard_of")


@dataclass(frozen=True)
class Mood:
    """How a play behaves; every number except `step_ms` is a probability.

    `consistent`: an old_object agrees with what was sent before. `lost`: a delivery never
    arrives. `odd`: something about an event is unusual. `step_ms`: the greatest gap between
    two events; 0 puts all into the same millisecond. `apart` forbids equal times. `observed`: it is also
    told what Zoom's REST API shows, true or not, and what an operator does and declares.
    """

    consistent: float = 0.7
    lost: float = 0.1
    odd: float = 0.3
    step_ms: int = 3
    apart: bool = False
    observed: bool = True
    alphabet: Alphabet = WILD


FAITHFUL = Mood(consistent=1, lost=0, odd=0, apart=True, observed=False, alphabet=CLEAN)
"""Nothing unusual, nothing lost, every old_object true."""


class Play:
    """A history in progress; `truth` is its current state of every document."""

    def __init__(self, rng: random.Random, mood: Mood) -> None:
        self.rng, self.mood = rng, mood
        self.now = 0
        self.truth: dict[tuple[str, ...], Body] = {}
        self.sent: list[tuple[bytes, Body]] = []

    def deliveries(self, count: int) -> list[Delivered]:
        """Return `count` distinct deliveries, in the order sent."""
        sent: dict[bytes, int] = {}
        while len(sent) < count:
            for body, received in self._events():
                if not self._chance(self.mood.lost):
                    sent.setdefault(body, received)
        return list(sent.items())[:count]

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _odd(self, share: float = 0.3) -> bool:
        return self._chance(self.mood.odd * share)

    def _events(self) -> list[Delivered]:
        ours = ("rest.", "operator.", "declared.")
        told = {n: w for n, w in WEIGHTS.items() if self.mood.observed or not n.startswith(ours)}
        name = self.rng.choices(list(told), list(told.values()))[0]
        account = self.rng.choice(ACCOUNTS)
        events = [self._event(name, account)]
        if name in REMOVALS and self._chance(self.mood.odd):
            user = events[0]["payload"]["object"]["id"]
            events.insert(0, self._placeholder(account, user))
        return [self._deliver(event) for event in events]

    def _event(self, name: str, account: str) -> Body:
        payload: Body = {"account_id": account}
        if self._chance(0.7):
            payload["operator"] = self.rng.choice(EMAILS)
        if name.startswith("rest."):
            self._observation(payload, name)
        elif name in ACTS:
            self._act(payload, name)
        elif name in DECLARATIONS:
            self._declaration(payload, name)
        elif "settings_updated" in name:
            self._settings(payload, name)
        elif name.startswith("group."):
            self._group(payload, name)
        elif "signed_" in name or "presence" in name:
            self._activity(payload, name)
        elif "notes" in name:
            self._note(payload)
        elif name in UNHEARD_OF:
            payload["object"] = {"id": self._person(), "email": self._email()}
        else:
            self._profile(payload, name)
        top_level = {"operator": self.rng.choice(EMAILS)} if self._odd(0.2) else {}
        return {"event": name, **top_level, "payload": payload}

    # Documents that diffs describe

    def _diff(self, payload: Body, kind: str, entity: str, *, old_is_told: float) -> None:
        """Change a document and put both sides into the payload, correct or not."""
        key = (payload["account_id"], kind, entity)
        before = self.truth.get(key, {})
        if self._chance(self.mood.consistent):
            after = changed(self.rng, self.mood.alphabet, kind, before)
            self.truth[key] = after
            new, old = difference(before, after)
        else:
            new = arbitrary(self.rng, self.mood.alphabet, kind)
            old = arbitrary(self.rng, self.mood.alphabet, kind)
        payload["object"] |= new
        if self._chance(old_is_told) or dict(leaves(old)).keys() - dict(leaves(new)).keys():
            payload["old_object"] = {"id": entity} | old if self._chance(0.6) else old
        self._spoil_old(payload)

    def _spoil_old(self, payload: Body) -> None:
        if not self._odd(0.25):
            return
        old = payload.get("old_object", {})
        blank = self.rng.choice(["", None])
        payload["old_object"] = self.rng.choice(
            [{"id": blank} | dict.fromkeys(old, ""), old | {"id": blank}, "none", None, [], 3]
        )

    def _placeholder(self, account: str, user: str) -> Body:
        blank = {"id": "", "email": "", "dept": "", "settings": {"a": ""}}
        changes = {"id": user, "dept": self.rng.choice(["", "Sales"])}
        payload = {"account_id": account, "object": changes, "old_object": blank}
        return {"event": "user.updated", "payload": payload}

    def _person(self) -> str:
        return self.rng.choice(USERS)

    def _spelling(self, user: str) -> Any:
        if user == "77":
            return self.rng.choice(["77", 77])
        return self.rng.choice([user, user, user.lower(), user.upper()])

    def _profile(self, payload: Body, name: str) -> None:
        user = self._person()
        payload["object"] = {"id": self._spelling(user)}
        updated = name == "user.updated"
        if updated and self._chance(0.15):
            everywhere = self._chance(0.75)
            payload["operation"] = "sign_out_from_all_devices" if everywhere else "change_password"
            if self._chance(0.7):
                return
        self._diff(payload, "profile", user, old_is_told=0.9 if updated else 0.2)
        if name == "user.created" and not self._odd():
            payload["creation_type"] = self.rng.choice(["create", "create", "autoCreate"])
        if not updated and self._chance(0.5):
            email = payload["object"].setdefault("email", self.rng.choice(EMAILS))
            key = (payload["account_id"], "profile", user)
            self.truth[key] = self.truth.get(key, {}) | {"email": email}

    def _settings(self, payload: Body, name: str) -> None:
        of_user = name.startswith("user.")
        entity = self._person() if of_user else self.rng.choice(GROUPS)
        payload["object"] = {"id": self._spelling(entity) if of_user else entity}
        kind = "locks" if "lock" in name else "user" if of_user else "group"
        self._diff(payload, kind + " settings", entity, old_is_told=0.9)
        if self._odd(0.15):
            payload["object"]["settings"] = self.rng.choice([None, "x", [], 5, {}])

    def _note(self, payload: Body) -> None:
        user = self._person()
        payload["object"] = {"id": self._spelling(user), "email": self._email()}
        self._diff(payload, "note", user, old_is_told=0.9)

    def _email(self) -> str:
        email = self.rng.choice(EMAILS)
        return email.upper() if self._odd() else email

    def _activity(self, payload: Body, name: str) -> None:
        payload["object"] = about = {"id": self._spelling(self._person())}
        if self._chance(0.8):
            about["email"] = self._email() if self._chance(0.9) else ""
        if "presence" in name:
            about["id"] = str(about["id"]).lower()
            about["presence_status"] = self.rng.choice(["Available", "Away", "Offline"])
            if self._chance(0.4):
                about["app"] = {"type": "mobile", "presence_status": "Offline"}
            return
        about["version"] = self.rng.choice(["5.1", "6.0.2", "-", 7])
        about["login_type"] = self.rng.choice([0, 1, 100, "101", "sso", None])
        if not self._odd():
            about["client_type"] = self.rng.choice(CLIENTS)

    def _group(self, payload: Body, name: str) -> None:
        group = self.rng.choice(GROUPS)
        payload["object"] = {"id": group}
        if "member" in name or "admin" in name:
            column = "members" if "member" in name else "admins"
            listed: Any = [self._entry() for _ in range(self.rng.choice([1, 1, 2, 3]))]
            if self._odd(0.15):
                listed = self.rng.choice([None, "all", {}, []])
            payload["object"][column] = listed
        else:
            self._diff(payload, "group", group, old_is_told=0.9 if "updated" in name else 0.2)

    def _entry(self) -> Any:
        if self._odd(0.15):
            return self.rng.choice([{}, {"id": "", "email": ""}, "nobody", None])
        entry: Body = {"id": self._spelling(self._person()), "email": self._email()}
        missing = self.rng.choice([None, None, "id", "email"])
        if missing:
            del entry[missing]
            if self._odd():
                entry[missing] = self.rng.choice(["", None])
        return entry

    # What is observed: true or not, it is told as of its time

    def _observation(self, payload: Body, name: str) -> None:
        if self._odd(0.3):
            payload["forged"] = True
        if name == "rest.user_observed":
            payload["object"] = self._seen_person()
        elif name in ("rest.user_gone", "rest.user_settings_observed"):
            payload["object"] = {"id": self._spelling(self._person())}
        else:
            payload["object"] = {"id": self.rng.choice(GROUPS)}
        self._seen(payload["object"], name)

    def _seen(self, about: Body, name: str) -> None:
        if name == "rest.group_observed" and self._chance(0.9):
            about["name"] = self.rng.choice(["red", "blue", "", None])
        elif name in ("rest.group_members_observed", "rest.group_admins_observed"):
            for column in ("members" if "members" in name else "admins", "absent"):
                if self._chance(0.7):
                    about[column] = [self._entry() for _ in range(self.rng.choice([0, 1, 2]))]
        elif name == "rest.section_read":
            about |= {
                "id": self.rng.choice(["users", "groups"]),
                "complete": self.rng.choice([True, True, False, None, 1]),
                "read": self.rng.choice([0, 5, "7", None]),
                "gone": self.rng.randrange(3),
                "unreadable": self.rng.choice([None, "", "a scope is missing"]),
            }
        elif "settings" in name:
            self._seen_settings(about, name)

    def _seen_person(self) -> Body:
        about = {"id": self._spelling(self._person())}
        kinds = ["profile"] * self.rng.choice([0, 1, 3])
        for kind in kinds:
            about |= arbitrary(self.rng, self.mood.alphabet, kind)
        about.pop("settings", None)
        if self._chance(0.8):
            about["status"] = self.rng.choice(
                ["active", "active", "inactive", "pending", "odd", None]
            )
        if self._chance(0.7):
            count = self.rng.choice([0, 1, 1, 2, 3])
            about["group_ids"] = self.rng.sample(GROUPS, count)
            if self._odd(0.2):
                about["group_ids"] = self.rng.choice([None, "Team", ["Team", ""], [None], [5]])
        if self._chance(0.3):
            dates = ["2020-01-02T03:04:05Z", "2021-05-06", "soon", None, 7]
            about["user_created_at"] = self.rng.choice(dates)
        return about

    def _seen_settings(self, about: Body, name: str) -> None:
        kinds = {"rest.user_settings_observed": ("user settings",)}
        for kind in kinds.get(name, ("group settings", "locks settings")):
            if self._chance(0.8):
                column = "locks" if "locks" in kind else "settings"
                seen = arbitrary(self.rng, self.mood.alphabet, kind).get("settings")
                about[column] = self.rng.choice([None, "x", []]) if self._odd(0.1) else seen

    # What an operator does

    def _act(self, payload: Body, name: str) -> None:
        if self._odd(0.3):
            payload["forged"] = True
        payload["object"] = act(self.rng, name, self.sent)
        account = payload["account_id"]
        payload["account_id"] = account_of(self.sent, payload["object"], account)
        if name == ACTS[0] and self._chance(0.3):
            payload.pop("account_id", None)

    def _declaration(self, payload: Body, name: str) -> None:
        if self._odd(0.3):
            payload["forged"] = True
        person = self._spelling(self._person())
        account = payload["account_id"]
        payload["object"] = declaration(self.rng, name, account, person, GROUPS)

    # The envelope

    def _deliver(self, body: Body) -> Delivered:
        self.now += self.rng.randint(int(self.mood.apart), self.mood.step_ms)
        received = self.now + self.rng.choice([0, 1, 5, 300])
        time_ms: Any = START_MS + self.now
        body["event_ts"] = time_ms
        if self._odd(0.25):
            self._move_time(body, time_ms, received)
        if self._odd(0.12):
            self._break(body)
        if self._odd(0.3):
            noise(self.rng, body)
        text = json.dumps(body, ensure_ascii=self._chance(0.7))
        raw = text.encode("utf-8", "surrogatepass")
        self.sent.append((raw, body))
        return raw, received

    def _move_time(self, body: Body, time_ms: int, received: int) -> None:
        """Move the event's time to another of its fields, or remove it."""
        payload = body["payload"]
        del body["event_ts"]
        moment = START + timedelta(milliseconds=time_ms - START_MS)
        late = START_MS + received + 24 * 3600 * 1000
        wrong: Any = self.rng.choice([None, -1, "soon", True, 1.5, late + 1, 10**30])
        date = self.rng.choice([moment.isoformat(), moment.isoformat().replace("+00:00", "Z")])
        match self.rng.randrange(7):
            case 0:
                body["event_ts"] = str(time_ms)
            case 1:
                payload["time_stamp"] = self.rng.choice([time_ms, str(time_ms)])
                body["event_ts"] = wrong
            case 2:
                body["time_stamp"] = time_ms
                payload["time_stamp"] = wrong
            case 3:
                payload["object"]["date_time"] = date
            case 4:
                payload["object"]["date-time"] = self.rng.choice([date, date[:23], time_ms])
                payload["object"]["date_time"] = ""
            case 5:
                body["event_ts"] = wrong
            case _:
                body["event_ts"] = late

    def _break(self, body: Body) -> None:
        """Make the event impossible to fold, or nearly so."""
        payload = body["payload"]
        match self.rng.randrange(5):
            case 0:
                payload["account_id"] = self.rng.choice([None, "", True, {}])
            case 1:
                payload.pop("account_id", None)
            case 2:
                payload["object"] = self.rng.choice([None, [], "x", {}])
            case 3:
                payload["object"]["id"] = self.rng.choice(["", None, 1.5, False])
            case _:
                body["payload"] = self.rng.choice([None, [payload], "x"])
