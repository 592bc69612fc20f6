"""On real pulse waves: right where it speaks. The net learned from these people too, so these are floors against harm;
what it does on people left out is in the card of `models/weights/ppg_rate.json`.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from device_pipeline.evaluation.heart_rate import RateScore, gross, ppg_rates, score_rates
from device_pipeline.evaluation.rate_records import RateRecord, rate_records_in, read_rate_record
from tests.data import shared_data

BIDMC = ("01", "05", "12", "18", "20", "34", "36", "44")


def scored(record: RateRecord, second: bool = True) -> RateScore:
    told = ppg_rates(record.items, record.ppg, record.second_ppg if second else None, record.acc)
    assert len(told) >= len(record.truth_bpm) - 1
    return score_rates(told, record.truth_bpm)


def test_running_the_rate_is_told_and_right() -> None:
    folder = shared_data("ieee_spc_2015")
    records = rate_records_in(folder)
    assert len(records) == 13
    told = gross([scored(read_rate_record(path)) for path in records])
    assert told.coverage is not None and told.coverage >= 0.9
    assert told.mae_bpm is not None and told.mae_bpm <= 0.85
    assert told.far_share is not None and told.far_share <= 0.02


@pytest.mark.parametrize("subject", ["03", "09", "12"])
def test_running_one_wave_is_enough(subject: str) -> None:
    one = scored(read_rate_record(shared_data("ieee_spc_2015", f"DATA_{subject}_TYPE02.mat")), second=False)
    assert one.coverage is not None and one.coverage >= 0.85
    assert one.mae_bpm is not None and one.mae_bpm <= 1.0


def test_at_rest_the_rate_is_that_of_the_ecg(tmp_path: Path) -> None:
    scores = []
    with tarfile.open(shared_data("bidmc", "bidmc_csv.tar.xz")) as archive:
        for number in BIDMC:
            name = f"bidmc_{number}_Signals.csv"
            member = archive.extractfile(f"bidmc_csv/{name}")
            assert member is not None
            lines = member.read().splitlines(keepends=True)[: 1 + 150 * 125]
            (tmp_path / name).write_bytes(b"".join(lines))
            scores.append(scored(read_rate_record(tmp_path / name)))
    told = gross(scores)
    assert told.windows > 450
    assert told.coverage is not None and told.coverage >= 0.93
    assert told.mae_bpm is not None and told.mae_bpm <= 0.35
