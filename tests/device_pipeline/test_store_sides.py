"""What a side found comes back from the store as it was, each kind from its own table."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from device_pipeline.anomaly.anomaly import Anomaly, LearntShapes
from device_pipeline.clock import ManualClock
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.side import SideFinding
from device_pipeline.store.side_tables import SIDE_TABLES, side_findings
from device_pipeline.store.store import open_store
from device_pipeline.store.writer import SessionKind
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.usability.usable import Usable

S = 1_000_000_000
START_NS = 1_760_000_000 * S

FOUND: dict[type[SideFinding], list[SideFinding]] = {
    Respiration: [
        Respiration(START_NS, 32 * S, 14.123456789, 0.9, None, "fused/1"),
        Respiration(START_NS + 8 * S, 32 * S, None, 0.1, "poor_signal", "fused/1"),
    ],
    Spo2: [
        Spo2(START_NS, 10 * S, 97.0, 1.0, None, "oximeter/1"),
        Spo2(START_NS + 10 * S, 10 * S, None, None, "off_body", "oximeter/1"),
    ],
    Desaturation: [Desaturation(START_NS, START_NS + 30 * S, 86.0)],
    Oxygenation: [
        Oxygenation(START_NS, 3600 * S, 3500, 95.4, 82.0, 120, 9, 7),
        Oxygenation(START_NS + 3600 * S, 600 * S, 0, None, None, 0, 0, 0),
    ],
    Activity: [
        Activity(START_NS, 60 * S, 97, Level.MODERATE, Posture.UPRIGHT, 1.0, None),
        Activity(START_NS + 60 * S, 60 * S, 0, Level.STILL, None, 1.0, None),
        Activity(START_NS + 120 * S, 60 * S, None, None, None, None, "off_body"),
    ],
    Temperature: [
        Temperature(START_NS, 60 * S, 36.6, None, None, Site.BODY),
        Temperature(START_NS + 60 * S, 60 * S, None, None, "missing", Site.SKIN),
    ],
    Anomaly: [
        Anomaly(START_NS, 60 * S, 4.4, 60, 1, "morphology", "1.0.0", None),
        Anomaly(START_NS + 60 * S, 60 * S, None, 0, None, "morphology", "1.0.0", "calibrating (60 of 300 beats)"),
    ],
    Usable: [
        Usable(START_NS, 10 * S, True, 0.91, 0.05, "quality 1.0.0", None),
        Usable(START_NS + 10 * S, 10 * S, None, None, None, "index", "too_short"),
        Usable(START_NS + 20 * S, 10 * S, False, 0.2, 0.9, "quality 1.0.0", "noise"),
    ],
    LearntShapes: [LearntShapes(START_NS, 300 * S, "ecg", 300, "morphology", "1.0.0", "{}")],
}


def test_every_finding_of_a_side_has_its_table_and_its_example() -> None:
    assert set(SIDE_TABLES) == set(get_args(SideFinding)) == set(FOUND)


@pytest.mark.parametrize("kind", FOUND)
def test_what_a_side_found_returns_as_it_was(kind: type[SideFinding], tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", ManualClock(START_NS))
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.IMPORT, "file", "0")
        for finding in FOUND[kind]:
            writer.add_finding(finding)
    with store.reader() as db:
        found = list(side_findings(db, session, kind))  # type: ignore[type-var]
        assert found == FOUND[kind]
        assert [type(value) for value in vars_of(found[0])] == [type(value) for value in vars_of(FOUND[kind][0])]
        later = list(side_findings(db, session, kind, START_NS + 1))  # type: ignore[type-var]
        assert later == FOUND[kind][1:]


def vars_of(finding: SideFinding) -> list[object]:
    return [getattr(finding, name) for name in finding.__slots__]


def test_a_value_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", ManualClock(START_NS))
    with store.writer() as writer:
        writer.begin_session(SessionKind.IMPORT, "file", "0")
        with pytest.raises(ValueError, match="not finite"):
            writer.add_finding(Spo2(START_NS, S, float("nan"), 1.0, None, "oximeter/1"))


def test_health_values_are_not_in_the_repr_of_what_a_side_found() -> None:
    for findings in FOUND.values():
        assert repr(findings[0]) == f"<{type(findings[0]).__name__} start_ns={START_NS}>"
