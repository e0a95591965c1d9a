"""The shapes of Zoom's answers: what stands around their content is typed, unknown keys are kept."""

from typing import Any, NamedTuple

import msgspec


class Answer(NamedTuple):
    """A success. `as_of_ms`: epoch milliseconds by Zoom's clock of the start of the request, or a bit before.

    What happens while the request runs is later than that.
    """

    body: dict[str, Any]
    as_of_ms: int


class TokenAnswer(msgspec.Struct):
    """The answer to a request for a token; `expires_in` in seconds, `scope` separated by spaces."""

    access_token: str
    expires_in: float = 3600.0
    scope: str = ""


class PageAnswer(msgspec.Struct):
    """A page of a listing; `total_records` None where it is absent or no number."""

    rows: list[dict[str, Any]]
    next_page_token: str
    total_records: int | None


def token_answer(body: dict[str, Any]) -> TokenAnswer | None:
    """The token in an answer; None where there is none that a header could carry."""
    try:
        found = msgspec.convert(
            {name: value for name, value in body.items() if value is not None},
            TokenAnswer,
            strict=False,
        )
    except msgspec.ValidationError:
        return None
    text = found.access_token
    return found if text and text.isascii() and text.isprintable() and " " not in text else None


def page_answer(body: dict[str, Any], rows: str) -> PageAnswer | None:
    """The page in an answer, whose rows stand under key `rows`; None where it is not built like one."""
    total = whole_number(body.get("total_records"))
    found = body.get(rows)
    if found is None and total == 0:
        found = []
    token = body.get("next_page_token")
    try:
        return PageAnswer(
            msgspec.convert(found, list[dict[str, Any]]),
            msgspec.convert("" if token is None else token, str),
            total,
        )
    except msgspec.ValidationError:
        return None


def error_code(body: dict[str, Any], rows: str | None = None) -> int | None:
    """Zoom's code in an answer that is an error; None in a success, whose documents have no such key.

    Some errors come under HTTP 200. Of listings, whatever holds rows is a success.
    """
    if rows is not None and isinstance(body.get(rows), list):
        return None
    return whole_number(body.get("code")) or None


def whole_number(value: Any) -> int | None:
    """An integer, given as one or as its text; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return msgspec.convert(value, int, strict=False)
    except msgspec.ValidationError:
        return None
