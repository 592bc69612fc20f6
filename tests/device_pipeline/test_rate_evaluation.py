"""The heart rate's figures: what counts, what is left out, and which records are understood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from device_pipeline.beat import BeatSource
from device_pipeline.evaluation.heart_rate import RateScore, ecg_truth, gross, score_rates
from device_pipeline.evaluation.rate_records import even, rate_records_in, read_rate_record
from device_pipeline.windows import HeartRate
from sensors.errors import FileFormatError
from sensors.samples import Kind
from tests.device_pipeline.ecg_signal import beat_times, ecg

SECOND_NS = 1_000_000_000


def beating(bpm: float) -> NDArray[np.float64]:
    """40 s at 250 Hz."""
    return ecg(beat_times([60 / bpm] * int(38 * bpm / 60)), 250.0, length_s=40)


def told(k: int, bpm: float | None) -> HeartRate:
    reason = None if bpm is not None else "motion"
    return HeartRate(2 * k * SECOND_NS, 8 * SECOND_NS, bpm, 0.9, reason, BeatSource.PPG)


def test_what_is_not_told_costs_coverage_and_what_has_no_truth_costs_nothing() -> None:
    score = score_rates([told(0, 60), told(1, None), told(2, 70), told(3, 90), told(4, 80)], [61, 62, 67, None])
    assert (score.windows, score.told) == (3, 2)
    assert score.coverage == pytest.approx(2 / 3)
    assert score.mae_bpm == pytest.approx(2.0)
    assert score.bias_bpm == pytest.approx(1.0)
    assert score.far_share == 0


def test_gross_weighs_windows_and_says_why_there_is_no_figure() -> None:
    both = gross([score_rates([told(0, 60)], [70]), score_rates([told(0, 60), told(1, 60)], [60, 60])])
    assert both.mae_bpm == pytest.approx(10 / 3)
    assert both.far_share == pytest.approx(1 / 3)
    assert gross([]) == RateScore(0, 0, 0.0, 0.0, 0)
    assert gross([]).reason == "no window has a truth"
    assert score_rates([told(0, None)], [60]).reason == "no window was told"
    assert score_rates([told(0, None)], [60]).mae_bpm is None


def test_leads_that_do_not_agree_are_no_truth() -> None:
    slow, fast = ([*even(Kind.ECG, lead, wave, 250.0)] for lead, wave in (("II", beating(60)), ("V", beating(90))))
    alone = ecg_truth([slow], 40 * SECOND_NS)
    assert len(alone) == 17
    assert all(bpm == pytest.approx(60, abs=0.5) for bpm in alone[1:-1])
    assert ecg_truth([slow, fast], 40 * SECOND_NS)[2:-2] == [None] * 13


def test_a_folder_gives_the_records_that_have_a_truth(tmp_path: Path) -> None:
    rows, rates = np.random.default_rng(1).normal(size=(6, 2500)), np.full((7, 1), 80.0)
    for name, truth in (
        ("DATA_01_TYPE01", "DATA_01_TYPE01_BPMtrace"),
        ("DATA_S04_T01", "BPM_S04_T01"),
        ("TEST_S01_T01", "True_S01_T01"),
        ("DATA_02_TYPE02", None),
    ):
        savemat(tmp_path / f"{name}.mat", {"sig": rows})
        if truth is not None:
            savemat(tmp_path / f"{truth}.mat", {"BPM0": rates})
    (tmp_path / "other.csv").write_text("t_s,ppg\n0,1\n")
    found = [path.stem for path in rate_records_in(tmp_path)]
    assert found == ["DATA_01_TYPE01", "DATA_S04_T01", "TEST_S01_T01"]
    record = read_rate_record(tmp_path / "TEST_S01_T01.mat")
    assert record.truth_bpm == [80.0] * 7
    assert {item.channel for item in record.items} == {"ppg", "ppg_2", "acc"}


def test_what_is_no_such_record_says_what_was_expected(tmp_path: Path) -> None:
    savemat(tmp_path / "DATA_02_TYPE02.mat", {"sig": np.zeros((6, 100))})
    with pytest.raises(FileFormatError, match="no BPM0 beside it"):
        read_rate_record(tmp_path / "DATA_02_TYPE02.mat")
    savemat(tmp_path / "DATA_02_TYPE02_BPMtrace.mat", {"BPM0": np.zeros((1, 1))})
    savemat(tmp_path / "DATA_02_TYPE02.mat", {"sig": np.zeros((2, 100))})
    with pytest.raises(FileFormatError, match="five rows or more"):
        read_rate_record(tmp_path / "DATA_02_TYPE02.mat")
    (tmp_path / "DATA_03_TYPE02.mat").write_bytes(b"no matrix")
    (tmp_path / "DATA_03_TYPE02_BPMtrace.mat").write_bytes(b"no matrix")
    with pytest.raises(FileFormatError, match="no array sig"):
        read_rate_record(tmp_path / "DATA_03_TYPE02.mat")
    (tmp_path / "only.csv").write_text("t_s,ppg\n0,1\n0.02,2\n0.04,1\n")
    with pytest.raises(FileFormatError, match="an ECG and a PPG"):
        read_rate_record(tmp_path / "only.csv")
    (tmp_path / "bidmc_99_Signals.csv").write_text("Time [s], RESP, PLETH, II\n0, 1, a, 2\n")
    with pytest.raises(FileFormatError, match="a table of numbers"):
        read_rate_record(tmp_path / "bidmc_99_Signals.csv")
