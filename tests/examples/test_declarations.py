"""What an operator declares: the newest by event time counts, and one that says null takes it back."""

from typing import Any

import pytest

from projector.log.append import Source
from tests.examples.telling import UMA, Then, Told, at, event, given, row, when


def declared(
    what: str, ms: int, *, source: Source = "declared", account: Any = "A", **about: Any
) -> Told:
    """One declaration, by an operator."""
    about = {"id": "A"} | about
    told = event(f"declared.{what}", ms, about, account=account, operator="ann@ops")
    return Told(told.body, source=source)


@given(declared("model", 3, model="priority"))
@when(declared("model", 1, model="legacy"), declared("model", 2, model=None))
def test_the_newest_model_counts_whatever_comes_late(then: Then) -> None:
    assert then.declarations == [
        row(
            kind="model", user_id=None, value="priority", declared_at=at(3), declared_by="ann@ops",
            last_event_at=at(3), last_position=1,
        )
    ]  # fmt: skip


@given(declared("ranking", 1, groups=["G1", 7]))
@when(declared("ranking", 2, groups=["G2", "G1"], account="B"))
def test_a_ranking_is_of_its_account(then: Then) -> None:
    assert then.values("declarations", "account_id", "value") == [
        ("A", ["G1", "7"]),
        ("B", ["G2", "G1"]),
    ]


@given(event("user.created", 0, UMA), declared("primary_group", 1, id="UMA", primary_group_id="G"))
@when(declared("primary_group", 2, id="uma", primary_group_id="H"))
def test_people_match_in_any_case_and_are_spelled_as_in_users(then: Then) -> None:
    assert then.declarations == [row(kind="primary_group", user_id="Uma", value="H")]


@given(declared("primary_group", 1, id="Nobody", primary_group_id="G"))
def test_a_primary_group_may_come_before_the_person(then: Then) -> None:
    assert then.values("declarations", "user_id", "value") == [("Nobody", "G")]
    assert then.unresolved_users == []


@given(
    declared("model", 1, model="legacy"),
    declared("ranking", 1, groups=["G"]),
    declared("primary_group", 1, id="E", primary_group_id="G"),
)
@when(
    declared("model", 2, model=None),
    declared("ranking", 2, groups=None),
    declared("primary_group", 2, id="e", primary_group_id=None),
)
def test_null_takes_it_back(then: Then) -> None:
    assert then.declarations == then.dead_letters == []


NONSENSE = [
    ("model", {"model": "newest"}),
    ("model", {"model": True}),
    ("model", {}),
    ("model", {"id": "", "model": "legacy"}),
    ("ranking", {"groups": "G"}),
    ("ranking", {"groups": ["G", None]}),
    ("ranking", {"groups": ["G", "G"]}),
    ("ranking", {"groups": ["x" * 101]}),
    ("ranking", {}),
    ("primary_group", {"primary_group_id": ""}),
    ("primary_group", {"primary_group_id": ["G"]}),
    ("primary_group", {"primary_group_id": "x" * 101}),
    ("primary_group", {}),
]


@pytest.mark.parametrize(("what", "about"), NONSENSE)
@given(declared("model", 1, model="legacy"))
@when(lambda what, about: declared(what, 2, **about))
def test_what_makes_no_sense_is_a_dead_letter_and_changes_nothing(
    then: Then, what: str, about: dict[str, Any]
) -> None:
    assert then.declarations == [row(kind="model", value="legacy")]
    assert then.dead_letters == [row(projection="declarations", event=f"declared.{what}")], about


@given(declared("model", 1, model="legacy", account=None))
def test_a_declaration_of_no_account_is_a_dead_letter(then: Then) -> None:
    assert then.dead_letters == [row(projection="declarations", position=1)]


@given(
    declared("model", 1, model="legacy", source="webhook"),
    declared("ranking", 1, groups=["G"], source="import"),
    declared("primary_group", 1, id="E", primary_group_id="G", source="quarantine"),
)
def test_a_delivery_that_bears_the_name_of_a_declaration_is_none(then: Then) -> None:
    assert then.shown() == set()
