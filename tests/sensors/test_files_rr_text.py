"""RR intervals as text: numbers in ms, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.errors import FileFormatError
from sensors.files.open import open_source
from sensors.samples import Quantity, Reading


def test_one_or_more_on_a_line_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "night.txt"
    path.write_text("# exported\n800 810.5\n\n820, 830; 840 # awake\n")
    source = open_source(path)
    items = [i for i in source.items() if isinstance(i, Reading)]
    assert [i.value for i in items] == [800, 810.5, 820, 830, 840]
    assert {(i.quantity, i.channel) for i in items} == {(Quantity.RR, "rr")}
    assert source.duration_s == pytest.approx(4.1005)
    assert (source.name, source.fs_hz, source.channels) == ("night", None, ())


def test_an_interval_is_timed_at_the_beat_that_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "night.rr"
    path.write_text("800\n900\n")
    assert [i.t_ns for i in open_source(path).items() if isinstance(i, Reading)] == [800_000_000, 1_700_000_000]


FAULTS = {
    "0.8\n0.81\n0.79\n": "every interval is below 10: seconds? Milliseconds are expected",
    "800\n0\n": "line 2 has an interval that is not above 0 ms",
    "800\n810 -5\n": "line 2 has an interval that is not above 0 ms",
    "800\nabc\n": "line 2 is no list of numbers",
    "800\nnan\n": "line 2 is no list of numbers",
    "# nothing\n": "no RR interval",
}


@pytest.mark.parametrize("text", list(FAULTS), ids=list(FAULTS.values()))
def test_every_fault_is_one_line_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "night.txt"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"^night\.txt: ") as caught:
        open_source(path)
    assert FAULTS[text] in str(caught.value)


def test_no_message_tells_an_interval(tmp_path: Path) -> None:
    path = tmp_path / "night.txt"
    path.write_text("800\n-737\n")
    with pytest.raises(FileFormatError) as caught:
        open_source(path)
    assert "737" not in str(caught.value)
