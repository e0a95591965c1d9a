"""The panels that tell whether what is folded can be believed."""

from typing import Final

from projector.operations.grafana import Graph, Number, Row
from projector.operations.promql import RATE, per_second


def _found(what: str) -> str:
    return f"sum by (section) (increase(projector_reconcile_{what}_total{RATE}))"


BELIEVED: Final = Row(
    "Can it be believed?",
    (
        Number(
            "Dead letters",
            "Events that a projection could not fold and nobody has dismissed.",
            "sum(max by (projection) (projector_dead_letters_open))",
            warn=1,
        ),
        Number(
            "Drift",
            "Values that contradict what Zoom reported as the previous value.",
            "sum(max by (entity) (projector_drift_open))",
            warn=1,
        ),
        Number(
            "Deliveries lost",
            "Acknowledged deliveries that were lost with a database server, in the present epoch.",
            "max(projector_deliveries_lost)",
            wrong=1,
        ),
        Number(
            "Epoch",
            "Its number: one more whenever the log may have gone back.",
            "max(projector_epoch_number)",
        ),
        Number(
            "Epoch since",
            "When the present epoch began.",
            "1000 * max(projector_epoch_timestamp_seconds)",
            unit="dateTimeFromNow",
        ),
        Number(
            "Reconciling",
            "1 while a run of `projector reconcile` is going on.",
            "max(projector_reconcile_running)",
        ),
        Graph(
            "Dead letters by projection",
            "Events that could not be folded and are not dismissed.",
            {"{{projection}}": "max by (projection) (projector_dead_letters_open)"},
        ),
        Graph(
            "Drift by entity",
            "Contradictions that nobody has acknowledged.",
            {"{{entity}}": "max by (entity) (projector_drift_open)"},
        ),
        Graph(
            "Age of the last complete reading",
            "Of each section of Zoom's REST API; of the account that was read longest ago.",
            {
                "{{section}}": "time() - min by (section) "
                "(projector_reconcile_complete_timestamp_seconds)"
            },
            unit="s",
        ),
        Graph(
            "What readings found",
            "Entities that the directory did not have, that differed, or that are gone at Zoom.",
            {
                "new {{section}}": _found("new"),
                "repaired {{section}}": _found("repaired"),
                "gone {{section}}": _found("gone"),
                "incomplete {{section}}": _found("incomplete"),
            },
        ),
        Graph(
            "Calls of Zoom's REST API",
            "By label of its rates, and answers that said: too many requests.",
            {
                "{{label}}": per_second("projector_reconcile_calls_total", "label"),
                "429": per_second("projector_reconcile_429s_total"),
            },
            unit="reqps",
        ),
        Graph(
            "Values not held",
            "Values that a typed column could not hold and that became null.",
            {"{{projection}}": per_second("projector_values_not_held_total", "projection")},
            unit="ops",
        ),
        Graph(
            "Releases",
            "How many processes run which release.",
            {"{{version}}": "count by (version) (projector_build_info)"},
            width=24,
        ),
    ),
)
