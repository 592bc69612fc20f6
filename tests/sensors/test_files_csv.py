"""CSV: channels by name, an even grid laid on uneven times, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sensors.errors import FileFormatError
from sensors.files.csv import CsvSource
from sensors.files.source import FileItem
from sensors.samples import Gap, GapReason, Kind, Quantity, Reading, Samples


def write(folder: Path, *lines: str) -> Path:
    path = folder / "rec.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def samples(items: list[FileItem], channel: str) -> list[Samples]:
    return [i for i in items if isinstance(i, Samples) and i.channel == channel]


def gaps(items: list[FileItem]) -> list[Gap]:
    return [i for i in items if isinstance(i, Gap)]


def test_all_channels_are_read_by_name_in_any_order(tmp_path: Path) -> None:
    header = "acc_z,ecg_mv,t_s,ppg,ppg_2,ppg_red,ppg_ir,acc_x,acc_y,resp,note"
    rows = [f"{k}.3,{k}.1,{k / 50},1,2,3,4,{k}.5,{k}.4,9,free text" for k in range(10)]
    source = CsvSource(write(tmp_path, header, *rows))
    assert source.fs_hz == 50.0
    kinds = {c.name: c.kind for c in source.channels}
    assert kinds["ecg_mv"] is Kind.ECG
    assert kinds["acc"] is Kind.ACC
    assert kinds["resp"] is Kind.RESP
    assert all(kinds[name] is Kind.PPG for name in ("ppg", "ppg_2", "ppg_red", "ppg_ir"))
    items = list(source.items())
    assert samples(items, "acc")[0].values[3].tolist() == [3.5, 3.4, 3.3]
    assert samples(items, "ecg_mv")[0].values.tolist() == [k + 0.1 for k in range(10)]
    assert source.notes == ["columns not read: note"]


def test_without_times_the_rate_must_be_given_and_then_serves(tmp_path: Path) -> None:
    path = write(tmp_path, "ecg_mv", *map(str, range(260)))
    with pytest.raises(FileFormatError, match="--fs"):
        CsvSource(path)
    source = CsvSource(path, 130.0)
    blocks = samples(list(source.items(block_s=0.7)), "ecg_mv")
    assert np.concatenate([b.values for b in blocks]).tolist() == list(range(260))
    assert blocks[-1].end_ns == 2_000_000_000
    assert {b.anchor_ns for b in blocks} == {0}


@pytest.mark.parametrize(("fs_hz", "decimals"), [(250.0, 3), (360.0, 3), (130.0, 4), (50.0, 2), (130.06, 6)])
def test_times_rounded_by_whoever_wrote_them_still_give_the_rate_and_no_gap(
    tmp_path: Path, fs_hz: float, decimals: int
) -> None:
    rows = [f"{k / fs_hz:.{decimals}f},{k % 7}" for k in range(3000)]
    source = CsvSource(write(tmp_path, "t_s,ecg_mv", *rows))
    assert source.fs_hz == pytest.approx(fs_hz, rel=2e-4)
    items = list(source.items())
    assert gaps(items) == []
    blocks = samples(items, "ecg_mv")
    assert sum(map(len, blocks)) == 3000
    assert blocks[-1].end_ns == pytest.approx(3000 / fs_hz * 1e9, abs=1e9 / fs_hz)


def test_times_count_from_the_first_row(tmp_path: Path) -> None:
    rows = [f"{1_700_000_000 + k / 100:.2f},{k}" for k in range(20)]
    blocks = samples(list(CsvSource(write(tmp_path, "t_s,ecg_mv", *rows)).items()), "ecg_mv")
    assert (blocks[0].start_ns, len(blocks), len(blocks[0])) == (0, 1, 20)


def test_jitter_within_half_a_step_is_no_gap_and_a_hole_is_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    times = np.arange(400) / 100 + rng.uniform(-0.002, 0.002, 400)
    times[200:] += 1.0
    rows = [f"{t:.6f},{k}" for k, t in enumerate(times)]
    items = list(CsvSource(write(tmp_path, "t_s,ecg_mv", *rows)).items())
    (gap,) = gaps(items)
    assert gap.reason is GapReason.MISSING
    assert gap.start_ns == pytest.approx(2.0e9, abs=0.005e9)
    assert gap.end_ns == pytest.approx(3.0e9, abs=0.005e9)
    blocks = samples(items, "ecg_mv")
    assert [len(b) for b in blocks] == [200, 200]
    assert blocks[1].start_ns == gap.end_ns


def test_a_clock_that_drifts_is_followed_without_a_gap(tmp_path: Path) -> None:
    times = np.arange(30_000) / 100
    times[10_000:] = 100 + np.arange(20_000) / 100 * 1.001
    rows = [f"{t:.5f},{k % 5}" for k, t in enumerate(times)]
    items = list(CsvSource(write(tmp_path, "t_s,ecg_mv", *rows)).items())
    assert gaps(items) == []
    blocks = samples(items, "ecg_mv")
    assert sum(map(len, blocks)) == 30_000
    assert blocks[-1].t_ns(len(blocks[-1]) - 1) == pytest.approx(times[-1] * 1e9, abs=0.0051e9)
    starts = [b.start_ns for b in blocks]
    assert starts == sorted(starts)


def test_what_comes_out_does_not_depend_on_the_blocks(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    times = np.cumsum(rng.choice([0.01, 0.01, 0.01, 0.013, 0.04], 3000))
    rows = [f"{t:.4f},{k}" for k, t in enumerate(times)]
    source = CsvSource(write(tmp_path, "t_s,ecg_mv", *rows))

    def told(block_s: float) -> tuple[list[tuple[int, float]], list[Gap]]:
        items = list(source.items(block_s=block_s))
        return [(b.t_ns(k), v) for b in samples(items, "ecg_mv") for k, v in enumerate(b.values)], gaps(items)

    assert told(0.05) == told(3.3) == told(1e6)


def test_an_empty_cell_or_nan_of_a_signal_is_a_gap(tmp_path: Path) -> None:
    rows = [f"{k / 10},{'' if k in (3, 4) else 'nan' if k == 7 else k},{k}" for k in range(10)]
    items = list(CsvSource(write(tmp_path, "t_s,ecg_mv,ppg", *rows)).items())
    assert gaps(items) == [
        Gap("ecg_mv", 300_000_000, 500_000_000, GapReason.MISSING),
        Gap("ecg_mv", 700_000_000, 800_000_000, GapReason.MISSING),
    ]
    assert len(samples(items, "ppg")) == 1


def test_readings_come_at_their_rows_and_empty_cells_are_none(tmp_path: Path) -> None:
    rows = ["0,1,97,", "0.5,2,,800", "1.0,3,0,", "1.5,4,96,810.5"]
    items = list(CsvSource(write(tmp_path, "t_s,ecg_mv,spo2_pct,rr_ms", *rows)).items([]))
    read = [(i.quantity, i.t_ns, i.value) for i in items if isinstance(i, Reading)]
    assert read == [
        (Quantity.SPO2, 0, 97.0),
        (Quantity.RR, 500_000_000, 800.0),
        (Quantity.SPO2, 1_500_000_000, 96.0),
        (Quantity.RR, 1_500_000_000, 810.5),
    ]


def test_intervals_without_times_make_their_own(tmp_path: Path) -> None:
    items = list(CsvSource(write(tmp_path, "rr_ms", "800", "900", "1000")).items())
    assert [i.t_ns for i in items if isinstance(i, Reading)] == [800_000_000, 1_700_000_000, 2_700_000_000]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_quotes_a_byte_order_mark_and_blank_lines_are_read(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "rec.csv"
    lines = ['"t_s",ECG_MV', "0.0,1", "", '"0.1",2', "0.2,3", ""]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(line.replace(",", separator) for line in lines).encode())
    (block,) = samples(list(CsvSource(path).items()), "ecg_mv")
    assert block.values.tolist() == [1, 2, 3]


FAULTS = {
    "t_s,ecg_mv\n0,1\n0.1,2\n0.05,3\n": "line 4: t_s goes backward",
    "t_s,ecg_mv\n0,1\n\n0.1,2\n0.1,3\n": "line 5: t_s stands still",
    "t_s,ecg_mv\n0,1\n,2\n": "line 3 has no time",
    "t_s,ecg_mv\n0,1\n0.1,x\n": "line 3: the cell of ecg_mv is no number",
    "t_s,ecg_mv\n0,1\n0.1\n": "line 3 has 1 cells, the header names 2",
    "t_s,ecg_mv\n0,1\n0.1,2,3\n": "line 3 has 3 cells, the header names 2",
    "t_s,acc_x,acc_y\n0,1,2\n0.1,1,2\n": "acceleration needs acc_x acc_y acc_z, it has acc_x acc_y",
    "t_s,ecg_mv,ecg_mv\n0,1,2\n": "2 columns ecg_mv, expected one",
    "t_s,ecg_mv\n": "no row after the header",
    "time,value\n0,1\n": "its first line names no channel",
    "530\n518\n": "its first line names no channel",
    "t_s,ecg_mv\n0,1\n": "two or more are needed",
    "t_s,rr_ms\n0,800\n1,-3\n": "line 3 has an interval that is not above 0 ms",
    "t_s,spo2_pct\n0,97\n1,254\n": "line 3: spo2_pct outside 0 to 100",
    "t_s,ecg_mv\n0,1\n0.1," + "9" * 70_000 + "\n": "line 3 has 65536 characters or more",
}


@pytest.mark.parametrize("text", list(FAULTS), ids=list(FAULTS.values()))
def test_every_fault_is_one_line_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rec.csv"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"^rec\.csv: ") as caught:
        list(CsvSource(path).items())
    assert FAULTS[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_turns_binary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rec.csv"
    path.write_bytes(b"t_s,ecg_mv\n" + b"".join(b"%d,1\n" % k for k in range(20_000)) + b"\xff\xfe\x00\n")
    with pytest.raises(FileFormatError, match=r"^rec\.csv: not text in the"):
        list(CsvSource(path).items())


def test_a_channel_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    source = CsvSource(write(tmp_path, "t_s,ppg", "0,1", "0.1,2"))
    with pytest.raises(FileFormatError, match="no channel 'ecg_mv'; the record has ppg"):
        list(source.items(["ecg_mv"]))


def test_a_saturation_of_zero_is_a_gap_until_something_is_said_again(tmp_path: Path) -> None:
    path = tmp_path / "off.csv"
    path.write_text("t_s,spo2_pct\n0,97\n1,0\n2,0\n3,\n4,96\n5,0\n6,\n7,0\n", encoding="ascii")
    items = list(CsvSource(path).items())
    assert [item for item in items if isinstance(item, Gap)] == [
        Gap("spo2_pct", 1 * 10**9, 4 * 10**9, GapReason.MISSING),
        Gap("spo2_pct", 5 * 10**9, 7 * 10**9, GapReason.MISSING),
    ]
    assert [item.value for item in items if isinstance(item, Reading)] == [97.0, 96.0]
