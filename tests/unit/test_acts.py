"""Acts: what their events say, who is said to act, and what heals which drift."""

import getpass
import json
import socket

import pytest

from projector.cli.operator_options import acting, told_reason
from projector.errors import ConfigurationError
from projector.operations.acts import About, Act, act_body
from projector.operations.drift import ACKNOWLEDGE, remedy
from projector.projections import PROJECTIONS
from projector.zoom.catalogue import CATALOGUE
from projector.zoom.events import decode_event, digest_of

DIGEST = digest_of(b"x").hex()


def test_an_act_says_who_did_what_and_when() -> None:
    body = json.loads(act_body(Act.QUARANTINE_PURGED, "ann@ops", 5, About({"rows": 3})))
    assert body == {
        "event": "operator.quarantine_purged",
        "event_ts": 5,
        "payload": {"operator": "ann@ops", "object": {"rows": 3}},
    }


def test_the_same_act_at_another_time_has_other_bytes() -> None:
    about = About({"id": DIGEST, "projection": "users"}, "A")
    bodies = {act_body(Act.DEAD_LETTER_DISMISSED, "ann", at, about) for at in (1, 2)}
    assert len(bodies) == 2
    assert all(json.loads(body)["payload"]["account_id"] == "A" for body in bodies)


def test_what_an_argument_holds_that_is_no_utf_8_is_replaced() -> None:
    body = act_body(Act.REBUILT, "ann\udcff", 1, About({"projections": ["users"]}))
    assert json.loads(body)["payload"]["operator"] == "ann\ufffd"


@pytest.mark.parametrize("act", Act)
def test_an_act_folds_with_its_source_alone(act: Act) -> None:
    about = About({"id": DIGEST, "projection": "users", "entity": "user", "path": "dept"}, "A")
    body = act_body(act, "ann", 1, about)
    folding = {name for projection in PROJECTIONS for name in projection.events}
    by_http = decode_event(1, 10**15, digest_of(body), body, own=False)
    assert by_http is None or by_http.name not in folding
    ours = decode_event(1, 10**15, digest_of(body), body, own=True)
    assert (ours is not None) == (act in folding) == (act in CATALOGUE.names)


def test_acts_are_named_as_their_source() -> None:
    assert all(act.startswith("operator.") for act in Act)


def test_who_acts_is_told_or_the_systems_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert acting(" Ann ") == "Ann"
    monkeypatch.setattr(getpass, "getuser", lambda: "ops")
    assert acting(None) == f"ops@{socket.gethostname()}"

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert acting(None).startswith("uid ")


@pytest.mark.parametrize("text", ["", "  ", "x" * 1001])
def test_nobody_and_no_reason_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--by"):
        acting(text)
    with pytest.raises(ConfigurationError, match="--reason"):
        told_reason(text)


@pytest.mark.parametrize(
    ("entity", "path", "expected"),
    [
        ("user", "dept", "projector reconcile --person 'u 1'"),
        ("user", "pic_url", ACKNOWLEDGE),
        ("user", "settings.in_meeting.chat", ACKNOWLEDGE),
        ("user_settings", "in_meeting.chat", "projector reconcile --person 'u 1'"),
        ("user_settings", "tsp.call_out_countries", ACKNOWLEDGE),
        ("group", "name", "projector reconcile --only groups"),
        ("group_settings", "in_meeting.chat", "projector reconcile --only settings"),
        ("group_settings", "recording.auto_recording", ACKNOWLEDGE),
        ("group_locks", "in_meeting.chat", "projector reconcile --only settings"),
        ("personal_note", "personal_notes", ACKNOWLEDGE),
    ],
)
def test_what_heals_drift(entity: str, path: str, expected: str) -> None:
    assert remedy(entity, "u 1", path) == expected
