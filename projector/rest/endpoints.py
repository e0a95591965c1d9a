"""Zoom's endpoints that are asked: paths, rate labels, pages, and the scopes that open them. Data."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import quote


class Label(StrEnum):
    """The rate limit that an endpoint counts against; an account's apps share each."""

    LIGHT = "light"
    MEDIUM = "medium"


class Endpoint(NamedTuple):
    """One GET of the API. `name` stands in sentences, as in "Zoom does not let this app read users".

    `rows`: the key of a listing's rows. `page_size`: the largest page; None: not paged. `counted`:
    whether `total_records` is documented. `granular`, `classic`: scopes, any one of which will do.
    """

    name: str
    path: str
    label: Label
    granular: tuple[str, ...]
    classic: tuple[str, ...]
    rows: str | None = None
    page_size: int | None = None
    counted: bool = False

    def filled(self, ids: Iterable[str]) -> str:
        """The path with these ids in it, whatever they hold, percent-encoded.

        Raises ValueError for an id that is blank or all dots: the path would be another one.
        """
        ids = list(ids)
        if not all(some.strip(".") for some in ids):
            raise ValueError("an id that cannot stand in a path")
        return self.path.format(*[quote(some, safe="", errors="replace") for some in ids])

    @property
    def scope(self) -> str:
        """The scope to ask for: granular where one is documented."""
        return (self.granular or self.classic)[0]

    @property
    def scopes_in_words(self) -> str:
        """Every scope that opens it, for a sentence, as in "a:read:x:admin (classic: a:read:admin)"."""
        if not self.granular:
            return " or ".join(self.classic)
        return f"{' or '.join(self.granular)} (classic: {' or '.join(self.classic)})"


_USER_CLASSIC: Final = ("user:read:admin",)
_GROUP_CLASSIC: Final = ("group:read:admin",)
_ACCOUNT_CLASSIC: Final = ("account:read:admin",)

USERS: Final = Endpoint(
    "users", "/users", Label.MEDIUM, ("user:read:list_users:admin",), _USER_CLASSIC,
    "users", 2000, counted=True,
)  # fmt: skip
USER: Final = Endpoint("a user", "/users/{}", Label.LIGHT, ("user:read:user:admin",), _USER_CLASSIC)
USER_SETTINGS: Final = Endpoint(
    "settings of a user", "/users/{}/settings", Label.MEDIUM,
    ("user:read:settings:admin",), _USER_CLASSIC,
)  # fmt: skip
GROUPS: Final = Endpoint(
    "groups", "/groups", Label.MEDIUM, ("group:read:list_groups:admin",), _GROUP_CLASSIC,
    "groups", 300, counted=True,
)  # fmt: skip
GROUP: Final = Endpoint(
    "a group", "/groups/{}", Label.LIGHT, ("group:read:group:admin",), _GROUP_CLASSIC
)
GROUP_MEMBERS: Final = Endpoint(
    "members of a group", "/groups/{}/members", Label.MEDIUM,
    ("group:read:list_members:admin",), _GROUP_CLASSIC, "members", 2000, counted=True,
)  # fmt: skip
GROUP_ADMINS: Final = Endpoint(
    "admins of a group", "/groups/{}/admins", Label.MEDIUM,
    ("group:read:administrator:admin",), _GROUP_CLASSIC, "admins", 300, counted=True,
)  # fmt: skip
GROUP_SETTINGS: Final = Endpoint(
    "settings of a group", "/groups/{}/settings", Label.MEDIUM,
    ("group:read:settings:admin",), _GROUP_CLASSIC,
)  # fmt: skip
GROUP_LOCKS: Final = Endpoint(
    "locked settings of a group", "/groups/{}/lock_settings", Label.MEDIUM,
    ("group:read:lock_settings:admin",), _GROUP_CLASSIC,
)  # fmt: skip
ACCOUNT_SETTINGS: Final = Endpoint(
    "settings of the account", "/accounts/{}/settings", Label.MEDIUM,
    ("account:read:settings:admin", "account:read:settings:master"), _ACCOUNT_CLASSIC,
)  # fmt: skip
# Only the :master scope is documented, but its :admin twin has been seen: either is accepted.
ACCOUNT_LOCKS: Final = Endpoint(
    "locked settings of the account", "/accounts/{}/lock_settings", Label.MEDIUM,
    ("account:read:lock_settings:master", "account:read:lock_settings:admin"), _ACCOUNT_CLASSIC,
)  # fmt: skip
ROLES: Final = Endpoint(
    "roles", "/roles", Label.MEDIUM, ("role:read:list_roles:admin",), ("role:read:admin",),
    "roles", counted=True,
)  # fmt: skip
# No granular scope is documented for it: whether an app that has these alone may read it is unknown.
WEBHOOK_LOGS: Final = Endpoint(
    "the delivery log", "/marketplace/apps/{}/webhook_logs", Label.MEDIUM,
    (), ("marketplace_app:read:admin", "marketplace_app:read"), "webhook_logs", 300,
)  # fmt: skip


def missing_scopes(
    granted: frozenset[str], endpoints: Iterable[Endpoint]
) -> dict[str, list[Endpoint]]:
    """What these endpoints still need: by scope to ask for, the endpoints that it would open.

    A forecast, as Zoom's own answers decide. Empty where `granted` is: then the token names no scopes.
    """
    missing: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints if granted else ():
        if granted.isdisjoint(_accepted(endpoint)):
            missing.setdefault(endpoint.scope, []).append(endpoint)
    return missing


def _accepted(endpoint: Endpoint) -> set[str]:
    """The documented scopes; each with its twin for master accounts, classic ones for writing too."""
    writing = {scope.replace(":read", ":write") for scope in endpoint.classic}
    named = {*endpoint.granular, *endpoint.classic, *writing}
    return named | {f"{scope.removesuffix(':admin')}:master" for scope in named}
