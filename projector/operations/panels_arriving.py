"""The panels that tell whether everything arrives."""

from typing import Final

from projector.operations.grafana import Graph, Number, Row
from projector.operations.promql import per_second, quantile

ARRIVING: Final = Row(
    "Is everything arriving?",
    (
        Number(
            "Database answers",
            "1 while every process can use the database.",
            "min(projector_database_up)",
            wrong=1,
            falling=True,
        ),
        Number(
            "Ingresses ready",
            "How many ingresses can append.",
            "sum(projector_ready)",
            warn=2,
            wrong=1,
            falling=True,
        ),
        Number(
            "Last delivery",
            "How long ago the last delivery of any account was received.",
            "time() - max(projector_last_received_timestamp_seconds)",
            unit="s",
        ),
        Number(
            "Silent accounts",
            "Accounts whose silence is none that their own rhythm explains.",
            "sum(max by (account) (projector_account_silent))",
            wrong=1,
        ),
        Number(
            "Refused signatures",
            "Deliveries of the last hour whose signature was wrong or stale.",
            'sum(max by (reason) (projector_refused_deliveries_recent{reason=~"wrong|stale"}))',
            warn=1,
            wrong=6,
        ),
        Number(
            "Disk free",
            "Free share of the disk of the database's server, where it can be told.",
            "min(projector_disk_free_bytes / projector_disk_size_bytes)",
            unit="percentunit",
            warn=0.2,
            wrong=0.1,
            falling=True,
        ),
        Graph(
            "Deliveries",
            "Requests to the webhook routes, by outcome. `busy` is a 503, `signature` a 401.",
            {"{{outcome}}": per_second("projector_deliveries_total", "outcome")},
            unit="reqps",
        ),
        Graph(
            "Time to acknowledge",
            "From receipt to the 200. Zoom waits for 3 seconds.",
            {
                "p50": quantile(0.5, "projector_acknowledge_seconds"),
                "p95": quantile(0.95, "projector_acknowledge_seconds"),
                "p99": quantile(0.99, "projector_acknowledge_seconds"),
            },
            unit="s",
        ),
        Graph(
            "Silence by account",
            "Deliveries that each account's own rhythm lets expect since its last one.",
            {"{{account}}": "max by (account) (projector_silence_expected_deliveries)"},
        ),
        Graph(
            "Appends that fail",
            "Appends that did not commit, by the database's reason; Zoom tries these deliveries again.",
            {"{{reason}}": per_second("projector_append_failures_total", "reason")},
            unit="ops",
        ),
        Graph(
            "Appends",
            "How long an append takes, how many deliveries share one, and how many wait for one.",
            {
                "p99 in seconds": quantile(0.99, "projector_append_seconds"),
                "deliveries an append": "sum(rate(projector_append_batch_events_sum[$__rate_interval]))"
                " / sum(rate(projector_append_batch_events_count[$__rate_interval]))",
                "waiting": "sum(projector_append_queue_deliveries)",
            },
        ),
        Graph(
            "Refused in the last hour",
            "Deliveries and URL validations that were refused, by reason, over all ingresses.",
            {"{{reason}}": "max by (reason) (projector_refused_deliveries_recent)"},
        ),
        Graph(
            "Quarantine",
            "Refused deliveries that are kept, how many may be, and those that found no room.",
            {
                "rows": "max(projector_quarantine_rows)",
                "limit": "max(projector_quarantine_limit_rows)",
                "dropped, signed {{signed}}": "sum by (signed) "
                "(increase(projector_quarantine_dropped_total[$__rate_interval]))",
            },
        ),
        Graph(
            "Duplicates and connections refused",
            "Deliveries that the log had already, and connections turned away at the limit.",
            {
                "duplicates": per_second("projector_duplicates_total"),
                "connections refused": per_second("projector_connections_refused_total"),
                "URL validations refused": per_second("projector_validations_failed_total"),
            },
            unit="ops",
        ),
        Graph(
            "Bytes",
            "The size of the log, of what is folded from it, and of the quarantine's bodies.",
            {
                "log": "max(projector_log_bytes)",
                "state": "max(projector_state_bytes)",
                "quarantine": "max(projector_quarantine_bytes)",
            },
            unit="bytes",
        ),
    ),
)
