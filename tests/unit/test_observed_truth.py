"""An observation of the truth gives the truth, whatever was lost before it and whatever arrives after it.

A small company plays: its truth is kept here, event by event, and by no fold. Some deliveries are lost, some
come late; what Zoom would show at one moment is observed; and the directory is what the company is.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.naive_fold import Delivery, fold
from tests.oracle.story import RECEIVED, event

PEOPLE, GROUPS = ("Uma", "Bo", "Cy", "Di"), ("G", "H", "I")
FIELDS = ("dept", "first_name", "language")


@dataclass
class Company:
    """What is true, and the deliveries that told it; an event a millisecond."""

    chance: random.Random
    at: int = 0
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)

    def act(self) -> None:
        """Do something that is possible now."""
        self.at += 1
        acts = (
            self.hire,
            self.leave,
            self.change,
            self.suspend,
            self.join,
            self.quit,
            self.configure,
        )
        self.chance.choice((*acts, self.found, self.dissolve, self.change, self.join))()

    def tell(self, name: str, about: dict[str, Any], old: dict[str, Any] | None = None) -> None:
        self.told.append(event(name, self.at, about, old))

    def hire(self) -> None:
        who = self.chance.choice(PEOPLE)
        if who not in self.people:
            self.people[who] = {"status": "active", "email": f"{who}@x.test"}
            self.tell("user.activated", {"id": who, "email": f"{who}@x.test"})

    def leave(self) -> None:
        who = self.chance.choice(PEOPLE)
        if self.people.pop(who, None) is not None:
            self.settings.pop(who, None)
            for members in self.groups.values():
                members.discard(who)
            self.tell("user.deleted", {"id": who, "email": f"{who}@x.test"})

    def change(self) -> None:
        for who, profile in self.chance.sample(sorted(self.people.items()), len(self.people))[:1]:
            name, value = self.chance.choice(FIELDS), self.chance.choice(["a", "b", "c"])
            old = {"id": who, name: profile[name]} if name in profile else None
            profile[name] = value
            self.tell("user.updated", {"id": who, name: value}, old)

    def suspend(self) -> None:
        for who, profile in self.chance.sample(sorted(self.people.items()), len(self.people))[:1]:
            active = profile["status"] == "active"
            profile["status"] = "inactive" if active else "active"
            self.tell("user.deactivated" if active else "user.activated", {"id": who})

    def found(self) -> None:
        group = self.chance.choice(GROUPS)
        if group not in self.groups:
            self.groups[group] = set()
            self.tell("group.created", {"id": group, "name": group})

    def dissolve(self) -> None:
        group = self.chance.choice(GROUPS)
        if self.groups.pop(group, None) is not None:
            self.tell("group.deleted", {"id": group, "name": group})

    def join(self) -> None:
        for group, who in self._somebody_in_some_group():
            self.groups[group].add(who)
            entry = self.chance.choice([{"id": who}, {"email": f"{who}@X.test"}])
            self.tell("group.member_added", {"id": group, "members": [entry]})

    def quit(self) -> None:
        for group, who in self._somebody_in_some_group():
            if who in self.groups[group]:
                self.groups[group].remove(who)
                self.tell("group.member_deleted", {"id": group, "members": [{"id": who}]})

    def configure(self) -> None:
        for who in self.chance.sample(sorted(self.people), len(self.people))[:1]:
            held = self.settings.setdefault(who, {})
            name, value = self.chance.choice("xyz"), self.chance.randrange(3)
            old = {"id": who, "settings": {"s": {name: held[name]}}} if name in held else None
            held[name] = value
            self.tell("user.settings_updated", {"id": who, "settings": {"s": {name: value}}}, old)

    def _somebody_in_some_group(self) -> list[tuple[str, str]]:
        if not self.groups or not self.people:
            return []
        return [(self.chance.choice(sorted(self.groups)), self.chance.choice(sorted(self.people)))]

    def seen(self, *, known: set[str], known_groups: set[str]) -> list[bytes]:
        """Observations of all that is true, and of the absence of who is known and is no more."""
        self.at += 1
        some = []
        for who, profile in self.people.items():
            groups = sorted(group for group, members in self.groups.items() if who in members)
            blank = dict.fromkeys(FIELDS)
            about = {"id": who, **blank, **profile, "group_ids": groups}
            some.append(event("rest.user_observed", self.at, about))
            held = dict.fromkeys("xyz") | self.settings.get(who, {})
            about = {"id": who, "settings": {"s": held}}
            some.append(event("rest.user_settings_observed", self.at, about))
        some += [event("rest.group_observed", self.at, {"id": g, "name": g}) for g in self.groups]
        some += [event("rest.user_gone", self.at, {"id": w}) for w in known - self.people.keys()]
        gone = known_groups - self.groups.keys()
        return some + [event("rest.group_gone", self.at, {"id": group}) for group in gone]


def deliveries(bodies: list[bytes], source: str = "webhook", first: int = 1) -> list[Delivery]:
    late = timedelta(seconds=1)
    return [
        Delivery(first + number, RECEIVED + number * late, body, source)
        for number, body in enumerate(bodies)
    ]


def shown(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "people": {
            row["user_id"]: {name: row[name] for name in ("status", "email", *FIELDS)}
            for row in rows["users"]
        },
        "groups": {row["group_id"]: row["member_count"] for row in rows["groups"]},
        "members": {(row["group_id"], row["user_id"]) for row in rows["memberships"]},
        "settings": {
            (row["user_id"], name): value
            for row in rows["user_settings"]
            for name, value in (row["settings"] or {}).get("s", {}).items()
            if value is not None
        },
    }


def truth(company: Company) -> dict[str, Any]:
    blank = dict.fromkeys(FIELDS)
    return {
        "people": {who: blank | profile for who, profile in company.people.items()},
        "groups": {group: len(members) for group, members in company.groups.items()},
        "members": {(g, who) for g, members in company.groups.items() for who in members},
        "settings": {
            (who, name): value
            for who, held in company.settings.items()
            for name, value in held.items()
        },
    }


@given(st.randoms(use_true_random=False), st.integers(0, 40), st.integers(0, 15))
def test_the_directory_is_the_truth_whatever_was_lost(
    chance: random.Random, before: int, after: int
) -> None:
    company = Company(chance)
    for _ in range(before):
        company.act()
    earlier, company.told = company.told, []
    came = chance.sample(earlier, chance.randint(0, len(earlier)))
    late = [body for body in earlier if body not in came and chance.random() < 0.5]
    known = fold(deliveries(came))
    observed = company.seen(
        known=people_in(known),
        known_groups={row["group_id"] for row in known["groups"] + known["unresolved_groups"]},
    )
    # Then whoever an entry names by an e-mail of nobody is no member.
    observed += [
        event(
            "rest.group_members_observed", company.at, {"id": group, "absent": [{"email": email}]}
        )
        for group, email in nobodys_entries(
            fold([*deliveries(came), *deliveries(observed, "rest", 100)])
        )
    ]
    at_that_moment = shown(fold([*deliveries(came), *deliveries(observed, "rest", 100)]))
    assert at_that_moment == truth(company)
    for _ in range(after):
        company.act()
    # Who came late and was not known when the rest was observed has nothing that ends them.
    strangers = (
        people_in(fold(deliveries(came + late)))
        - people_in(known)
        - at_that_moment["people"].keys()
    )
    log = [
        *deliveries(came),
        *deliveries(observed, "rest", 100),
        *deliveries([*late, *company.told], first=200),
    ]
    assert without(shown(fold(log)), strangers) == without(truth(company), strangers)
    again = [*log, *deliveries(observed, "rest", 300)]
    assert shown(fold(again)) == shown(fold(log))


def nobodys_entries(rows: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    return [
        (row["group_id"], row["user_id"].removeprefix("email:"))
        for row in rows["memberships"]
        if row["user_id"].startswith("email:")
    ]


def people_in(rows: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Everybody whom a directory shows by id, whether in `users` or not."""
    named = rows["users"] + rows["unresolved_users"]
    return {who for who in PEOPLE if who.lower() in {row["user_id"].lower() for row in named}}


def without(rows: dict[str, Any], strangers: set[str]) -> dict[str, Any]:
    return {
        "people": {who: row for who, row in rows["people"].items() if who not in strangers},
        "members": {
            (group, who)
            for group, who in rows["members"]
            if who not in strangers and not who.startswith("email:")
        },
        "settings": {
            path: value for path, value in rows["settings"].items() if path[0] not in strangers
        },
    }
