"""sign_ins: the last sign-in or sign-out of each person and client."""

from typing import Any

from tests.examples.telling import Then, Told, at, event, given, row, when


def signed(how: str, ms: int, client: Any, version: str = "1") -> Told:
    about = {"id": "U", "client_type": client, "version": version, "login_type": "101"}
    return event(f"user.signed_{how}", ms, about)


@given(signed("in", 2, "mac", "2"))
@when(signed("out", 1, "mac", "1"))
def test_the_newest_of_a_client_decides(then: Then) -> None:
    assert then.sign_ins == [row(signed_in=True, version="2", login_type=101)]


@given(signed("in", 1, "mac"), signed("in", 2, "win"))
@when(signed("out", 3, "mac"))
def test_each_client_has_a_row(then: Then) -> None:
    columns = ("client_type", "signed_in", "changed_at")
    assert then.values("sign_ins", *columns) == [("mac", False, at(3)), ("win", True, at(2))]


@given(signed("in", 1, ""), signed("in", 2, None))
def test_a_client_without_a_name_is_unknown(then: Then) -> None:
    assert then.sign_ins == [row(client_type="unknown", changed_at=at(2))]


@given(
    event("user.updated", 5, {"id": "U"}, operation="sign_out_from_all_devices"),
    event("user.signed_in", 1, {"id": "u", "client_type": "mac", "version": "5"}),
    event("user.signed_in", 6, {"id": "u", "client_type": "win"}),
)
def test_signing_out_everywhere_signs_out_what_is_older(then: Then) -> None:
    columns = ("client_type", "signed_in", "changed_at", "version", "last_position")
    assert then.values("sign_ins", *columns) == [
        ("mac", False, at(5), "5", 1),
        ("win", True, at(6), None, 3),
    ]


@given(event("user.signed_in", 1, {"id": "Zed"}))
def test_an_unknown_person_is_spelled_as_the_row_heard_it_last(then: Then) -> None:
    assert then.sign_ins == [row(user_id="Zed")]
    assert then.unresolved_users == [
        {"account_id": "A", "user_id": "Zed", "email": None, "seen_in": ["sign_ins"]}
    ]


@given(event("user.signed_out", 1, {"id": 1.0}))
def test_a_fraction_is_no_id_and_one_dead_letter(then: Then) -> None:
    letter = {"position": 1, "projection": "sign_ins", "event": "user.signed_out"}
    assert then.dead_letters == [letter]
    assert then.shown() - {"freshness", "activity"} == {"dead_letters"}
