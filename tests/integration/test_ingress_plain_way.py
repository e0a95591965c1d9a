"""With an aiohttp that lacks what the fast path needs, everything is served, only more slowly."""

import asyncio
import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import StreamReader, web

import projector
from projector.database import Database
from projector.ingress.protocol import _OF_MESSAGE, _PRIVATE, LACKING
from tests.ingress_rig import OTHER_SECRET, event_body, serving, signed

PROTOCOL = "projector.ingress.protocol"


def take_away(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Make an attribute missing for our protocol, but not for aiohttp itself."""
    read, write = owner.__getattribute__, owner.__setattr__

    def ours() -> bool:
        return bool(sys._getframe(2).f_globals.get("__name__") == PROTOCOL)

    def missing(self: Any, asked: str) -> Any:
        if asked == name and ours():
            raise AttributeError(name)
        return read(self, asked)

    def unknown(self: Any, asked: str, value: Any) -> None:
        if asked == name and ours():
            raise AttributeError(name)
        write(self, asked, value)

    monkeypatch.setattr(owner, "__getattribute__", missing, raising=False)
    monkeypatch.setattr(owner, "__setattr__", unknown, raising=False)


def import_anew(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], Callable[..., Any]]:
    """Import the ingress again; returns what it finds lacking, and its `serve`."""
    monkeypatch.setattr(projector, "ingress", projector.ingress)
    for name in [name for name in sys.modules if name.startswith("projector.ingress")]:
        monkeypatch.delitem(sys.modules, name)
    serve = importlib.import_module("projector.ingress.server").serve
    return importlib.import_module(PROTOCOL).LACKING, serve


def test_this_aiohttp_has_all_of_it() -> None:
    assert LACKING == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        *((web.RequestHandler, name) for name in (*_PRIVATE, "_messages", "_parser")),
        *((StreamReader, name) for name in ("_buffer", "is_eof", "exception")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_without_one_of_them_it_serves_the_plain_way(
    database_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    owner: type,
    name: str,
) -> None:
    take_away(monkeypatch, owner, name)
    lacking, serve = import_anew(monkeypatch)
    assert any(name in lack for lack in lacking)
    async with serving(database_url, serve=serve) as zoom:
        bodies = [event_body() for _ in range(10)]
        answers = await asyncio.gather(*map(zoom.post, bodies))
        assert [(a.status, a.body) for a in answers] == [(200, body) for body in bodies]
        again = await zoom.post(bodies[0])
        assert again.headers["X-Event-Duplicate"] == "true"
        other = event_body()
        assert (await zoom.post(other, signed(other, OTHER_SECRET))).status == 401
        assert (await zoom.post(b"[]")).status == 400
        assert (await zoom.request("GET", "/webhooks/zoom")).status == 405
        validation = b'{"event":"endpoint.url_validation","payload":{"plainToken":"q"}}'
        assert (await zoom.post(validation)).json()["plainToken"] == "q"
    rows = await database.fetch("SELECT body FROM log.events")
    assert sorted(row[0] for row in rows) == sorted(bodies)
    written = capfd.readouterr()
    assert (written.out + written.err).count("no fast path") == 1


@pytest.mark.parametrize("name", _OF_MESSAGE)
def test_every_attribute_of_a_request_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(f"{PROTOCOL}.hasattr", lambda _message, asked: asked != name, raising=False)
    assert importlib.import_module(PROTOCOL)._lacking() == [name]


def test_a_protocol_that_cannot_be_built_so_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise TypeError("another signature")

    monkeypatch.setattr(web.RequestHandler, "__init__", refuse)
    lacking, _ = import_anew(monkeypatch)
    assert lacking == ["another signature"]
