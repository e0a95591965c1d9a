"""What an address asks for: keys of lists, and ids as they are."""

import pytest

from projector.console.asked import Asked, written_key
from projector.console.errors import Misasked


@pytest.mark.parametrize("key", [("a", "b"), ("", "x/y"), ("50%", "\u00e4 \u2028"), ("%2F", "/")])
def test_a_key_is_read_as_it_was_written(key: tuple[str, str]) -> None:
    assert Asked({"after": written_key(*key)}).key("after", 2) == key


@pytest.mark.parametrize("text", ["a", "a/b/c", "a/%00"])
def test_a_key_of_another_list_is_refused(text: str) -> None:
    with pytest.raises(Misasked, match="after takes a place in the list"):
        Asked({"after": text}).key("after", 2)


def test_no_key_is_the_beginning() -> None:
    assert Asked({}).key("after", 2) is None
    assert Asked({"after": " "}).key("after", 2) is None


def test_spaces_belong_to_an_id_of_the_path_and_not_to_what_is_typed() -> None:
    asked = Asked({"q": " ann ", "user": "other"}, {"user": " ann "})
    assert asked.text("q") == "ann"
    assert asked.needed("user") == " ann "
