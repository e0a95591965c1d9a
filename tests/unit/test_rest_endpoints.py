"""Endpoints and their scopes; what a refusal means, and that its sentence names the scope."""

import pytest

from projector.rest import endpoints
from projector.rest.answers import error_code, page_answer, token_answer
from projector.rest.endpoints import (
    ACCOUNT_LOCKS,
    GROUPS,
    USER,
    USERS,
    WEBHOOK_LOGS,
    Endpoint,
    missing_scopes,
)
from projector.rest.failures import (
    CredentialsRefused,
    NotThere,
    PageTokenRefused,
    Unreadable,
    failure,
)

ALL = [value for value in vars(endpoints).values() if isinstance(value, Endpoint)]


def test_ids_are_encoded_and_cannot_lead_elsewhere() -> None:
    assert USER.filled(["a/b+c=?#%\u00fc"]) == "/users/a%2Fb%2Bc%3D%3F%23%25%C3%BC"
    assert USER.filled(["\ud800"]) == "/users/%3F"
    assert USER.filled(["a.b"]) == "/users/a.b"
    for bad in ("", ".", ".."):
        with pytest.raises(ValueError, match="cannot stand in a path"):
            USER.filled([bad])


@pytest.mark.parametrize(
    "granted",
    ["user:read:list_users:admin", "user:read:list_users:master", "user:read:admin",
     "user:write:admin", "user:read:master", "user:write:master"],
)  # fmt: skip
def test_any_scope_that_opens_an_endpoint_will_do(granted: str) -> None:
    assert missing_scopes(frozenset({granted}), [USERS]) == {}


def test_missing_scopes_are_named_with_what_they_would_open() -> None:
    granted = frozenset({"user:read:user", "user:read:user:admin", "user:read", "group:read"})
    assert missing_scopes(granted, [USERS, USER, GROUPS, ACCOUNT_LOCKS, WEBHOOK_LOGS]) == {
        "user:read:list_users:admin": [USERS],
        "group:read:list_groups:admin": [GROUPS],
        "account:read:lock_settings:master": [ACCOUNT_LOCKS],
        "marketplace_app:read:admin": [WEBHOOK_LOGS],
    }


def test_a_token_that_names_no_scopes_says_nothing_of_missing_ones() -> None:
    assert missing_scopes(frozenset(), ALL) == {}


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", [4700, 4711])
@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: str(endpoint.name))
def test_a_missing_scope_is_named(status: int, code: int, endpoint: Endpoint) -> None:
    found = failure(endpoint, status, code, with_token=False)
    assert isinstance(found, Unreadable)
    assert found.scope == endpoint.scope
    assert all(scope in str(found) for scope in endpoint.granular + endpoint.classic)
    assert endpoint.name in str(found)


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 200), (400, 200), (403, None), (403, 1), (401, 201), (400, 2300), (404, None), (404, 9),
     (400, 300), (400, 1001), (200, 1001), (418, None)],
)  # fmt: skip
def test_whatever_else_refuses_a_part_is_unreadable_and_never_somebody_gone(
    status: int, code: int | None
) -> None:
    found = failure(USERS, status, code, with_token=False)
    assert isinstance(found, Unreadable)
    assert found.scope is None
    assert f"HTTP {status}" in str(found)


@pytest.mark.parametrize(
    ("status", "code"), [(404, 1001), (404, 4130), (400, 1010), (400, 1120), (404, 2001), (400, 2001)]
)  # fmt: skip
def test_what_is_not_there_says_so_with_its_code(status: int, code: int) -> None:
    found = failure(USER, status, code, with_token=False)
    assert isinstance(found, NotThere)
    assert found.code == code


def test_a_refused_token_is_told_from_a_refused_page_token() -> None:
    assert isinstance(failure(USERS, 401, 124, with_token=True), CredentialsRefused)
    assert isinstance(failure(USERS, 400, 124, with_token=False), CredentialsRefused)
    assert isinstance(failure(USERS, 401, None, with_token=False), CredentialsRefused)
    assert isinstance(failure(USERS, 400, 300, with_token=True), PageTokenRefused)


@pytest.mark.parametrize(
    ("body", "rows", "code"),
    [
        ({"code": 200, "message": "Only for paid accounts."}, "groups", 200),
        ({"code": "4711", "message": ""}, None, 4711),
        ({"code": 200, "groups": []}, "groups", None),
        ({"code": 200, "groups": None}, "groups", 200),
        ({"code": 0}, None, None),
        ({"code": True}, None, None),
        ({"code": {"of": "a setting"}}, None, None),
        ({}, "groups", None),
    ],
)
def test_an_error_is_told_by_its_code(body: dict[str, object], rows: str | None, code: int) -> None:
    assert error_code(body, rows) == code


@pytest.mark.parametrize(
    ("body", "built"),
    [
        ({"users": [], "total_records": 0, "next_page_token": ""}, ([], "", 0)),
        ({"total_records": 0}, ([], "", 0)),
        ({"users": [{"id": 1}], "total_records": "7", "next_page_token": None, "new": 1},
         ([{"id": 1}], "", 7)),
        ({"users": [], "total_records": "many"}, ([], "", None)),
        ({"users": [], "total_records": True}, ([], "", None)),
        ({"users": [], "next_page_token": 5}, None),
        ({"users": {}}, None),
        ({"users": ["a"]}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_page_is_taken_as_it_may_come(body: dict[str, object], built: tuple[object]) -> None:
    page = page_answer(body, "users")
    assert (page and (page.rows, page.next_page_token, page.total_records)) == built


@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\r\nb"},
             {"access_token": "a b"}, {"access_token": "\u00fc"}]
)  # fmt: skip
def test_what_no_header_could_carry_is_no_token(body: dict[str, object]) -> None:
    assert token_answer(body) is None


def test_a_token_may_say_little_of_itself() -> None:
    found = token_answer({"access_token": "a", "expires_in": "3599", "scope": None, "more": 1})
    assert found is not None
    assert (found.access_token, found.expires_in, found.scope) == ("a", 3599, "")
