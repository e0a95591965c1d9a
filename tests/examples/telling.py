"""The vocabulary of the examples.

    @given(event("user.created", 1, {"id": "Uma"}, creation_type="create"))
    @when(event("user.signed_in", 2, {"id": "Uma"}))
    def test_a_sign_in_makes_an_invited_user_active(then: Then) -> None:
        assert then.users == [row(status="active", created_at=at(1))]

`then` holds the rows of every view, sorted by key; each test runs on the rows of the naive fold, of
the live one and of a rebuild. Times are milliseconds into the story, positions count the example's own
deliveries from 1, and an event without an account is of account "A".
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projector.log.append import Source
from tests.oracle.naive_diff import same
from tests.oracle.story import RECEIVED, T0_MS, clock

at = clock
UMA = {"id": "Uma", "email": "uma@x.test"}


@dataclass(frozen=True)
class Told:
    """One delivery, or an observation of source `rest`; its body is None once it is erased."""

    body: dict[str, Any] | None
    received_at: datetime = RECEIVED
    source: Source = "webhook"


ERASED = Told(None)


def event(
    name: str, ms: int, about: Any = None, old: Any = None, *, account: Any = "A", **payload: Any
) -> Told:
    """One event: `about` and `old` are its object and old_object, the rest goes into its payload."""
    payload = {"account_id": account, "object": about, **payload}
    if old is not None:
        payload["old_object"] = old
    return Told({"event": name, "event_ts": T0_MS + ms, "payload": payload})


def seen(what: str, ms: int, about: Any, *, source: Source = "rest", account: Any = "A") -> Told:
    """One observation of Zoom's REST API."""
    told = event(f"rest.{what}", ms, about, account=account)
    return Told(told.body, source=source)


def about_group(what: str, ms: int, group: str = "G", **about: Any) -> Told:
    """One event of a group, by an operator."""
    return event(f"group.{what}", ms, {"id": group, **about}, operator="op@x.test")


def changed(ms: int, new: Mapping[str, Any], old: Any = None) -> Told:
    """A change in the profile of the user E."""
    return event("user.updated", ms, {"id": "E", **new}, old)


def settings(ms: int, new: Any = None, old: Any = None, *, who: str = "user") -> Told:
    """A change in the settings of the user E, or of the group E."""
    about = {"id": "E"} if new is None else {"id": "E", "settings": new}
    before = None if old is None else {"id": "other", "settings": old}
    return event(f"{who}.settings_updated", ms, about, before, operator="op@x.test")


def locks(ms: int, new: Any, old: Any = None) -> Told:
    """A change in the locks of the group E."""
    about = {"id": "E"} if new is None else {"id": "E", "settings": new}
    before = None if old is None else {"settings": old}
    return event("group.lock_settings_updated", ms, about, before)


# The argument of a decorator: a delivery, or a function of the test's parameters that returns some.
Telling = Told | Callable[..., Told | Sequence[Told]]


def given(*events: Telling) -> Callable[[Any], Any]:
    """Set the events that the log holds first."""
    return _noted("given", events)


def when(*events: Telling) -> Callable[[Any], Any]:
    """Set the events that are delivered after those."""
    return _noted("when", events)


def _noted(part: str, events: Sequence[Telling]) -> Callable[[Any], Any]:
    def note(test: Any) -> Any:
        setattr(test, part, events)
        return test

    return note


def deliveries_of(test: Any, parameters: Mapping[str, Any]) -> Iterator[Told]:
    """All deliveries of an example, in their order."""
    for telling in (*getattr(test, "given", ()), *getattr(test, "when", ())):
        if isinstance(telling, Told):
            yield telling
            continue
        names = inspect.signature(telling).parameters
        made = telling(**{name: parameters[name] for name in names})
        yield from [made] if isinstance(made, Told) else made


class row:  # noqa: N801 - used like a value
    """Equals any row of a view with these values, of exactly these types."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, **columns: Any) -> None:
        self._columns = columns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(
            name in other and same(other[name], value) for name, value in self._columns.items()
        )

    def __repr__(self) -> str:
        return f"row({', '.join(f'{name}={value!r}' for name, value in self._columns.items())})"


class Then:
    """The rows of every view after an example's events, by the view's name."""

    def __init__(self, views: dict[str, list[dict[str, Any]]]) -> None:
        self.views = views

    def __getattr__(self, view: str) -> list[dict[str, Any]]:
        try:
            return self.views[view]
        except KeyError:
            raise AttributeError(f"there is no view {view}") from None

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The rows of freshness for events that came."""
        return [found for found in self.freshness if found["events"]]

    def shown(self) -> set[str]:
        """The views that have rows."""
        return {view for view, rows in self.views.items() if rows}

    def values(self, view: str, *columns: str) -> list[Any]:
        """The values of columns, row by row; of one column, as they are."""
        rows = [tuple(each[column] for column in columns) for each in self.views[view]]
        return [each[0] for each in rows] if len(columns) == 1 else rows
