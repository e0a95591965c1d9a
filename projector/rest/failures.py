"""What can go wrong when Zoom is asked. Decided by HTTP status and code, never by Zoom's words.

ProjectorError
├── Unreadable           this part alone cannot be read: scope, plan or permission
├── NotThere             what was asked for is not in the account
├── CredentialsRefused   wrong client id or secret, or no Server-to-Server OAuth app
├── AppDeactivated       the app is there, and switched off
├── WrongAccount         the account is none that this app belongs to
├── PageTokenRefused     a listing has to start again
└── RestUnavailable      no usable answer, after retries
"""

from typing import Final

from projector.errors import ProjectorError
from projector.rest.endpoints import Endpoint

MARKETPLACE: Final = "https://marketplace.zoom.us (Manage, then the app)"

UNAUTHORIZED: Final = 401
TOKEN_EXPIRED: Final = 124
TOO_MANY: Final = 429
_FORBIDDEN: Final = 403
_PAGE_TOKEN: Final = 300
_NO_SCOPE: Final = frozenset({4700, 4711})
_NO_PERMISSION: Final = frozenset({200, 201})
_NO_ENDPOINT: Final = 2300
_NOT_THERE: Final = frozenset({(404, 1001), (404, 4130), (400, 1010), (400, 1120)})
_NO_ACCOUNT: Final = 2001


class Unreadable(ProjectorError):
    """This part alone cannot be read; `scope` names what the app lacks, where it is that."""

    def __init__(self, reason: str, scope: str | None = None) -> None:
        super().__init__(reason)
        self.scope = scope


class NotThere(ProjectorError):
    """What was asked for was not in the account as of a time (see Answer); `code` is Zoom's."""

    def __init__(self, sentence: str, code: int, as_of_ms: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.as_of_ms = as_of_ms


class CredentialsRefused(ProjectorError):
    """Zoom does not take the client id and secret, or the token it gave for them."""


class AppDeactivated(ProjectorError):
    """The app is deactivated, disabled by an administrator, revoked, or has lost its owner."""


class WrongAccount(ProjectorError):
    """The app does not belong to the configured account."""


class PageTokenRefused(ProjectorError):
    """A page's token has expired or is invalid: the listing has to start again."""


class RestUnavailable(ProjectorError):
    """No usable answer after several attempts: the network, a proxy, or Zoom itself."""


def is_unauthorized(status: int, code: int | None) -> bool:
    """Whether the token has expired or is refused; some refusals of a part come as 401 too."""
    part_alone = code in _NO_SCOPE | _NO_PERMISSION
    return code == TOKEN_EXPIRED or (status == UNAUTHORIZED and not part_alone)


def failure(
    asked: Endpoint, status: int, code: int | None, *, with_token: bool, as_of_ms: int = 0
) -> ProjectorError:
    """What an answer that is no success means. `with_token`: a listing's further page was asked for."""
    if with_token and code == _PAGE_TOKEN:
        return PageTokenRefused(
            f"the page token of a listing of {asked.name} has expired; list them from the start"
        )
    if code is not None and ((status, code) in _NOT_THERE or code == _NO_ACCOUNT):
        return NotThere(
            f"Zoom finds nothing when asked for {asked.name} by this id (code {code}); check that it "
            "belongs to the account in PROJECTOR_ZOOM_ACCOUNT_ID",
            code,
            as_of_ms,
        )
    if is_unauthorized(status, code):
        return CredentialsRefused(
            f"Zoom refuses the token that it has just issued, when asked for {asked.name}; check that "
            "the app is activated and that PROJECTOR_ZOOM_API_URL and PROJECTOR_ZOOM_TOKEN_URL "
            "belong together"
        )
    return _unreadable(asked, status, code)


def _unreadable(asked: Endpoint, status: int, code: int | None) -> Unreadable:
    said = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
    refused = f"Zoom does not let this app read {asked.name} ({said})"
    if code in _NO_SCOPE:
        return Unreadable(
            f"{refused}: it lacks the scope {asked.scopes_in_words}; add it on the app's page "
            f'"Scopes" at {MARKETPLACE} and activate the app again',
            asked.scope,
        )
    if code in _NO_PERMISSION or status == _FORBIDDEN:
        return Unreadable(
            f"{refused}: the account's plan, or the role of the app's owner, does not include it; "
            f"check both, and that the app has the scope {asked.scopes_in_words}"
        )
    if code == _NO_ENDPOINT:
        return Unreadable(
            f"{refused}: it knows no such endpoint; check PROJECTOR_ZOOM_API_URL, and that the "
            "account's plan includes it"
        )
    return Unreadable(
        f"{refused}; look this code up in Zoom's API reference, and check PROJECTOR_ZOOM_API_URL"
    )
