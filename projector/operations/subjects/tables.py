"""The tables of schemas log and state: which are searched, and what of the others cannot name a person."""

from typing import Final, NamedTuple


class Kept(NamedTuple):
    """A place: what it holds, and how long that is kept, in words."""

    what: str
    how_long: str


FOR_EVER: Final = "for ever: the log keeps everything"
FOLDED: Final = "as long as the log has the events that it is folded from"
IN_BOUNDS: Final = (
    "until an operator verifies or purges it, or a signed delivery takes its room: the quarantine holds at "
    "most PROJECTOR_QUARANTINE_ROWS rows and PROJECTOR_QUARANTINE_BYTES bytes"
)

LOG: Final = "log.events"
QUARANTINE: Final = "log.quarantine"
PROGRESS: Final = "observations.progress"
DEAD_LETTERS: Final = "state.dead_letters"
DISMISSED: Final = "state.dismissed_dead_letters"

# Searched in ways of their own.
SPECIAL: Final = {
    LOG: Kept(
        "events as they were received: deliveries, observations, declarations, acts", FOR_EVER
    ),
    QUARANTINE: Kept("deliveries that were refused and may be genuine", IN_BOUNDS),
    PROGRESS: Kept(
        "what an unfinished reading of Zoom's REST API has read so far",
        "until that reading is finished, or a later one begins anew after seven days",
    ),
    DEAD_LETTERS: Kept("events about the person that could not be folded", FOLDED),
    DISMISSED: Kept("dead letters that somebody dismissed: by whom, and why", FOLDED),
}

# Searched row by row, in the text of all their columns.
STATE: Final = {
    name: Kept(what, FOLDED)
    for name, what in {
        "users": "profile and status now",
        "users_history": "positions of the events of a profile",
        "user_versions": "profile and status after each event",
        "removed_emails": "e-mails that a removal named",
        "removed_email_versions": "the same after each event",
        "memberships": "in which groups, now or formerly",
        "memberships_versions": "the same after each event",
        "group_admins": "which groups somebody administers, now or formerly",
        "group_admins_versions": "the same after each event",
        "observed_groups": "the whole set of groups that Zoom's REST API showed last",
        "observed_groups_history": "positions of such readings",
        "observed_group_versions": "the same after each reading",
        "presence": "presence now",
        "notes": "personal note now",
        "notes_history": "positions of the events of a note",
        "note_versions": "personal note after each event",
        "sign_ins": "the newest sign-in of each client",
        "sign_in_moments": "when somebody signed in or out",
        "sign_out_marks": "when somebody was signed out everywhere",
        "user_settings": "settings now",
        "user_settings_history": "positions of the events of settings",
        "user_settings_versions": "settings after each event",
        "user_setting_paths": "names of settings",
        "groups": "groups, where they name somebody",
        "group_versions": "groups after each event: who changed them",
        "group_settings": "settings of groups: who changed them",
        "group_settings_versions": "the same after each event",
        "group_setting_paths": "names of settings of groups",
        "account_settings": "settings of accounts, where they name somebody",
        "account_settings_versions": "the same after each event: who changed them",
        "account_setting_paths": "names of settings of accounts",
        "declared_primary_groups": "the primary group that an operator declared",
        "declared_primary_group_versions": "the same after each declaration",
        "declared_models": "who declared an account's model of settings",
        "declared_model_versions": "the same after each declaration",
        "declared_rankings": "who declared the ranking of an account's groups",
        "declared_ranking_versions": "the same after each declaration",
        "acknowledged_drift": "drift that somebody acknowledged: whose, by whom, and why",
        "coverage": "readings of Zoom's REST API, where what could not be read names somebody",
    }.items()
}

_DIGEST: Final = "a digest, from which nothing can be read; of an event that is searched itself"
_EVENT: Final = "names of accounts and events, and no person's; an event's own text is searched"
_PROCESS: Final = (
    "names of our own processes and projections, and error texts, which repeat no input"
)

# Columns of text, JSON or bytes that are searched nowhere, and why they cannot name a person.
CANNOT_NAME: Final = {
    "log.events": {
        "event": "is in the body too", "account_id": "is in the body too",
        "request_id": "a random id of one request", "digest": _DIGEST, "source": "one of seven words",
        "verified_by": "a fingerprint of a secret",
    },
    "log.quarantine": {
        "reason": "one of our own words", "event": "is in the body too",
        "request_id": "a random id of one request", "timestamp_header": "a time",
        "signature_header": "a signature, well formed", "digest": _DIGEST,
    },
    "log.digests": {"digest": _DIGEST},
    "log.epochs": {"place": "names a server"},
    "log.lost_deliveries": {"digest": _DIGEST, "replica": _PROCESS},
    "log.refusals": {"reason": "one of our own words"},
    "log.seals": {"chain": _DIGEST},
    "state.freshness": {"account_id": _EVENT, "event": _EVENT},
    "state.activity": {"account_id": _EVENT, "event": _EVENT},
    "state.checkpoints": dict.fromkeys(("projection", "digest", "owner", "error"), _PROCESS),
    "state.rebuilds": dict.fromkeys(("projection", "owner", "digest"), _PROCESS),
    "state.replicas": {"replica": _PROCESS},
    "state.groups_history": {"account_id": _EVENT, "group_id": "a group's id"},
    "state.group_settings_history": {"account_id": _EVENT, "group_id": "a group's id"},
    "state.account_settings_history": {"account_id": _EVENT},
    "state.dead_letters": dict.fromkeys(("projection", "event", "error"), _PROCESS),
    "state.setting_map": dict.fromkeys(
        ("path", "user_path", "group_path", "account_path", "group_flag", "group_flag_2", "account_flag",
         "account_flag_2", "group_flags", "account_flags"), "names of settings, which come with a release"),
    "state.setting_twins": dict.fromkeys(
        ("level", "spelling", "path"), "names of settings, which come with a release"),
}  # fmt: skip
