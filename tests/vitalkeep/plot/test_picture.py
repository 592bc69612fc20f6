"""The head of a picture says what the record is and what can be known of it."""

from __future__ import annotations

import pytest

from device_pipeline.screening import Screening
from models.screen import Screened
from tests.vitalkeep.command import RECORDINGS
from tests.vitalkeep.plot.records import STRAP, analysed, heart, record, shown
from vitalkeep.cli.pictures import clock
from vitalkeep.plot.day import Span
from vitalkeep.plot.picture import gap_rows, picture


def test_the_head_tells_source_rate_length_date_and_how_much_could_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    analysis, _ = analysed(STRAP)
    first, second, third, kinds = shown(STRAP).facts
    assert kinds.startswith("Kinds of beats, no diagnosis: ")
    assert first.startswith("ECG, one lead: channel ecg, 130 Hz, 14:10 long, from 2026-01-0")
    assert second == f"{analysis.beats_n:,} beats that can be trusted; mean heart rate {analysis.mean_hr_bpm:.1f} bpm"
    good, poor = clock(analysis.good_ns / 1e9), clock(analysis.poor_ns / 1e9)
    assert third == f"Signal good for {good}, poor for {poor}, none for 1:11"
    pulses = shown(RECORDINGS / "wrist_ppg.csv").facts
    assert "no date in the file" in pulses[0]
    assert "pulses that can be trusted" in pulses[1]


def test_what_a_net_made_of_the_whole_is_told_as_no_diagnosis() -> None:
    analysis, trace = record(heart([0.8] * 30), [], 30)
    analysis.screening = Screening(None, "too_short")
    assert len(picture(analysis, trace, None).facts) == 3  # type: ignore[arg-type]  # without a signal nothing is read
    analysis.screening = Screening(Screened("A", {"A": 0.91, "N": 0.09}, "screen", "1"), None)
    told = picture(analysis, trace, None).facts[3]  # type: ignore[arg-type]
    assert told == "Screened as a whole, no diagnosis: of the kind of atrial fibrillation (91 %, screen 1)"


def test_of_a_great_many_gaps_the_longest_are_listed_and_the_rest_counted() -> None:
    spans = [Span(float(k), k + 0.1 + (k % 7) / 100, "lost frame") for k in range(100)]
    rows, left_out = gap_rows(spans, 10)
    assert (len(rows), left_out) == (10, 90)
    assert rows == sorted(rows, key=lambda span: span.start_s)
    assert min(row.end_s - row.start_s for row in rows) > 0.15
