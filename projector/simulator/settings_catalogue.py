"""The settings that simulated administrators change: paths and plausible values.

A selection from Zoom's reference, with every section and every kind of value.
"""

from typing import Any, NamedTuple

Path = tuple[str, ...]


class Setting(NamedTuple):
    """A leaf of a settings document and at least two possible values, the default first."""

    path: Path
    values: tuple[Any, ...]

    @property
    def default(self) -> Any:
        """The value where nobody has set one: the API shows it, and no delivery tells of it."""
        return self.values[0]


def _flags(section: str, names: str) -> list[Setting]:
    """Boolean settings of one dotted section; `names` are separated by spaces."""
    path = tuple(section.split("."))
    return [Setting((*path, name), (True, False)) for name in names.split()]


def _unlocked(section: str, names: str) -> list[Setting]:
    """Locks of one section, open at first."""
    return [Setting(flag.path, (False, True)) for flag in _flags(section, names)]


def _choice(path: str, *values: Any) -> Setting:
    return Setting(tuple(path.split(".")), values)


_MEETING_FLAGS = (
    "allow_live_streaming annotation auto_saving_chat breakout_room chat co_host e2e_encryption "
    "far_end_camera_control feedback file_transfer group_hd meeting_reactions non_verbal_feedback "
    "polling private_chat remote_control remote_support screen_sharing slide_control waiting_room "
    "whiteboard"
)
_SHARED = (
    *_flags(
        "email_notification",
        "alternative_host_reminder cancel_meeting_reminder cloud_recording_available_reminder "
        "jbh_reminder schedule_for_reminder",
    ),
    *_flags("in_meeting", f"{_MEETING_FLAGS} virtual_background webinar_reactions"),
    *_flags("in_meeting.closed_captioning", "enable auto_transcribing save_caption"),
    *_flags("in_meeting.meeting_polling", "enable advanced_polls"),
    *_flags("in_meeting.language_interpretation", "enable"),
    _choice("in_meeting.language_interpretation.languages", ["German"], ["German", "French"]),
    _choice("in_meeting.data_center_regions", ["DE", "NL"], ["DE"], ["IE", "DE", "SG"], []),
    _choice("in_meeting.allow_participants_chat_with", 1, 2, 3, 4),
    _choice("in_meeting.allow_users_save_chats", 1, 2, 3),
    _choice("in_meeting.who_can_share_screen", "host", "all"),
    _choice("in_meeting.meeting_reactions_emojis", "all", "selected"),
    _choice("in_meeting.custom_service_instructions", "Ask the Leitstand 📡", "See intranet", ""),
    *_flags("in_meeting.virtual_background_settings", "enable allow_upload_custom allow_videos"),
    _choice(
        "in_meeting.virtual_background_settings.files",
        [{"id": "vb-fjord", "name": "Fjord.jpg", "is_default": True, "size": 48213}],
        [{"id": "vb-halle", "name": "Halle 3, Prüfstand.png", "is_default": False, "size": 9120}],
    ),
    *_flags(
        "meeting_security",
        "auto_security block_user_domain embed_password_in_join_link meeting_password "
        "phone_password waiting_room webinar_password",
    ),
    _choice("meeting_security.encryption_type", "enhanced_encryption", "e2ee"),
    _choice(
        "meeting_security.block_user_domain_list", ["spam.example"], ["spam.example", "x.test"]
    ),
    *_flags("meeting_security.meeting_password_requirement", "have_letter have_number"),
    _choice("meeting_security.meeting_password_requirement.length", 6, 8, 10),
    *_flags(
        "recording",
        "cloud_recording local_recording record_audio_file save_chat_text show_timestamp "
        "recording_highlight",
    ),
    *_flags("recording.ip_address_access_control", "enable"),
    _choice(
        "recording.ip_address_access_control.ip_addresses_or_ranges", "192.0.2.0/24", "203.0.113.7"
    ),
    *_flags("schedule_meeting", "host_video join_before_host mute_upon_entry personal_meeting"),
    _choice("schedule_meeting.require_password_for_pmi_meetings", "jbh_only", "all", "none"),
    _choice("telephony.audio_conference_info", "Kiel +49 431 55500", "Porto +351 22 5550 00"),
    *_flags("telephony", "third_party_audio"),
)

USER_SETTINGS: tuple[Setting, ...] = (
    *_SHARED,
    *_flags("feature", "large_meeting webinar zoom_phone"),
    _choice("feature.meeting_capacity", 100, 300, 500),
    _choice("feature.webinar_capacity", 500, 1000, 3000),
    _choice("feature.concurrent_meeting", "Basic", "Plus", "None"),
    _choice("recording.auto_recording", "local", "cloud", "none"),
    _choice("recording.auto_delete_cmr_days", 30, 60, 90, 120),
    _choice("schedule_meeting.jbh_time", 0, 5, 10, 15),
    *_flags("tsp", "call_out display_toll_free_numbers"),
    _choice("tsp.call_out_countries", ["DE", "SE"], ["DE"]),
    *_flags("meeting_security", "pmi_password"),
)

GROUP_SETTINGS: tuple[Setting, ...] = (
    *_SHARED,
    *_flags("audio_conferencing.toll_call", "enable"),
    *_flags("chat", "create_public_channels create_private_channels screen_capture"),
    *_flags("chat.share_files", "enable"),
    _choice("chat.share_files.share_option", "anyone", "account", "organization"),
    *_flags("other_options", "blur_snapshot"),
    _choice("profile.recording_storage_location.value", "DE", "SE"),
    _choice("profile.recording_storage_location.allowed_values", ["DE"], ["DE", "SE"]),
    *_flags("recording", "auto_recording prevent_host_access_recording"),
    *_flags("recording.archive.settings", "audio_file chat_file video_file"),
    _choice("recording.archive.type", 1, 2, 3),
)

GROUP_LOCKS: tuple[Setting, ...] = (
    *_unlocked("audio_conferencing", "toll_call personal_audio_conference"),
    *_unlocked("email_notification", "cancel_meeting_reminder jbh_reminder"),
    *_unlocked("in_meeting", f"{_MEETING_FLAGS} virtual_background language_interpretation"),
    *_unlocked(
        "meeting_security",
        "auto_security block_user_domain meeting_password phone_password waiting_room pmi_password",
    ),
    *_unlocked("recording", "archive auto_recording cloud_recording ip_address_access_control"),
    *_unlocked("schedule_meeting", "host_video join_before_host mute_upon_entry"),
    *_unlocked("telephony", "third_party_audio"),
)

# The part of a user's profile that the reference keeps under `settings` of user.updated.
PROFILE_SETTINGS: tuple[Setting, ...] = (
    _choice("feature.large_meeting_capacity", 500, 1000),
    _choice("feature.webinar", True, False),
    _choice("feature.webinar_capacity", 100, 500, 1000),
    _choice("large_meeting", "large500", "large1000"),
    _choice("meeting_capacity", 100, 300, 500),
)

# A personal meeting's password: a secret that only deliveries contain.
PMI_PASSWORD: Path = ("schedule_meeting", "pmi_password")
