"""Whoever is told at sight to be unchanged is unchanged by the fold too."""

from typing import Any

from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st

from projector.folding.columns import text
from projector.folding.fold import fold_entity
from projector.observations.facts import Facts
from projector.observations.preview import Preview, table_of
from projector.observations.unchanged import is_unchanged
from projector.zoom.catalogue import USER_OBSERVED
from projector.zoom.events import Event, decode_event, digest_of
from tests.oracle.story import T0_MS, event

USERS = table_of("users")

VALUES = st.sampled_from(["a", "", None, 1, "1", True, False, 1.0, [], {}, "é"])
ATTRIBUTES = st.lists(
    st.fixed_dictionaries(
        {}, optional={"key": st.sampled_from(["k", "l"]), "name": VALUES, "value": VALUES}
    ),
    max_size=2,
)
ABOUT = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("email", "dept", "type", "pmi", "use_pmi", "role"), VALUES),
        "custom_attributes": ATTRIBUTES | VALUES,
        "user_created_at": st.sampled_from(["2020-01-02T03:04:05Z", "soon", None]),
        "status": st.sampled_from(["active", "inactive", "pending", "odd"]),
    },
)
NAMES = st.sampled_from(["user.created", "user.activated", "user.updated", "user.deactivated"])
SPELLINGS = st.sampled_from(["Uma", "uma"])


def decoded(body: bytes, *, own: bool) -> Event:
    found = decode_event(1, (T0_MS + 10**6) * 1000, digest_of(body), body, own)
    assert found is not None
    return found


@st.composite
def tellings(draw: st.DrawFn) -> Event:
    """A delivery, or an earlier observation."""
    at, about = draw(st.integers(0, 9)), draw(ABOUT)
    if draw(st.booleans()):
        seen = {"id": draw(SPELLINGS), **about}
        return decoded(Facts("A", "run").body(USER_OBSERVED, T0_MS + at, seen), own=True)
    old = draw(st.none() | ABOUT)
    told: dict[str, Any] = {"id": draw(SPELLINGS), **about}
    return decoded(event(draw(NAMES), at, told, old), own=False)


def seen_attributes(row: Any) -> list[Any]:
    """As REST writes them: values are texts."""
    return [{**held, "value": text(held["value"]) or ""} for held in row.custom_attributes]


@given(
    st.lists(tellings(), min_size=1, max_size=3),
    ABOUT,
    SPELLINGS,
    st.integers(0, 12),
    st.booleans(),
)
def test_whoever_is_unchanged_at_sight_is_by_the_fold(
    history: list[Event], about: dict[str, Any], user: str, at: int, again: bool
) -> None:
    row, _ = fold_entity(USERS, USERS.start(("A", "uma")), history)
    if again:  # what the row holds is seen: mostly unchanged
        at, user = at + 10, row.user_id
        held = {name: value for name, value in row.profile.items() if name != "settings"}
        about = {**held, "status": row.status, "custom_attributes": seen_attributes(row)}
    if not is_unchanged(row, user, about, T0_MS + at):
        return
    note("unchanged")
    body = Facts("A", "run 2").body(USER_OBSERVED, T0_MS + at, {"id": user, **about})
    seen = decoded(body, own=True)
    after, dead = fold_entity(USERS, USERS.start(("A", "uma")), [*history, seen])
    assert dead == []
    assert not Preview(body, seen, row, after).changes


def test_what_is_held_is_unchanged() -> None:
    about = {
        "id": "Uma",
        "dept": "a",
        "status": "active",
        "user_created_at": "2020-01-02T03:04:05Z",
    }
    body = Facts("A", "run").body(USER_OBSERVED, T0_MS, about)
    row, _ = fold_entity(USERS, USERS.start(("A", "uma")), [decoded(body, own=True)])
    del about["id"]
    assert is_unchanged(row, "Uma", about, T0_MS + 1)
    assert not is_unchanged(row, "Uma", about, T0_MS)
    assert not is_unchanged(row, "Uma", {**about, "dept": "b"}, T0_MS + 1)
