"""The paths of the API: how often each may be asked, with which scope, and how large its pages are."""

from typing import Final

from projector.simulator.api import readings, scopes
from projector.simulator.api.options import Label
from projector.simulator.api.zoom import Endpoint

_L: Final = Label.LIGHT
_M: Final = Label.MEDIUM

_USER: Final = "/users/{who}"
_GROUP: Final = "/groups/{who}"
_ACCOUNT: Final = "/accounts/{who}"
_LOGS: Final = "/marketplace/apps/{who}/webhook_logs"

ENDPOINTS: Final = tuple(
    Endpoint(read.__name__, path, label, scope, read, largest)
    for read, path, label, scope, largest in (
        (readings.users, "/users", _M, scopes.LIST_USERS, 2000),
        (readings.user, _USER, _L, scopes.READ_USER, 1),
        (readings.user_settings, f"{_USER}/settings", _M, scopes.USER_SETTINGS, 1),
        (readings.groups, "/groups", _M, scopes.LIST_GROUPS, 300),
        (readings.group, _GROUP, _L, scopes.READ_GROUP, 1),
        (readings.members, f"{_GROUP}/members", _M, scopes.GROUP_MEMBERS, 2000),
        (readings.admins, f"{_GROUP}/admins", _M, scopes.GROUP_ADMINS, 300),
        (readings.group_settings, f"{_GROUP}/settings", _M, scopes.GROUP_SETTINGS, 1),
        (readings.group_locks, f"{_GROUP}/lock_settings", _M, scopes.GROUP_LOCKS, 1),
        (readings.account_settings, f"{_ACCOUNT}/settings", _M, scopes.ACCOUNT_SETTINGS, 1),
        (readings.account_locks, f"{_ACCOUNT}/lock_settings", _M, scopes.ACCOUNT_LOCKS, 1),
        (readings.roles, "/roles", _M, scopes.LIST_ROLES, 1),
        (readings.webhook_logs, _LOGS, _M, scopes.WEBHOOK_LOGS, 300),
    )
)
