"""Which part of a document concerns a person, and what names one."""

import sys
from typing import Any

import pytest

from projector.folding.documents import ABSENT
from projector.operations.subjects.naming import Naming
from projector.operations.subjects.parts import MASK, Parts
from projector.operations.subjects.person import Person

ID, MAIL, OTHER = "AnnaQ7-vXbeR3fGy6UwLA0", "anna@x.test", "bob@y.test"
ANNA = Person("A", frozenset({ID.lower(), "17"}), (ID, "17"), (MAIL,), (), {}, frozenset())
NAMING = Naming(ANNA)
PARTS = Parts(NAMING)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (MAIL, True), (MAIL.upper(), True), (f"<{MAIL}>", True), (f"ask {MAIL}.", True),
        (f"email:{MAIL}", True),
        (f"{OTHER},{MAIL}", True), (f"jo{MAIL}", False), (f"jo.{MAIL}", False), (f"{MAIL}.example", False),
        (f"{MAIL}-x", False), (ID, True), (f"https://x.test/p/{ID.lower()}/1", True), (f"{ID}x", False),
        ("17", True), ("in 17 days", False), ("", False),
    ],
)  # fmt: skip
def test_a_text_names_somebody_by_a_whole_id_or_email(text: str, names: bool) -> None:
    assert NAMING.in_text(text) is names


def test_a_number_is_an_id_in_a_field_of_ids_alone() -> None:
    assert PARTS.of_body({"payload": {"operator_id": 17, "type": 17}}) == {
        "payload": {"operator_id": 17}
    }
    assert PARTS.of_body({"payload": {"type": 17}}) is ABSENT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [f"<{MAIL}>", "<anna\\u0040x.test>", f"<\\/{MAIL}\\/>"])
def test_bytes_that_are_no_json_name_somebody_all_the_same(text: str, encoding: str) -> None:
    assert NAMING.in_raw(text.encode(encoding))
    assert not NAMING.in_raw(f"<{OTHER}>".encode(encoding))


def test_only_two_letters_beyond_ascii_become_one_within_it() -> None:
    """The statement that looks for candidates takes whatever has one of them."""
    beyond = (chr(code) for code in range(128, sys.maxunicode + 1))
    assert [one for one in beyond if any(c.isascii() for c in one.lower())] == ["\u0130", "\u212a"]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ({"a": {"guests": [{"email": OTHER}, {"email": MAIL, "seat": 3}]}},
         {"a": {"guests": [{"email": MAIL, "seat": 3}]}}),
        ({"a": [MAIL, OTHER], "b": OTHER}, {"a": [MAIL]}),
        ({"event": "x", "topic": "Bob's", "text": f"{MAIL} and {OTHER}"},
         {"event": "x", "text": f"{MAIL} and {MASK}"}),
        ({MAIL: {"seat": 3}, OTHER: {"seat": 4}}, {MAIL: {"seat": 3}}),
        ({"people": [{"id": ID, "boss": {"email": OTHER}, "manager": OTHER, "host_key": "1"}]},
         {"people": [{"id": ID, "boss": MASK, "manager": MASK, "host_key": "[secret]"}]}),
        ({"people": [{"id": ID, "manager": MAIL, "operator": ""}]},
         {"people": [{"id": ID, "manager": MAIL, "operator": ""}]}),
        ({"id": "Bob", "email": OTHER}, ABSENT),
    ],
)  # fmt: skip
def test_the_part_of_others_documents(document: Any, part: Any) -> None:
    assert PARTS.of_body(document) == part


def test_what_changed_of_who_stands_beside_somebody_is_not_told() -> None:
    delta = [{"p": "manager", "b": OTHER, "a": MAIL}, {"p": "dept", "a": "D"}]
    shown = [{"p": "manager", "b": MASK, "a": MAIL}, {"p": "dept", "a": "D"}]
    row = {"user_key": ID.lower(), "by": OTHER, "delta": delta}
    assert PARTS.of_row(row, own=True) == {"user_key": ID.lower(), "by": MASK, "delta": shown}


@pytest.mark.parametrize("depth", [90, 150, 900])
def test_however_deep_somebody_is_named(depth: int) -> None:
    document: Any = {"host": MAIL}
    for _ in range(depth):
        document = {"x": document}
    assert PARTS.of_body(document) is not ABSENT
