"""An account of Zoom as its REST API shows it, held as dicts; and runs that read it."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from aiohttp import web

from projector.database import Database
from projector.log.append import append
from projector.observations.one_person import reconcile_person
from projector.observations.outcome import Outcome, Section
from projector.observations.reading import Options
from projector.observations.run import reconcile
from projector.operations.reconciliation import reconcile_one
from tests.played_api import ACCOUNT, Rig, asking, cut_off
from tests.runtime_rig import delivery, until_folded

ALL = tuple(Section)
READ = (Section.GROUPS, Section.USERS, Section.SETTINGS)

_LISTED = {
    "id", "email", "first_name", "last_name", "display_name", "type", "dept", "timezone", "pmi",
    "user_created_at", "status", "role_id", "group_ids", "custom_attributes",
}  # fmt: skip


class Refused(Exception):
    """An answer that is an error: HTTP status and Zoom's code."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code


@dataclass
class ZoomAccount:
    """The truth, and how its API misbehaves.

    `now`: Zoom's clock, in epoch seconds; it stands still until told. `page`: rows of a page, whatever is
    asked for. `unreadable`: by a pattern of paths, (status, code). `breaks`: every answer is html, cut or
    500. `lies`: by the key of a listing's rows, how many more it says there are. `hidden`: ids that no
    listing shows. `before`: called with each path before it is answered.
    """

    now: float = field(default_factory=lambda: time.time() // 1 - 36_000)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    locks: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=lambda: {"0": "Owner", "2": "Member"})
    webhook_logs: list[dict[str, Any]] = field(default_factory=list)
    account: str = ACCOUNT
    page: int = 1000
    unreadable: dict[str, tuple[int, int]] = field(default_factory=dict)
    breaks: str | None = None
    lies: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    before: Callable[[str], None] = lambda _path: None
    asked: list[str] = field(default_factory=list)

    def later(self, seconds: float = 60) -> int:
        """Time passes; returns the new time in epoch milliseconds."""
        self.now += seconds
        return round(self.now * 1000)

    def has(self, user: str, **about: Any) -> None:
        """Somebody is there."""
        self.users[user] = {
            "id": user,
            "email": f"{user.lower()}@example.com",
            "first_name": user,
            "last_name": "Doe",
            "display_name": f"{user} Doe",
            "type": 2,
            "dept": "",
            "status": "active",
            "role_id": "2",
            "user_created_at": "2024-05-01T00:00:00Z",
            **about,
        }

    def has_group(self, group: str, *, admins: Sequence[str] = ()) -> None:
        """A group is there; `admins` are e-mails."""
        self.groups[group] = {"id": group, "name": f"group {group}", "admins": list(admins)}

    def members(self, group: str) -> list[dict[str, Any]]:
        """The people whose rows, or else whose `member_of`, name the group."""
        return [
            user
            for user in self.users.values()
            if group in user.get("member_of", user.get("group_ids", ()))
        ]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix("/v2")
        self.asked.append(path)
        self.before(path)
        if self.breaks == "cut":
            return await cut_off(request)
        if self.breaks == "html":
            return web.Response(text="<html>sign in</html>", content_type="text/html")
        if self.breaks == "500":
            return web.json_response({}, status=500)
        try:
            status, body = 200, self._body(path, dict(request.query))
        except Refused as refused:
            status, body = refused.status, {"code": refused.code, "message": "no"}
        return web.Response(
            status=status,
            text=json.dumps(body),
            content_type="application/json",
            headers={"Date": formatdate(self.now, usegmt=True)},
        )

    def _body(self, path: str, query: dict[str, str]) -> Any:  # noqa: C901, PLR0911  a case an endpoint
        for pattern, (status, code) in self.unreadable.items():
            if re.fullmatch(pattern, path):
                raise Refused(status, code)
        match path.strip("/").split("/"):
            case ["users"]:
                status = query.get("status", "active")
                rows = [self._listed(u) for u in self.users.values() if u["status"] == status]
                return self._page(
                    "users", [r for r in rows if r.get("id") not in self.hidden], query
                )
            case ["users", "me"]:
                return {"id": "the-owner", "account_id": self.account}
            case ["users", user]:
                return self._single(self._user(user))
            case ["users", user, "settings"]:
                return self._document(self.settings, self._user(user)["id"], query)
            case ["groups"]:
                rows = [
                    {"id": g, "name": of["name"], "total_members": len(self.members(g))}
                    for g, of in self.groups.items()
                    if g not in self.hidden
                ]
                return self._page("groups", rows, query)
            case ["groups", group, *rest]:
                return self._group(group, rest, query)
            case ["accounts", "me", "settings"]:
                return self._document(self.settings, ACCOUNT, query)
            case ["accounts", "me", "lock_settings"]:
                return self._document(self.locks, ACCOUNT, query)
            case ["roles"]:
                rows = [{"id": role, "name": name} for role, name in self.roles.items()]
                return {"roles": rows, "total_records": len(rows)}
            case ["marketplace", "apps", _, "webhook_logs"]:
                rows = [
                    r for r in self.webhook_logs if query["from"] <= r["date_time"] < query["to"]
                ]
                return self._page("webhook_logs", rows, query)
        raise Refused(400, 2300)

    def _group(self, group: str, rest: list[str], query: dict[str, str]) -> Any:
        if group not in self.groups:
            raise Refused(404, 4130)
        match rest:
            case []:
                return {"id": group, "name": self.groups[group]["name"]}
            case ["members"]:
                rows = [{"id": u["id"], "email": u["email"]} for u in self.members(group)]
                return self._page("members", rows, query)
            case ["admins"]:
                rows = [{"email": email, "name": "x"} for email in self.groups[group]["admins"]]
                return self._page("admins", rows, query)
            case ["settings"]:
                return self._document(self.settings, group, query)
            case ["lock_settings"]:
                return self._document(self.locks, group, query)
        raise Refused(400, 2300)

    def _user(self, named: str) -> dict[str, Any]:
        for user in self.users.values():
            if named in (user["id"], user["email"]):
                return user
        raise Refused(404, 1001)

    @staticmethod
    def _listed(user: dict[str, Any]) -> dict[str, Any]:
        row = {name: deepcopy(value) for name, value in user.items() if name in _LISTED}
        if user["status"] == "pending":
            del row["id"]
        return row

    def _single(self, user: dict[str, Any]) -> dict[str, Any]:
        row = {name: deepcopy(value) for name, value in user.items() if name != "member_of"}
        row["role_name"] = self.roles[row.pop("role_id")]
        row["account_id"] = self.account
        if user.get("nameless"):
            del row["id"]
        return row

    def _page(self, key: str, rows: list[Any], query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("next_page_token") or 0)
        size = min(int(query["page_size"]), self.page)
        more = start + size < len(rows)
        return {
            key: rows[start : start + size],
            "next_page_token": str(start + size) if more else "",
            "total_records": len(rows) + self.lies.get(key, 0),
        }

    @staticmethod
    def _document(documents: dict[str, Any], owner: str, query: dict[str, str]) -> Any:
        """The part of a document that an option shows; without one, what no option shows."""
        whole = documents.get(owner, {})
        options = (
            "meeting_authentication",
            "recording_authentication",
            "meeting_security",
            "security",
        )
        option = query.get("option")
        if option is None:
            return {key: value for key, value in whole.items() if key not in options}
        shown = whole.get(option, {})
        return shown if "authentication" in option else ({option: shown} if shown else {})


@asynccontextmanager
async def reading(zoom: ZoomAccount) -> AsyncIterator[Rig]:
    """A client of the account's API."""
    async with asking(zoom.answer) as rig:
        yield rig


async def run_of(
    database: Database,
    zoom: ZoomAccount,
    *sections: Section,
    **options: Any,
) -> dict[Section, Outcome]:
    """One run, a minute after whatever was before."""
    zoom.later()
    chosen = Options(**{"recheck_seconds": 0.0, "fold_seconds": 20.0, **options})
    async with reading(zoom) as rig:
        outcomes = await reconcile(rig.client, database, sections or READ, chosen, lambda *_: None)
    return {outcome.section: outcome for outcome in outcomes}


async def person_of(database: Database, zoom: ZoomAccount, named: str) -> Sequence[Outcome]:
    """Reconcile one person."""
    zoom.later()
    chosen = Options(recheck_seconds=0.0, fold_seconds=20.0)
    async with reading(zoom) as rig:
        return await reconcile_person(rig.client, database, named, chosen, lambda *_: None)


async def healed(
    database: Database, zoom: ZoomAccount, named: str, *, dry_run: bool = False
) -> tuple[Sequence[Outcome], int | None]:
    """Reconcile one person as operator "ann"; returns also the position of the act."""
    zoom.later()
    chosen = Options(recheck_seconds=0.0, fold_seconds=20.0, dry_run=dry_run)
    async with reading(zoom) as rig:
        return await reconcile_one(rig.client, database, named, chosen, lambda *_: None, "ann")


def told(
    zoom: ZoomAccount, event: str, about: dict[str, Any], *, ago: float = 0, **more: Any
) -> bytes:
    """A delivery about something `ago` seconds before Zoom's present."""
    payload = {"account_id": ACCOUNT, "object": about, **more}
    return json.dumps(
        {"event": event, "event_ts": round((zoom.now - ago) * 1000), "payload": payload}
    ).encode()


async def deliver(database: Database, bodies: Sequence[bytes]) -> None:
    """Append deliveries that arrive now."""
    await append(database, [delivery(body, datetime.now(UTC)) for body in bodies])


async def rows(database: Database, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, once everything is folded."""
    await until_folded(database)
    return [tuple(row) for row in await database.fetch(statement, *arguments)]


async def logged(database: Database) -> list[str]:
    """The names of all events but the records of sections."""
    found = await database.fetch("SELECT event FROM log.events ORDER BY position")
    return [row[0] for row in found if row[0] != "rest.section_read"]
