"""CSV of the BIDMC form: channels by name in any order, rows counted, breaths by annotator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sensors.errors import FileFormatError
from sensors.files.bidmc import BidmcSource, read_breaths_s
from sensors.samples import Kind, Samples


def written(folder: Path, head: str = "Time [s], RESP, PLETH, V, II, CVP", seconds: float = 20.0) -> Path:
    path = folder / "bidmc_99_Signals.csv"
    rows = [f"{k / 125:.2f},{k},{k + 0.5},{-k},{2 * k},7" for k in range(round(seconds * 125))]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="ascii")
    return path


def test_channels_are_found_by_name_and_rows_give_the_time(tmp_path: Path) -> None:
    source = BidmcSource(written(tmp_path))
    assert (source.name, source.fs_hz) == ("bidmc_99", 125.0)
    assert [(c.name, c.kind) for c in source.channels] == [
        ("RESP", Kind.RESP),
        ("PLETH", Kind.PPG),
        ("V", Kind.ECG),
        ("II", Kind.ECG),
        ("CVP", None),
    ]
    blocks = [item for item in source.items(["II"], block_s=8.0) if isinstance(item, Samples)]
    assert [len(block) for block in blocks] == [1000, 1000, 500]
    assert np.concatenate([block.values for block in blocks])[:3].tolist() == [0.0, 2.0, 4.0]
    assert blocks[1].start_ns == 8 * 10**9


def test_an_empty_cell_is_a_gap(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_text().splitlines()
    lines[10] = "0.07,1,,1,1,1"
    path.write_text("\n".join(lines))
    kinds = [type(item).__name__ for item in BidmcSource(path).items(["PLETH"])]
    assert kinds == ["Samples", "Gap", "Samples"]


def test_breaths_of_each_annotator_are_read_though_one_has_fewer(tmp_path: Path) -> None:
    path = tmp_path / "bidmc_99_Breaths.csv"
    path.write_text("breaths ann1 [signal sample no], breaths ann2 [signal sample no]\n125,130\n625,620\nNaN,1000\n,\n")
    first, second = read_breaths_s(path, 125.0)
    assert first.tolist() == [1.0, 5.0]
    assert second.tolist() == [1.04, 4.96, 8.0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "Time [s], II\n0,1\n",
        "Time [s], II\n0,1\n0,2\n",
        "Time [s], II\n0,1,2\n1,2,3\n",
        "Time [s], II\n0,1\n1,high\n2,3\n",
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x_Signals.csv"
    path.write_text(text)
    with pytest.raises(FileFormatError):
        BidmcSource(path)


def test_marks_without_their_column_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x_Breaths.csv"
    path.write_text("t\n1\n")
    with pytest.raises(FileFormatError, match="signal sample no"):
        read_breaths_s(path, 125.0)
