"""The scopes of the simulated API, as Zoom names them for Server-to-Server OAuth apps."""

from typing import Final

LIST_USERS: Final = "user:read:list_users:admin"
READ_USER: Final = "user:read:user:admin"
USER_SETTINGS: Final = "user:read:settings:admin"
LIST_GROUPS: Final = "group:read:list_groups:admin"
READ_GROUP: Final = "group:read:group:admin"
GROUP_MEMBERS: Final = "group:read:list_members:admin"
GROUP_ADMINS: Final = "group:read:administrator:admin"
GROUP_SETTINGS: Final = "group:read:settings:admin"
GROUP_LOCKS: Final = "group:read:lock_settings:admin"
ACCOUNT_SETTINGS: Final = "account:read:settings:admin"
# Zoom documents this one for master accounts alone.
ACCOUNT_LOCKS: Final = "account:read:lock_settings:master"
LIST_ROLES: Final = "role:read:list_roles:admin"
# Zoom documents no granular scope for this one.
WEBHOOK_LOGS: Final = "marketplace_app:read:admin"

SCOPES: Final = frozenset(
    {
        LIST_USERS,
        READ_USER,
        USER_SETTINGS,
        LIST_GROUPS,
        READ_GROUP,
        GROUP_MEMBERS,
        GROUP_ADMINS,
        GROUP_SETTINGS,
        GROUP_LOCKS,
        ACCOUNT_SETTINGS,
        ACCOUNT_LOCKS,
        LIST_ROLES,
        WEBHOOK_LOGS,
    }
)
