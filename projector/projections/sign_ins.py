"""Sign-ins: the newest sign-in or sign-out of each user and client, and sign-outs from all devices."""

from collections.abc import Callable
from typing import Final, NamedTuple

from projector.folding import columns
from projector.folding.keys import LONGEST_ID, named_email, person
from projector.folding.newest import newest, newest_rules
from projector.folding.tables import MergeTable, Projection, With, each, one_each
from projector.folding.unfoldable import Unfoldable
from projector.zoom.events import Event


class SignIn(NamedTuple):
    """The newest event of one client. `signed_in_order` is the order of its newest sign-in, or empty."""

    account_id: str
    user_key: str
    client_type: str
    folded: bytes
    last_position: int
    user_id: str
    email: str | None
    email_order: bytes
    signed_in: bool
    signed_in_order: bytes
    login_type: int | None
    version: str | None


def _sign(*, signed_in: bool) -> Callable[[Event], SignIn]:
    def row(event: Event) -> SignIn:
        account, key, user = person(event)
        entity = event.object or {}
        email, email_order = named_email(event, entity, "sign_ins.email")
        client = entity.get("client_type")
        return SignIn(
            account,
            key,
            client if isinstance(client, str) and 0 < len(client) <= LONGEST_ID else "unknown",
            event.order,
            event.position,
            user,
            email,
            email_order,
            signed_in,
            event.order if signed_in else b"",
            columns.held(event, "sign_ins.login_type", columns.int4, entity.get("login_type")),
            columns.held(event, "sign_ins.version", columns.text, entity.get("version")),
        )

    return row


def _newest_sign_in(one: SignIn, other: SignIn) -> SignIn:
    merged: SignIn = newest(one, other)
    latest = max(one.signed_in_order, other.signed_in_order)
    return merged if latest == merged.signed_in_order else merged._replace(signed_in_order=latest)


class SignOutMark(NamedTuple):
    """A user's newest sign-out from all devices: it ends every older sign-in."""

    account_id: str
    user_key: str
    folded: bytes
    last_position: int


def _marks(event: Event) -> list[SignOutMark]:
    if event.payload.get("operation") != "sign_out_from_all_devices":
        return []
    try:
        account, key, _ = person(event)
    except Unfoldable:
        return []  # the users projection reports it
    return [SignOutMark(account, key, event.order, event.position)]


class SignInMoment(NamedTuple):
    """That somebody signed in or out, by whichever client. Since a sign-in an invitation is accepted."""

    account_id: str
    user_key: str
    folded: bytes
    position: int
    signed_in: bool


def _moment(*, signed_in: bool) -> Callable[[Event], list[SignInMoment]]:
    def rows(event: Event) -> list[SignInMoment]:
        try:
            account, key, _ = person(event)
        except Unfoldable:
            return []  # the sign-ins report it
        return [SignInMoment(account, key, event.order, event.position, signed_in)]

    return rows


SIGN_INS: Final = Projection(
    name="sign_ins",
    version=3,
    tables=(
        MergeTable(
            name="sign_ins",
            row=SignIn,
            key=3,
            rows={
                "user.signed_in": one_each(_sign(signed_in=True)),
                "user.signed_out": one_each(_sign(signed_in=False)),
            },
            merge=_newest_sign_in,
            rules=newest_rules(SignIn, 3) | {"signed_in_order": With("signed_in_order")},
        ),
        MergeTable(
            name="sign_out_marks",
            row=SignOutMark,
            key=2,
            rows={"user.updated": each(_marks)},
            merge=max,
            rules={"folded": With("folded"), "last_position": With("folded")},
        ),
        MergeTable(
            name="sign_in_moments",
            row=SignInMoment,
            key=3,
            rows={
                "user.signed_in": each(_moment(signed_in=True)),
                "user.signed_out": each(_moment(signed_in=False)),
            },
            merge=max,
            rules=dict.fromkeys(("position", "signed_in"), With("position")),
        ),
    ),
)
