"""A log like a large account's, made fast: the same arguments give the same deliveries.

Of every hundred events 70 are presence, 10 profile updates, 10 memberships, 5 sign-ins or -outs,
and 5 others: four settings documents, and one of notes, lifecycle and groups in turn. Events are
GAP_MS apart; one event in 200 comes half a minute late.
"""

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

ACCOUNT: Final = "BenchAccount_0123456789"
OPERATOR: Final = "admin@example.com"
GAP_MS: Final = 20
LATE_EVERY: Final = 200
LATE_MS: Final = 30_007  # not a multiple of the gap: no two events have the same time

STATUSES: Final = ("Available", "Away", "In_Meeting", "Do_Not_Disturb", "Offline", "Presenting")
CLIENTS: Final = ("win", "mac", "linux", "iphone", "android", "browser")
DEPARTMENTS: Final = tuple(f"Department of things number {n}" for n in range(40))

# Lifecycle, notes and groups: the last 1 %.
RARE: Final = (
    "user.personal_notes_updated",
    "user.created",
    "group.created",
    "user.personal_notes_updated",
    "user.deactivated",
    "group.updated",
    "user.activated",
    "group.admin_added",
)
BLOCK: Final = (
    ("presence",) * 70 + ("update",) * 10 + ("membership",) * 10 + ("sign",) * 5
    + ("settings",) * 4 + ("rare",)
)  # fmt: skip


class Made(NamedTuple):
    """One delivery: its event's name, its event time in epoch milliseconds, and its bytes."""

    event: str
    event_ts: int
    body: bytes


def opaque_id(kind: str, number: int) -> str:
    """22 characters that look like one of Zoom's ids."""
    digest = hashlib.sha256(f"{kind} {number}".encode()).digest()
    return base64.urlsafe_b64encode(digest)[:22].decode()


def settings_text(variant: int, sections: int = 4, flags: int = 9) -> str:
    """A settings document as JSON text; about 1 KB at the default size."""
    return ",".join(
        f'"section_{s}":{{'
        + ",".join(
            f'"setting_number_{k}":{"true" if (variant + s * k) % 3 else "false"}'
            for k in range(flags)
        )
        + "}"
        for s in range(sections)
    )


