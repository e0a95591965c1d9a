"""What each path of the API answers: a JSON object of the world as it is at that moment.

Each function takes what the API shows, the call, and the page that is asked for; it raises Problem.
"""

from typing import Final

from projector.simulator.api import documents, logs, people
from projector.simulator.api.pages import Asked
from projector.simulator.api.problems import no_account, no_group, no_user, not_valid, problem
from projector.simulator.api.zoom import Call, Zoom, page_of, slice_of
from projector.simulator.delivery import Json
from projector.simulator.people import Group, Person
from projector.simulator.register import STATUSES
from projector.simulator.world import OPERATORS

PENDING: Final = "pending"


def users(zoom: Zoom, call: Call, asked: Asked) -> Json:
    """People of one status."""
    status = call.parameters.get("status", "active")
    if status not in STATUSES:
        raise not_valid("status", "Invalid field.")
    register, options = zoom.account.world.register, zoom.options
    behind = -1 if asked.behind is None else asked.behind
    found = register.behind(status, behind, asked.size)
    last = found[-1].place if found else behind
    more = bool(register.behind(status, last, 1))
    attributes = "custom_attributes" in call.parameters.get("include_fields", "").split(",")
    moving = _moving(zoom) if status == "active" else set()
    rows = [
        people.row_of(zoom.account.world, person, attributes=attributes)
        for person in found
        if person not in moving
    ]
    total = register.count(status) - len(moving)
    token = zoom.pages.next(asked, last if more else None, options)
    return page_of("users", rows, asked, token, total, zoom)


def _moving(zoom: Zoom) -> set[Person]:
    """Who is in no listing: employees, as though they had changed status between two of them."""
    if not zoom.options.moving:
        return set()
    register = zoom.account.world.register
    return set(register.behind("active", OPERATORS, zoom.options.moving))


def _person(zoom: Zoom, who: str) -> Person:
    if who == "me":
        operators = zoom.account.world.operators
        found = operators[0] if operators else None
    else:
        found = zoom.account.world.register.find(who)
    if found is None:
        raise no_user()
    return found


def user(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """One person, by id, address, or `me`: the owner."""
    row = people.single_of(zoom.account.world, _person(zoom, call.who), zoom.account.now_ms)
    shown = zoom.options.shown_account
    return row if shown is None else row | {"account_id": shown}


def user_settings(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """The settings of a person."""
    person = _person(zoom, call.who)
    if person.status == PENDING:
        raise problem(400, 1120, "The invitation has not been accepted.")
    return documents.user_settings(person, call.option)


def groups(zoom: Zoom, _call: Call, asked: Asked) -> Json:
    """The groups."""
    some = zoom.account.world.groups
    return slice_of("groups", some, lambda group: group.group_id, people.group_row, asked, zoom)


def _group_of(zoom: Zoom, call: Call) -> Group:
    found = zoom.account.world.groups_by_id.get(call.who)
    if found is None:
        raise no_group()
    return found


def group(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """One group."""
    return people.group_row(_group_of(zoom, call))


def members(zoom: Zoom, call: Call, asked: Asked) -> Json:
    """The people in a group."""
    some = _group_of(zoom, call).members
    return slice_of("members", some, lambda person: person.place, people.member_of, asked, zoom)


def admins(zoom: Zoom, call: Call, asked: Asked) -> Json:
    """The people who may administer a group."""
    some = _group_of(zoom, call).admins
    return slice_of("admins", some, lambda person: person.place, people.admin_of, asked, zoom)


def group_settings(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """The settings of a group."""
    return documents.group_settings(_group_of(zoom, call), call.option)


def group_locks(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """The locks of a group."""
    return documents.group_locks(_group_of(zoom, call), call.option)


def _own(zoom: Zoom, call: Call) -> None:
    if call.who not in ("me", zoom.account.account_id):
        raise no_account()


def account_settings(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """The settings of the account."""
    _own(zoom, call)
    return documents.account_settings(call.option)


def account_locks(zoom: Zoom, call: Call, _asked: Asked) -> Json:
    """The locks of the account."""
    _own(zoom, call)
    return documents.account_locks(call.option)


def roles(zoom: Zoom, _call: Call, _asked: Asked) -> Json:
    """The roles; not paged."""
    rows = list(people.roles(zoom.account.world))
    return {"roles": rows, "total_records": len(rows)}


def webhook_logs(zoom: Zoom, call: Call, asked: Asked) -> Json:
    """The deliveries that failed, of the last seven days."""
    if call.who != zoom.credentials.app_id:
        raise problem(404, 1401, "The app does not exist.")
    parameters = call.parameters
    start, end = logs.window(parameters, zoom.account.now_ms, strict=zoom.account.over)
    failed = parameters.get("type", "2") in logs.FAILED
    retry = parameters.get("retry_num")
    found = [
        attempt
        for attempt in zoom.deliveries
        if failed
        and (asked.behind is None or attempt.place > asked.behind)
        and start <= attempt.at_ms <= end
        and (retry is None or retry == str(attempt.retry_num))
    ]
    rows = [logs.log_row(attempt, zoom.endpoint) for attempt in found[: asked.size]]
    event = parameters.get("event")
    last = found[asked.size - 1].place if len(found) > asked.size else None
    return {
        "webhook_logs": [row for row in rows if event in (None, row["event"])],
        "page_size": asked.size,
        "next_page_token": zoom.pages.next(asked, last, zoom.options),
    }
