"""RFC 9457 problem details. Only fixed texts: an answer never repeats input."""

from enum import Enum
from typing import Final

import msgspec
from aiohttp import web

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5


class Problem(Enum):
    """Every problem that an answer can report: status, slug, title, detail."""

    BAD_HTTP = (400, "malformed-request", "Malformed request", "This is no valid HTTP request.")
    NOT_AN_EVENT = (
        400,
        "not-an-event",
        "Not an event",
        "The body must be a JSON object with a string `event`.",
    )
    NO_TOKEN = (
        400,
        "no-plain-token",
        "No plain token",
        "A URL validation must carry a text in `payload.plainToken`.",
    )
    UNSIGNED = (
        401,
        "signature",
        "Signature refused",
        "Both x-zm-request-timestamp and x-zm-signature must be right, by a secret known here.",
    )
    NOT_FOUND = (404, "not-found", "Not found", "Nothing is served under this path.")
    NOT_ALLOWED = (405, "method", "Method not allowed", "See the Allow header.")
    TOO_LARGE = (413, "too-large", "Body too large", "The body is over the configured limit.")
    NOT_JSON = (
        415,
        "media-type",
        "Unsupported media type",
        "Send application/json, without a content encoding.",
    )
    OTHER_EVENT = (
        422,
        "other-event",
        "Path and body disagree",
        "The event that the path names is not the one in the body.",
    )
    SLOW = (503, "slow-request", "Body too slow", "The body did not arrive in time; try again.")
    BUSY = (503, "busy", "Not appended", "The event could not be appended in time; try again.")
    DRAINING = (503, "draining", "Draining", "This replica is stopping; try again.")
    NO_SECRET = (
        503,
        "no-secret",
        "No secret",
        "No secret is configured to answer a URL validation with.",
    )
    UNEXPECTED = (503, "unexpected", "Not appended", "Something unexpected happened; try again.")

    def __init__(self, status: int, slug: str, title: str, detail: str) -> None:
        self.status = status
        self.slug = slug
        self.body = msgspec.json.encode(
            {
                "type": f"urn:directory-projector:problem:{slug}",
                "title": title,
                "status": status,
                "detail": detail,
            }
        )


def respond(problem: Problem) -> web.Response:
    """The answer that reports a problem; a 503 has Retry-After."""
    headers = {"Content-Type": CONTENT_TYPE}
    if problem.status == Problem.BUSY.status:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return web.Response(status=problem.status, body=problem.body, headers=headers)


def not_ready(reason: str) -> web.Response:
    """The answer of /readyz while this replica cannot append; `reason` is our text, not input."""
    body = msgspec.json.encode(
        {
            "type": "urn:directory-projector:problem:not-ready",
            "title": "Not ready",
            "status": 503,
            "detail": reason,
        }
    )
    return web.Response(
        status=503,
        body=body,
        headers={"Content-Type": CONTENT_TYPE, "Retry-After": str(RETRY_AFTER_SECONDS)},
    )
