"""The gauges that are read from the database: every name, its meaning with its unit, and its label."""

from typing import Final, NamedTuple

UP: Final = "projector_database_up"


class Told(NamedTuple):
    """A gauge: what it means, and its label, or None."""

    text: str
    label: str | None = None


GAUGES: Final[dict[str, Told]] = {
    UP: Told(
        "1 while the database answers this process; while 0, nothing that is read from it is shown."
    ),
    "projector_schema_behind": Told("1 if the schema lacks what this release needs: run migrate."),
    "projector_log_head_position": Told("Greatest position of the log."),
    "projector_log_bytes": Told("Bytes that the log takes on disk, with indexes."),
    "projector_state_bytes": Told(
        "Bytes that what is folded from the log takes on disk, with indexes."
    ),
    "projector_last_received_timestamp_seconds": Told(
        "When an account's last delivery was received, in epoch seconds; of `other`, the newest.",
        "account",
    ),
    "projector_silence_expected_deliveries": Told(
        "Deliveries that an account's own rhythm lets expect since its last one; of `other`, the most.",
        "account",
    ),
    "projector_account_silent": Told(
        "1 if an account's silence is none that its own rhythm explains; of `other`, if any's is.",
        "account",
    ),
    "projector_projection_position": Told("Position up to which it has folded.", "projection"),
    "projector_projection_lag_events": Told("Events not folded yet.", "projection"),
    "projector_projection_lag_seconds": Told(
        "Seconds since the receipt of the oldest event not folded yet; 0 where there is none.",
        "projection",
    ),
    "projector_projection_stuck": Told(
        "1 if events wait and nothing has moved for 60 s.", "projection"
    ),
    "projector_lease_owned": Told("1 if some live replica folds it.", "projection"),
    "projector_lease_mine": Told("1 if this process folds it.", "projection"),
    "projector_rebuild_position": Told(
        "Position that a rebuild has reached; only while one runs.", "projection"
    ),
    "projector_dead_letters_open": Told("Events that it could not fold.", "projection"),
    "projector_drift_open": Told(
        "Values of the directory that Zoom contradicted, by kind of entity.", "entity"
    ),
    "projector_quarantine_rows": Told("Deliveries in the quarantine."),
    "projector_quarantine_bytes": Told("Bytes of their bodies."),
    "projector_quarantine_limit_rows": Told(
        "Most deliveries that the quarantine may hold, by this process's settings."
    ),
    "projector_refused_deliveries_recent": Told(
        "Deliveries refused or dropped, by all ingress replicas, in hours that reach into the last one.",
        "reason",
    ),
    "projector_reconcile_complete_timestamp_seconds": Told(
        "When the newest complete reading of a section began, in epoch seconds; of several accounts the "
        "oldest. Absent: never.",
        "section",
    ),
    "projector_reconcile_running": Told("1 while a run reads Zoom's REST API."),
    "projector_epoch_number": Told(
        "Number of the log's epoch; a greater one: the log may have gone back."
    ),
    "projector_epoch_timestamp_seconds": Told("When that epoch began, in epoch seconds."),
    "projector_deliveries_lost": Told(
        "Acknowledged deliveries that the present epoch's beginning lost."
    ),
    "projector_disk_free_bytes": Told(
        "Bytes free where the database's server keeps its data; absent where this process cannot see it."
    ),
    "projector_disk_size_bytes": Told("Bytes of that file system."),
}
