"""The table has a row for every window, and a reason where it has no values."""

from __future__ import annotations

import pytest

from device_pipeline.hrv import Hrv
from tests.vitalkeep.plot.records import S, window
from vitalkeep.plot.hrv_table import heading, hrv_table, number


def test_a_window_that_abstains_says_why() -> None:
    table = hrv_table([window(0, 300, told=True), window(300, 120, told=False)], 0, 420.0)
    assert [head[0] for head in table.heads] == ["from", "to", "beats", "left out", "RMSSD"]
    assert table.rows == (
        (("0:00", "5:00", "1", "0.0", "30.0"), None),
        (("5:00", "7:00", "1", "0.0"), "irregular"),
    )


def test_what_a_window_does_not_tell_is_a_dash_and_not_a_number() -> None:
    windows = [Hrv(0, 300 * S, 9, None, "m", {"rmssd_ms": 30.0, "lf_ms2": None}, None)]
    assert hrv_table(windows, 0, 300.0).rows[0][0][3:] == ("–", "30.0", "–")


def test_a_narrow_table_keeps_what_is_asked_for_first_and_says_how_many_rows_it_leaves_out() -> None:
    values = {f"extra_{k}_ms": 1.0 for k in range(20)} | {"sdnn_ms": 50.0, "rmssd_ms": 30.0}
    windows = [Hrv(300 * k * S, 300 * S, 300, 0.0, "m", values, None) for k in range(30)]
    table = hrv_table(windows, 0, 9000.0, most_columns=4, most_rows=10)
    assert len(table.heads) == 8
    assert {"SDNN", "RMSSD"} < {name for name, _ in table.heads}
    assert (len(table.rows), table.left_out) == (10, 20)
    assert table.rows[0][0][0] == "0:00:00"
    assert table.rows[-1][0][1] == "2:30:00"


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("rmssd_ms", ("RMSSD", "ms")),
        ("pnn50_pct", ("pNN50", "%")),
        ("lf_hf_ratio", ("LF/HF", "")),
        ("lf_ms2", ("LF", "ms²")),
        ("dfa_alpha1", ("DFA α1", "")),
        ("new_thing_ms", ("NEW THING", "ms")),
    ],
)
def test_heads_are_written_as_the_field_does(name: str, head: tuple[str, str]) -> None:
    assert heading(name) == head


@pytest.mark.parametrize(("value", "told"), [(1234.5, "1,234"), (59.04, "59.0"), (0.8712, "0.87"), (0.0, "0.00")])
def test_numbers_have_the_figures_that_mean_something(value: float, told: str) -> None:
    assert number(value) == told


def test_a_value_that_may_be_off_is_marked() -> None:
    values = {"sdnn_ms": 50.0, "rmssd_ms": 30.0}
    windows = [Hrv(0, 300 * S, 300, 4.0, "m", values, None, uncertain=("rmssd_ms",))]
    assert hrv_table(windows, 0, 300.0).rows[0][0][4:] == ("50.0", "30.0 ?")
