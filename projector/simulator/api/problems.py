"""The API's refusals, in Zoom's statuses, codes and words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from projector.simulator.api.options import Label, Rate, Refusal, RetryAfter


class Problem(Exception):
    """An answer that is no success: a status, a body, and headers."""

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def problem(status: int, code: int, message: str) -> Problem:
    """A refusal with one of Zoom's codes."""
    return Problem(status, {"code": code, "message": message})


def no_user() -> Problem:
    """The person is not there, or of another account."""
    return problem(404, 1001, "User does not exist.")


def no_group() -> Problem:
    """The group is not there."""
    return problem(404, 4130, "A group with this ID does not exist.")


def no_account() -> Problem:
    """The account is not there, or not this one."""
    return problem(404, 2001, "Account does not exist.")


def not_valid(field: str, why: str) -> Problem:
    """A parameter makes no sense."""
    errors = [{"field": field, "message": why}]
    return Problem(400, {"code": 300, "message": "Validation Failed.", "errors": errors})


def bad_page_token() -> Problem:
    """The page token is unknown, too old, or of another listing."""
    return problem(400, 300, "The next page token is invalid or expired.")


def unauthorized(why: str) -> Problem:
    """The access token is missing, unknown or too old."""
    return problem(401, 124, why)


def unknown_endpoint() -> Problem:
    """There is no such path."""
    return problem(400, 2300, "This API endpoint is not recognized.")


def refused(how: Refusal, scope: str) -> Problem:
    """A section that may not be read."""
    match how:
        case Refusal.GRANULAR:
            return problem(400, 4711, f"Invalid access token, does not contain scopes:[{scope}].")
        case Refusal.CLASSIC:
            return problem(400, 4700, f"Invalid access token, does not contain scopes:[{scope}].")
        case Refusal.FORBIDDEN:
            return problem(403, 403, "API access is denied for this account.")
        case Refusal.PAID_ONLY:
            return problem(200, 200, "Only available for paid account.")


def too_many_a_second(label: Label, rate: Rate, how: RetryAfter, now_ms: int) -> Problem:
    """Too many requests in this second."""
    again = datetime.fromtimestamp(now_ms // 1000, UTC) + timedelta(seconds=1)
    return _too_many(
        "You have reached the maximum per-second rate limit for this API. Try again later.",
        _limit_headers(label, "QPS", rate.a_second, how, again, now_ms),
    )


def too_many_a_day(label: Label, rate: Rate, how: RetryAfter, now_ms: int) -> Problem:
    """Too many requests since midnight, UTC."""
    today = datetime.fromtimestamp(now_ms // 1000, UTC)
    midnight = today.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    return _too_many(
        "You have reached the maximum daily rate limit for this API. Refer to the response header "
        "for details on when you can make another request.",
        _limit_headers(label, "Daily-limit", rate.a_day or 0, how, midnight, now_ms),
    )


def _too_many(message: str, headers: Mapping[str, str]) -> Problem:
    return Problem(429, {"code": 429, "message": message}, headers)


def _limit_headers(
    label: Label, kind: str, limit: int, how: RetryAfter, again: datetime, now_ms: int
) -> dict[str, str]:
    if how is RetryAfter.NONE:
        return {}
    seconds = max(1, int(again.timestamp()) - now_ms // 1000)
    told = {
        RetryAfter.ISO: again.strftime("%Y-%m-%dT%H:%M:%SZ"),
        RetryAfter.DATE: format_datetime(again, usegmt=True),
        RetryAfter.SECONDS: str(seconds),
    }
    return {
        "X-RateLimit-Category": label,
        "X-RateLimit-Type": kind,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "Retry-After": told[how],
    }
