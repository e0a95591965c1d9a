"""One connection to a server of the URL: to the one that answers and is what the URL asks for.

asyncpg tries the hosts of a URL one after another under a single time limit, so that one host that takes
connections and never answers uses it up. Here each next host is tried soon after the one before.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import asyncpg

# The next host of a URL is tried so long after the one before, which goes on.
STAGGER_SECONDS: Final = 0.3

# A connection whose peer is out of reach breaks after so long, idle or not: a server that was cut off says
# nothing, and TCP by itself waits a quarter of an hour for it.
UNREACHABLE_SECONDS: Final = 10


class ServerConnection(asyncpg.Connection):
    """asyncpg's connection; it notices a peer that is out of reach."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *others: Any) -> None:
        super().__init__(protocol, transport, *others)
        notice_unreachable(transport.get_extra_info("socket"))


def notice_unreachable(connection: Any) -> None:
    """Let a TCP connection break after UNREACHABLE_SECONDS in which its peer's machine says nothing."""
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": UNREACHABLE_SECONDS // 2,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": UNREACHABLE_SECONDS // 2,
        "TCP_USER_TIMEOUT": UNREACHABLE_SECONDS * 1000,
    }
    for name, value in options.items():
        if hasattr(socket, name):  # what the system does not know it does by its own defaults
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def hosts_of(url: str) -> list[str]:
    """A URL for each host that a URL names, in its order; the URL itself where it names one or none."""
    parts = urlsplit(url)
    account, at, named = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if named:
        queries = [query] * len(hosts := named.split(","))
        places = [f"{account}{at}{host}" for host in hosts]
    else:
        hosts = query.get("host", "").split(",")
        ports = query.get("port", "").split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        if len(ports) != len(hosts):
            return [url]  # asyncpg says what is wrong with it
        places = [parts.netloc] * len(hosts)
        queries = [
            query | {"host": host} | ({"port": port} if port else {})
            for host, port in zip(hosts, ports, strict=True)
        ]
    if len(places) == 1:
        return [url]
    return [
        f"{parts.scheme}://{place}{parts.path}?{urlencode(each, quote_via=quote, safe='')}".rstrip(
            "?"
        )
        for place, each in zip(places, queries, strict=True)
    ]


async def open_connection(
    url: str, *, timeout: float, **options: Any
) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection within `timeout` seconds; `options` are asyncpg's.

    Where the URL names several hosts, the first that answers and is what its `target_session_attrs` asks for.
    Raises what asyncpg raises; of several hosts' errors, what a server said itself.
    """
    options |= {"connection_class": ServerConnection, "timeout": timeout}
    hosts = hosts_of(url)
    if len(hosts) == 1:
        return await asyncpg.connect(url, **options)
    async with asyncio.timeout(timeout):
        return await _first_of(hosts, options)


async def _first_of(
    hosts: Sequence[str], options: dict[str, Any]
) -> "asyncpg.Connection[asyncpg.Record]":
    waiting = list(hosts)
    pending: set[asyncio.Task[Any]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or pending:
            if waiting:
                pending.add(asyncio.create_task(asyncpg.connect(waiting.pop(0), **options)))
            pause = STAGGER_SECONDS if waiting else None
            done, pending = await asyncio.wait(
                pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED
            )
            opened = [task.result() for task in done if task.exception() is None]
            for surplus in opened[1:]:
                surplus.terminate()
            if opened:
                return cast("asyncpg.Connection[asyncpg.Record]", opened[0])
            errors += [error for task in done if (error := task.exception()) is not None]
    finally:
        for task in pending:
            task.add_done_callback(_drop)
            task.cancel()
    told = [error for error in errors if isinstance(error, asyncpg.PostgresError)]
    raise (told or errors)[0]


def _drop(task: "asyncio.Task[Any]") -> None:
    """Close the connection of an attempt that came too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()