class MixedLog:
    """Deliveries of one account, in order of arrival."""

    def __init__(
        self,
        *,
        users: int = 50_000,
        groups: int = 2_000,
        seed: int = 1,
        start_ms: int = 1_750_000_000_000,
        gap_ms: int = GAP_MS,
    ) -> None:
        self._gap_ms = gap_ms
        self._users = [opaque_id("user", n) for n in range(users)]
        self._groups = [opaque_id("group", n) for n in range(groups)]
        self._random = random.Random(seed)
        self._departments = bytearray(users)
        self._documents = [settings_text(variant) for variant in range(16)]
        self._documents_made = 0
        self._rare_made = 0
        self._now = start_ms
        self._stamp = ""

    def deliveries(self, events: int) -> Iterator[Made]:
        """The next `events` deliveries."""
        makers: dict[str, Callable[[int], tuple[str, str]]] = {
            "presence": self._presence,
            "update": self._update,
            "membership": self._membership,
            "sign": self._sign,
            "settings": self._settings,
            "rare": self._rare,
        }
        block: list[Callable[[int], tuple[str, str]]] = []
        for number in range(events):
            if not block:
                block = [makers[kind] for kind in BLOCK]
                self._random.shuffle(block)
                at = datetime.fromtimestamp(self._now // 1000, UTC)
                self._stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            self._now += self._gap_ms
            event_ts = self._now if number % LATE_EVERY else self._now - LATE_MS
            name, payload = block.pop()(event_ts)
            body = (
                f'{{"event":"{name}","event_ts":{event_ts},'
                f'"payload":{{"account_id":"{ACCOUNT}",{payload}}}}}'
            )
            yield Made(name, event_ts, body.encode())

    def _user(self) -> int:
        return int(self._random.random() * len(self._users))

    def _group(self) -> int:
        return int(self._random.random() * len(self._groups))

    def _presence(self, _event_ts: int) -> tuple[str, str]:
        n = self._user()
        status = STATUSES[int(self._random.random() * 6)]
        return "user.presence_status_updated", (
            f'"object":{{"date_time":"{self._stamp}","email":"person.{n}@example.com",'
            f'"id":"{self._users[n]}","presence_status":"{status}",'
            f'"app":{{"type":"desktop","presence_status":"{status}"}},'
            f'"device":{{"client":"6.1.{n % 40}","network":"office"}}}}'
        )

    def _update(self, _event_ts: int) -> tuple[str, str]:
        n = self._user()
        before = self._departments[n]
        after = self._departments[n] = (before + 1 + n % 7) % len(DEPARTMENTS)
        user = self._users[n]
        return "user.updated", (
            f'"operator":"{OPERATOR}","operator_id":"{self._users[0]}",'
            f'"object":{{"id":"{user}","email":"person.{n}@example.com",'
            f'"dept":"{DEPARTMENTS[after]}","company":"Example Works",'
            f'"phone_number":"+49 30 {n}{after}","timezone":"Europe/Berlin",'
            f'"language":"en-US","type":2}},'
            f'"old_object":{{"id":"{user}","dept":"{DEPARTMENTS[before]}",'
            f'"phone_number":"+49 30 {n}{before}","type":2}}'
        )

    def _membership(self, event_ts: int) -> tuple[str, str]:
        group = self._group()
        name = "group.member_added" if self._random.random() < 0.6 else "group.member_deleted"
        members = ",".join(
            f'{{"id":"{self._users[n]}","email":"person.{n}@example.com"}}'
            for n in (self._user() for _ in range(1 + event_ts // self._gap_ms % 3))
        )
        return name, (
            f'"operator":"{OPERATOR}","operator_id":"{self._users[0]}",'
            f'"object":{{"id":"{self._groups[group]}","name":"Group {group}",'
            f'"members":[{members}]}}'
        )

    def _sign(self, _event_ts: int) -> tuple[str, str]:
        n = self._user()
        name = "user.signed_in" if self._random.random() < 0.6 else "user.signed_out"
        return name, (
            f'"object":{{"client_type":"{CLIENTS[int(self._random.random() * 6)]}",'
            f'"date_time":"{self._stamp}","email":"person.{n}@example.com","id":"{self._users[n]}",'
            f'"login_type":101,"version":"6.1.{n % 40}"}}'
        )

    def _settings(self, _event_ts: int) -> tuple[str, str]:
        # Users in turn, so that each event makes a document of its own.
        turn, n = divmod(self._documents_made, len(self._users))
        self._documents_made += 1
        user = self._users[n]
        new, old = self._documents[(n + turn) % 16], self._documents[(n + turn - 1) % 16]
        return "user.settings_updated", (
            f'"operator":"{OPERATOR}","operator_id":"{self._users[0]}",'
            f'"object":{{"id":"{user}","settings":{{{new}}}}},'
            f'"old_object":{{"id":"{user}","settings":{{{old}}}}}'
        )

    def _rare(self, _event_ts: int) -> tuple[str, str]:
        name = RARE[self._rare_made % len(RARE)]
        n = self._user()
        group = self._rare_made % len(self._groups)
        self._rare_made += 1
        if name.startswith("group."):
            admins = f',"admins":[{{"id":"{self._users[n]}","email":"person.{n}@example.com"}}]'
            entity = f'"id":"{self._groups[group]}","name":"Group {group}"'
            entity += admins if name == "group.admin_added" else ""
        else:
            entity = (
                f'"id":"{self._users[n]}","email":"person.{n}@example.com","first_name":"Person",'
                f'"last_name":"Number {n}","type":2'
            )
            entity += ',"personal_notes":"Back at four"' if name == RARE[0] else ""
        return name, f'"operator":"{OPERATOR}","object":{{{entity}}}'


def start_before_now(events: int, gap_ms: int = GAP_MS) -> int:
    """The start time with which `events` events end about now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000 - events * gap_ms


async def fill_log(url: str, log: MixedLog, events: int) -> None:
    """COPY deliveries with their digests into an empty log: appends would take far longer."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                "events", schema_name="log", records=_records(log, events), timeout=3600,
                columns=("position", "received_at", "event", "event_ts", "account_id", "request_id",
                         "digest", "source", "verified_by", "body"),
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO log.digests (event_ts, digest, position) "
                "SELECT event_ts, digest, position FROM log.events ORDER BY event_ts",
                timeout=3600,
            )
        await connection.execute("VACUUM ANALYZE log.events, log.digests", timeout=3600)
    finally:
        await connection.close()


async def lengthen_log(url: str, events: int, times: int) -> None:
    """Make a log of that many events as many times as long, with the same bodies and other digests.

    Quicker than making them one by one. Bodies do not match digests: for what folds nothing.
    """
    connection = await asyncpg.connect(url)
    try:
        for turn in range(1, times):
            shift = turn * events
            await connection.execute(_REPEAT, shift, shift * GAP_MS, events, timeout=3600)
        await connection.execute("VACUUM ANALYZE log.events, log.digests", timeout=3600)
    finally:
        await connection.close()


_REPEAT: Final = """
WITH repeated AS (
    INSERT INTO log.events
    SELECT position + $1, received_at + $2 * interval '1 ms', event, event_ts + $2, account_id, request_id,
           sha256(digest || int8send($1)), source, verified_by, body
    FROM log.events WHERE position <= $3 ORDER BY position
    RETURNING event_ts, digest, position
)
INSERT INTO log.digests (event_ts, digest, position) SELECT * FROM repeated
"""


def _records(log: MixedLog, events: int) -> Iterator[tuple[Any, ...]]:
    epoch, after = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=500)
    for position, made in enumerate(log.deliveries(events), start=1):
        received_at = epoch + timedelta(milliseconds=made.event_ts) + after
        yield (
            position, received_at, made.event, made.event_ts, ACCOUNT, f"request-{position}",
            hashlib.sha256(made.body).digest(), "webhook", "benchmark", made.body,
        )  # fmt: skip
