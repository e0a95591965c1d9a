"""Settings documents as the API shows them: every leaf, also those that no delivery ever told of.

Where nobody has set a leaf its default shows. Zoom's two interfaces differ in a few leaves, and so do these:
some are in deliveries alone, some in the API alone, and some have another type here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from projector.simulator.api.problems import not_valid
from projector.simulator.delivery import Json
from projector.simulator.people import Group, Person
from projector.simulator.settings_catalogue import (
    GROUP_LOCKS,
    GROUP_SETTINGS,
    USER_SETTINGS,
    Path,
    Setting,
)
from projector.simulator.settings_diff import Leaves, nested

SECURITY: Final = "meeting_security"
SIGN_IN: Final = "security"
SECRET_KEYS: Final = frozenset({"host_key", "pmi_password"})

_AUTHENTICATION: Final = {
    kind: {
        kind: False,
        "authentication_options": [
            {
                "id": f"{kind}-signed-in",
                "name": "Signed in to Zoom",
                "type": "enforce_login",
                "default_option": True,
                "visible": True,
            }
        ],
    }
    for kind in ("meeting_authentication", "recording_authentication")
}

# In deliveries alone.
_NOT_OF_USERS: Final = {
    ("schedule_meeting", "jbh_time"),
    ("schedule_meeting", "mute_upon_entry"),
    ("tsp", "display_toll_free_numbers"),
}

# In the API alone.
_MORE_OF_USERS: Final[Leaves] = {
    ("audio_conferencing", "toll_call", "enable"): True,
    ("feature", "zoom_whiteboard"): True,
    ("feature", "zoom_docs"): False,
    ("general_setting", "auto_zoom_room_proximity_connect"): False,
    ("in_meeting", "ai_companion_questions", "enable"): False,
    ("in_meeting", "request_permission_to_unmute_participants"): True,
    ("whiteboard", "auto_save_snapshot"): False,
}
_MORE_OF_GROUPS: Final[Leaves] = {
    ("chat", "translate_messages"): True,
    ("general_setting", "auto_zoom_room_proximity_connect"): False,
    ("in_meeting", "attendee_on_hold"): False,
    ("mail_calendar", "mail", "enable"): False,
}
_MORE_OF_THE_ACCOUNT: Final[Leaves] = {
    **_MORE_OF_GROUPS,
    ("feature", "meeting_capacity"): 300,
    ("integration", "kubi"): False,
    ("zoom_rooms", "upcoming_meeting_alert"): True,
    (SIGN_IN, "admin_change_user_info"): True,
    (SIGN_IN, "signin_with_sso", "enable"): True,
    (SIGN_IN, "sign_again_period_for_inactivity_on_web"): 60,
}
_ACCOUNT_LOCKS: Final[Leaves] = {
    ("chat", "share_files"): True,
    ("chat", "ai_compose"): False,
    ("in_meeting", "e2e_encryption"): True,
    ("in_meeting", "private_chat"): False,
    ("recording", "cloud_recording"): True,
    ("schedule_meeting", "host_video"): False,
    ("tsp", "call_out"): False,
    (SECURITY, "waiting_room"): True,
    (SECURITY, "encryption_type"): True,
}
_COUNTRIES: Final = {"DE": "Germany", "SE": "Sweden"}


def _defaults(catalogue: Iterable[Setting], more: Leaves) -> Leaves:
    return {setting.path: setting.default for setting in catalogue} | more


_OF_USERS: Final = _defaults(USER_SETTINGS, _MORE_OF_USERS)
_OF_GROUPS: Final = _defaults(GROUP_SETTINGS, _MORE_OF_GROUPS)
_OF_THE_ACCOUNT: Final = _defaults(GROUP_SETTINGS, _MORE_OF_THE_ACCOUNT)
_LOCKS: Final = _defaults(GROUP_LOCKS, {})


def user_settings(person: Person, option: str) -> Json:
    """The settings of a person."""
    leaves = {p: v for p, v in (_OF_USERS | person.settings).items() if p not in _NOT_OF_USERS}
    countries = leaves["tsp", "call_out_countries"]
    leaves["tsp", "call_out_countries"] = [
        {"code": code, "name": _COUNTRIES[code]} for code in countries
    ]
    return _settings(leaves, option)


def group_settings(group: Group, option: str) -> Json:
    """The settings of a group."""
    return _settings(_recorded(_OF_GROUPS | group.settings), option)


def group_locks(group: Group, option: str) -> Json:
    """Which settings the group's members may not change."""
    return _locks(_LOCKS | group.locks, option)


def account_settings(option: str) -> Json:
    """The settings of the account, which no delivery ever tells of and nothing changes."""
    return _settings(_recorded(_OF_THE_ACCOUNT), option)


def account_locks(option: str) -> Json:
    """Which settings of the account nobody may change."""
    return _locks(_LOCKS | _ACCOUNT_LOCKS, option)


def _recorded(leaves: Leaves) -> Leaves:
    """Let automatic recording have the type that it has in the API."""
    where = ("recording", "auto_recording")
    return leaves | {where: "cloud" if leaves[where] else "none"}


def _settings(leaves: Mapping[Path, Any], option: str) -> Json:
    if option in _AUTHENTICATION:
        return dict(_AUTHENTICATION[option])
    return _part(leaves, option, known={"", SECURITY, SIGN_IN})


def _locks(leaves: Leaves, option: str) -> Json:
    """The locks, of which the API splits one in two."""
    where = ("recording", "ip_address_access_control")
    split = {path: value for path, value in leaves.items() if path != where}
    split[*where, "enable"] = leaves[where]
    split[*where, "ip_addresses_or_ranges"] = leaves[where]
    return _part(split, option, known={"", SECURITY})


def _part(leaves: Mapping[Path, Any], option: str, known: set[str]) -> Json:
    """The part of a document that an option chooses: a section, or without one all other sections."""
    if option not in known:
        raise not_valid("option", "Invalid field.")
    apart = {SECURITY, SIGN_IN}
    return nested(
        (path, value)
        for path, value in leaves.items()
        if SECRET_KEYS.isdisjoint(path) and (path[0] == option if option else path[0] not in apart)
    )
