"""Stories for the alerting rules: what the metrics of a healthy deployment become when something breaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.alert_world import (
    APPEND_FAILURES,
    BREAKS,
    STEP,
    Series,
    Value,
    ago,
    always,
    gone,
    grows,
    healthy,
)


@dataclass(frozen=True)
class Story:
    """Something breaks, and is repaired `lasts` seconds later.

    `broken`: a pattern, and what becomes of every series whose name it finds. `late`: seconds from the break
    until the alert's expression is true; `lingers`: from the repair until it is false again.
    """

    name: str
    broken: Mapping[str, Series]
    alert: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    late: float = 0
    lasts: float = 1800
    lingers: float = 0

    def world(self) -> dict[str, Series]:
        """Every series, before, during and after."""
        world = healthy()
        for pattern, during in self.broken.items():
            found = [name for name in world if re.search(pattern, name)]
            assert found, f"{self.name}: no series is like {pattern}"
            for name in found:
                counts = re.search("_(total|count|bucket){", name) is not None
                world[name] = self._broken(world[name], during, counts=counts)
        return world

    def _broken(self, before: Series, during: Series, *, counts: bool) -> Series:
        repaired = BREAKS + self.lasts

        def value(t: float) -> Value:
            if t < BREAKS:
                return before(t)
            if t < repaired:
                return during(t)
            counted = during(repaired) if counts else None
            return before(t) if counted is None else max(counted, before(t) or 0)

        return value


OF_THE_DATABASE = (
    "log_head", "quarantine_rows", "quarantine_limit", "epoch_", "deliveries_lost", "disk_",
    "schema_behind", "lag_seconds", "stuck", "lease_owned", "dead_letters", "drift_open", "account_silent",
    "refused_deliveries", "complete_timestamp",
)  # fmt: skip

FIRES = [
    Story(
        "the database is stopped under load",
        {
            "projector_database_up": always(0),
            "projector_ready": always(0),
            f"{APPEND_FAILURES}.*unreachable": grows(1),
            "append_seconds_count": lambda _t: float(BREAKS),
            **dict.fromkeys(OF_THE_DATABASE, gone),
        },
        "ProjectorDatabaseAway",
        late=STEP * 2,  # a fifth of five minutes
        lasts=3600,
        lingers=STEP * 8,
    ),
    Story(
        "one process alone cannot use the database",
        {
            "projector_database_up.*ingress-1": always(0),
            "projector_ready.*ingress-1": always(0),
            f"{APPEND_FAILURES}.*ingress-1.*unreachable": grows(1),
        },
        "ProjectorDatabaseAway",
        late=STEP * 2,
        lingers=STEP * 8,
    ),
    Story(
        "the code is newer than the schema",
        {"schema_behind": always(1), "projector_ready": always(0)},
        "ProjectorSchemaBehind",
    ),
    Story("no ingress runs", {'job="ingress"': gone, "^up.*ingress": always(0)},
          "ProjectorIngressGone"),
    Story(
        "somebody holds the append lock",
        {"projector_ready": always(0), f"{APPEND_FAILURES}.*timeout": grows(1)},
        "ProjectorIngressNotReady",
    ),
    Story(
        "the disk is full",
        {f"{APPEND_FAILURES}.*disk_full": grows(1 / 30)},
        "ProjectorDiskFull",
        lasts=1200,
        lingers=600,
    ),
    Story("the disk fills", {"disk_free_bytes": always(9)}, "ProjectorDiskFilling"),
    Story(
        "appends time out",
        {f"{APPEND_FAILURES}.*timeout": grows(0.5)},
        "ProjectorAppendsFailing",
        {"reason": "timeout"},
        late=150,
        lingers=720,
    ),
    Story(
        "the database is slow",
        {
            'acknowledge_seconds_bucket.*le="0.1"': always(0.9 * BREAKS),
            'acknowledge_seconds_bucket.*le="1.0"': always(BREAKS),
        },
        "ProjectorAcknowledgementSlow",
        late=STEP,
    ),
    Story(
        "the secret is wrong",
        {"refused_deliveries_recent.*wrong": always(6)},
        "ProjectorSignaturesRefused",
        {"reason": "wrong"},
    ),
    Story(
        "URL validation fails",
        {"refused_deliveries_recent.*validation": always(1)},
        "ProjectorUrlValidationFailing",
    ),
    Story(
        "an account falls silent",
        {'account_silent.*account="two"': always(1)},
        "ProjectorAccountSilent",
        {"account": "two"},
    ),
    Story(
        "the quarantine fills", {"quarantine_rows": always(8001)}, "ProjectorQuarantineFilling"
    ),
    Story(
        "the quarantine drops what was signed",
        {"quarantine_dropped_total.*true": grows(1 / 30)},
        "ProjectorSignedDropped",
        lasts=120,
        lingers=900,
    ),
    Story("no projector runs", {'job="projector"': gone, "^up.*projector": always(0)},
          "ProjectorProjectorsGone"),
    Story(
        "one of two projectors is killed",
        {"projector-2": gone, "^up.*projector-2": always(0)},
        "ProjectorReplicaAway",
        {"job": "projector", "instance": "projector-2:8081"},
    ),
    Story(
        "nobody holds a lease",
        {"lease_owned.*groups": always(0), "stuck.*groups": always(1), "lag_seconds.*groups": ago(BREAKS)},
        "ProjectorLeaseUnheld",
        {"projection": "groups"},
    ),
    Story(
        "a projection is stuck",
        {"stuck.*users": always(1), "lag_seconds.*users": ago(BREAKS)},
        "ProjectorStuck",
        {"projection": "users"},
    ),
    Story(
        "a projection lags",
        {"lag_seconds.*users": always(301)},
        "ProjectorLag",
        {"projection": "users"},
    ),
    Story(
        "a loop dies again and again",
        {"restarts_total.*projector-1.*users": grows(1 / 30)},
        "ProjectorCrashLoop",
        {"projection": "users"},
        late=60,
        lasts=1200,
        lingers=840,
    ),
    Story(
        "there are dead letters",
        {"dead_letters_open.*groups": always(1)},
        "ProjectorDeadLetters",
        {"projection": "groups"},
    ),
    Story(
        "drift stands",
        {'drift_open.*entity="user"': always(2)},
        "ProjectorDrift",
        {"entity": "user"},
        lasts=7 * 3600,
    ),
    Story(
        "Zoom was not read for two days",
        {"complete_timestamp.*users": ago(2 * 86_400 + STEP)},
        "ProjectorCoverageOld",
        {"section": "users"},
    ),
    Story(
        "a standby is promoted and nothing is lost",
        {"epoch_timestamp": always(BREAKS), "epoch_number": always(3)},
        "ProjectorEpochChanged",
        lasts=3600,
    ),
    Story(
        "a standby is promoted and deliveries are lost",
        {
            "epoch_timestamp": always(BREAKS),
            "deliveries_lost": always(4),
            "complete_timestamp": always(BREAKS - 3600),
        },
        "ProjectorDeliveriesLost",
    ),
]  # fmt: skip

STAYS_CALM = [
    Story("a failover takes thirty seconds", {
        "projector_database_up": always(0), "projector_ready": always(0),
        f"{APPEND_FAILURES}.*unreachable": grows(1), **dict.fromkeys(OF_THE_DATABASE, gone),
    }, None, lasts=30),
    Story("a replica is replaced", {"projector-2": gone}, None),
    Story("a process begins and has not asked the database yet", {
        "(database_up|ready|build_info).*ingress-2":
            lambda t: None if t < BREAKS + 300 else float(t >= BREAKS + 360),
    }, None, lasts=900),
    Story("an ingress of two restarts", {"ingress-2": gone, "^up.*ingress-2": always(0)}, None, lasts=120),
    Story("few of many appends fail", {f"{APPEND_FAILURES}.*timeout": grows(0.05)}, None),
    Story("somebody tries a wrong secret", {"refused_deliveries_recent.*wrong": always(5)}, None),
    Story("a scanner posts without a signature", {"refused_deliveries_recent.*missing": always(900)}, None),
    Story("a long import", {"lag_seconds": always(900)}, None, lasts=270),
    Story("a loop died twice", {"restarts_total.*projector-1.*users": grows(1 / 30)}, None, lasts=30),
    Story("drift heals when the late delivery comes", {"drift_open": always(3)}, None, lasts=5 * 3600),
    Story("a fresh installation", {"epoch_number": always(1), "epoch_timestamp": always(BREAKS)}, None),
    Story("what was lost has been read since", {
        "deliveries_lost": always(4), "epoch_timestamp": always(BREAKS),
        "complete_timestamp": lambda _t: BREAKS + STEP,
    }, None),
    Story("a failover long ago lost some, and nobody reads Zoom", {
        "deliveries_lost": always(4), "complete_timestamp": gone,
    }, None),
    Story("unsigned ones are dropped", {"quarantine_dropped_total.*false": grows(1)}, None),
    Story("an eighth of the disk is free", {"disk_free_bytes": always(12.5)}, None),
    Story("no deliveries at all for an hour", {
        "append_seconds_count": lambda _t: float(BREAKS),
        "acknowledge_seconds_bucket": lambda _t: float(BREAKS),
    }, None, lasts=3600),
]  # fmt: skip


def without(*metrics: str) -> dict[str, Series]:
    """A healthy deployment in which some metrics vanish."""
    return Story("", {f"^{metric}{{": gone for metric in metrics}, None, lasts=3600).world()
