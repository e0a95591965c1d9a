"""The panels that tell whether what arrived is folded."""

from typing import Final

from projector.operations.grafana import Graph, Number, Row
from projector.operations.promql import per_second, quantile

FOLDED: Final = Row(
    "Is it folded?",
    (
        Number(
            "Longest lag",
            "The age of the oldest event that some projection has not folded yet.",
            "max(projector_projection_lag_seconds)",
            unit="s",
            warn=60,
            wrong=300,
        ),
        Number(
            "Stuck",
            "Projections that have not moved for a minute while events wait.",
            "sum(max by (projection) (projector_projection_stuck))",
            wrong=1,
        ),
        Number(
            "Folded by nobody",
            "Projections whose lease no live replica holds.",
            "sum(1 - max by (projection) (projector_lease_owned))",
            wrong=1,
        ),
        Number(
            "Projectors",
            "How many `project` processes answer Prometheus.",
            "count(projector_log_head_position)",
            warn=2,
            wrong=1,
            falling=True,
        ),
        Number(
            "Head of the log",
            "The position of its newest event.",
            "max(projector_log_head_position)",
        ),
        Number(
            "Schema behind",
            "1 if `projector migrate` is needed.",
            "max(projector_schema_behind)",
            wrong=1,
        ),
        Graph(
            "Lag",
            "The age of the oldest event not folded yet, by projection.",
            {"{{projection}}": "max by (projection) (projector_projection_lag_seconds)"},
            unit="s",
        ),
        Graph(
            "Events not folded yet",
            "By projection.",
            {"{{projection}}": "max by (projection) (projector_projection_lag_events)"},
        ),
        Graph(
            "Events folded",
            "Events that each projection passes in a second, over all replicas.",
            {"{{projection}}": per_second("projector_projection_events_total", "projection")},
            unit="ops",
        ),
        Graph(
            "Time to fold and write a batch, p95",
            "By projection.",
            {"{{projection}}": quantile(0.95, "projector_projection_batch_seconds", "projection")},
            unit="s",
        ),
        Graph(
            "Trouble",
            "Waits after an error of the database, and loops that died and were started again.",
            {
                "{{projection}} waits": per_second(
                    "projector_projection_waits_total", "projection"
                ),
                "{{projection}} restarts": per_second(
                    "projector_projection_restarts_total", "projection"
                ),
            },
            unit="ops",
        ),
        Graph(
            "Rebuild",
            "How far each running rebuild is in the log; nothing while none runs.",
            {
                "{{projection}}": "max by (projection) (projector_rebuild_position)"
                " / on () group_left () max(projector_log_head_position)"
            },
            unit="percentunit",
        ),
        Graph(
            "Leases of each replica",
            "How many projections each replica folds.",
            {"{{instance}}": "sum by (instance) (projector_lease_mine)"},
            width=12,
        ),
        Graph(
            "Positions",
            "How far each projection is in the log.",
            {"{{projection}}": "max by (projection) (projector_projection_position)"},
            width=12,
        ),
    ),
)
