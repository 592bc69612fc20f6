"""Pictures are as large as was asked for, show every extreme, and leave blank what is not known."""

from __future__ import annotations

import pytest

from vitalkeep.cli.pictures import ascii_only, bars, clock, digits, dot_row, sparkline, strip


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0.0 s"), (59.94, "59.9 s"), (245, "4:05"), (3600, "1:00:00"), (86399, "23:59:59")]
)
def test_times_read_as_people_write_them(seconds: float, told: str) -> None:
    assert clock(seconds) == told


def test_digits_are_three_lines_of_one_width() -> None:
    for number in (0, 7, 42, 150, 1234567890):
        lines = digits(number)
        assert [len(line) for line in lines] == [4 * len(str(number)) - 1] * 3
    assert len({tuple(digits(number)) for number in range(10)}) == 10


def test_a_bar_is_blank_only_where_there_is_no_value() -> None:
    assert sparkline([1.0, None, 2.0], 3) == "▁ █"
    assert sparkline([5.0, 5.0], 2).strip() == sparkline([5.0, 5.0], 2)
    assert sparkline([None, None], 2) == "  "
    assert sparkline([], 10) == ""


def test_values_that_share_a_bar_show_their_mean() -> None:
    assert sparkline([0.0, 0.0, 10.0, 10.0, 0.0, 10.0], 3) == "▁█▅"
    assert sparkline([0.0, None, 10.0, None], 2) == "▁█"


def test_tall_bars_grow_from_the_ground() -> None:
    assert bars([0.0, 14.0, None, 16.0], 4, 2) == [" ▇ █", "▁█ █"]


def test_a_strip_shows_the_highest_and_lowest_of_every_column() -> None:
    lines = strip([(0.0, 0.0), (0.0, 1.0), None, (1.0, 1.0)], 2, 0.0, 1.0)
    assert [len(line) for line in lines] == [2, 2]
    assert ord(lines[0][0]) - 0x2800 == 0x08 | 0x10 | 0x20 | 0x80  # the second column, all dots
    assert ord(lines[1][0]) - 0x2800 == 0x40 | 0x08 | 0x10 | 0x20 | 0x80  # and the lowest dot of the first
    assert ord(lines[0][1]) - 0x2800 == 0x08  # after the blank: the highest dot alone, joined to nothing
    assert ord(lines[1][1]) == 0x2800


def test_a_steep_slope_leaves_no_hole() -> None:
    lines = strip([(0.0, 0.0), (1.0, 1.0)], 4, 0.0, 1.0)
    cells = [ord(line) - 0x2800 for line in lines]
    dots = [bool(cell & bit) for cell in cells for bit in (0x09, 0x12, 0x24, 0xC0)]
    assert all(dots)


def test_what_lies_beyond_the_strip_is_drawn_at_its_edge() -> None:
    assert dot_row(99.0, 3, 0.0, 1.0) == 0
    assert dot_row(-99.0, 3, 0.0, 1.0) == 11
    assert len(strip([(-9.0, 9.0)], 3, 0.0, 1.0)) == 3
    assert dot_row(1.0, 3, 1.0, 1.0) in range(12)  # a flat scale divides by nothing


def test_the_ascii_picture_keeps_every_column() -> None:
    line = "╭─ ECG ─╮ ▁▅█ ⠀⡇⠁⣀ – …"
    assert ascii_only(line).isascii()
    assert len(ascii_only(line)) == len(line)
    assert ascii_only("⠀⡇⠁⣀") == " :'."
