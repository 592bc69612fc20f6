"""Every metric is what its paper says: against the formula written out plainly, and signals with a known answer."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.registry import FREQUENCY, METRICS
from device_pipeline.nn_series import NnSeries
from device_pipeline.nn_spectrum import HF_HZ, LF_HZ, LONGEST_BRIDGE_S, VLF_HZ

BY_NAME: dict[str, type[Metric]] = {metric.name: metric for metric in METRICS}


def whole(nn_ms: NDArray[np.float64] | list[float]) -> NnSeries:
    nn = np.asarray(nn_ms, dtype=np.float64)
    return NnSeries(nn, np.zeros(len(nn)))


def value(name: str, series: NnSeries) -> float:
    found = BY_NAME[name].batch(series)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def five_minutes() -> NnSeries:
    rng = np.random.default_rng(11)
    at_s = np.arange(380) * 0.79
    return whole(
        790 + 30 * np.sin(2 * np.pi * 0.1 * at_s) + 22 * np.sin(2 * np.pi * 0.27 * at_s) + rng.normal(0, 15, 380)
    )


def modulated(hz: float, amplitude_ms: float, mean_ms: float = 700.0, length_s: float = 303.0) -> NnSeries:
    """Beats whose interval, at the beat that ends it, is `mean_ms` plus a sine of its time."""
    nn_ms, t_s = [], 0.0
    while t_s < length_s:
        nn = mean_ms
        for _ in range(50):  # the interval that ends at t + nn, found where it and its sine agree
            nn = mean_ms + amplitude_ms * math.sin(2 * math.pi * hz * (t_s + nn / 1e3))
        nn_ms.append(nn)
        t_s += nn / 1e3
    return whole(nn_ms)


# -- time domain


def test_the_time_domain_is_the_formulae_of_the_task_force(five_minutes: NnSeries) -> None:
    nn = five_minutes.nn_ms.tolist()
    d = [b - a for a, b in pairwise(nn)]
    expected = {
        "mean_nn_ms": sum(nn) / len(nn),
        "mean_hr_bpm": 60_000 * len(nn) / sum(nn),
        "sdnn_ms": statistics.stdev(nn),
        "rmssd_ms": math.sqrt(sum(x * x for x in d) / len(d)),
        "pnn50_pct": 100 * sum(abs(x) > 50 for x in d) / len(d),
        "pnn20_pct": 100 * sum(abs(x) > 20 for x in d) / len(d),
        "sdsd_ms": statistics.stdev(d),
        "cvnn_pct": 100 * statistics.stdev(nn) / statistics.mean(nn),
        "median_nn_ms": statistics.median(nn),
        "iqr_nn_ms": (q := statistics.quantiles(nn, n=4, method="inclusive"))[2] - q[0],
    }
    for name, expected_value in expected.items():
        assert value(name, five_minutes) == pytest.approx(expected_value, rel=1e-12), name


def test_the_poincare_plot_is_brennan_and_others(five_minutes: NnSeries) -> None:
    x, y = five_minutes.nn_ms[:-1], five_minutes.nn_ms[1:]
    turned = np.array([[1, -1], [1, 1]]) / math.sqrt(2) @ np.array([x, y])
    sd1, sd2 = turned.std(axis=1, ddof=1)
    assert value("sd1_ms", five_minutes) == pytest.approx(sd1, rel=1e-12)
    assert value("sd2_ms", five_minutes) == pytest.approx(sd2, rel=1e-12)
    assert value("sd1_sd2_ratio", five_minutes) == pytest.approx(sd1 / sd2, rel=1e-12)
    assert value("ellipse_area_ms2", five_minutes) == pytest.approx(math.pi * sd1 * sd2, rel=1e-12)
    # Brennan 2001, eq. 5 and 6: SD1 is SDSD / √2, and SD1² + SD2² is twice the variance of the intervals in pairs
    assert value("sd1_ms", five_minutes) == pytest.approx(value("sdsd_ms", five_minutes) / math.sqrt(2), rel=1e-12)
    assert sd1**2 + sd2**2 == pytest.approx(np.var(x, ddof=1) + np.var(y, ddof=1), rel=1e-9)


# -- frequency domain


def test_welch_is_that_of_scipy_on_the_same_even_samples() -> None:
    from scipy.interpolate import CubicSpline

    series = modulated(0.1, 40.0, length_s=900.0)
    at_s = np.arange(series.end_s[0], series.end_s[-1], 0.25)
    even = CubicSpline(series.end_s, series.nn_ms)(at_s)
    hz, density = signal.welch(even, fs=4.0, window="hann", nperseg=1200, noverlap=600, detrend="linear")
    spectrum = series.welch
    assert spectrum is not None
    assert spectrum.frequency_hz == pytest.approx(hz)
    assert spectrum.density_ms2_per_hz[1:] == pytest.approx(density[1:], rel=1e-6, abs=1e-9)
    for name, (low, high) in (("vlf_ms2", VLF_HZ), ("lf_ms2", LF_HZ), ("hf_ms2", HF_HZ)):
        expected = density[(hz > low - 1e-9) & (hz < high - 1e-9)].sum() * (hz[1] - hz[0])
        assert value(name, series) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("prefix", ["", "lomb_"])
@pytest.mark.parametrize(("hz", "band"), [(0.02, "vlf"), (0.07, "lf"), (0.1, "lf"), (0.2, "hf"), (0.25, "hf")])
def test_a_sine_has_half_its_squared_amplitude_in_its_band_and_nowhere_else(prefix: str, hz: float, band: str) -> None:
    series = modulated(hz, 20.0)
    powers = {name: value(f"{prefix}{name}_ms2", series) for name in ("vlf", "lf", "hf")}
    # beats come closer together where the intervals are short, so means over beats are not means over time
    assert powers.pop(band) == pytest.approx(200.0, rel=0.02)
    assert sum(powers.values()) < 4.0


def test_the_spectrum_of_evenly_spaced_beats_is_exact_in_lomb_and_scargle() -> None:
    """Intervals of almost one length: by Parseval their variance, all of it where the sine is."""
    t_s = np.arange(1, 376) * 0.8
    nn_ms = 800.0 + 0.01 * np.cos(2 * np.pi * 30 / 300 * t_s)
    assert value("lomb_lf_ms2", whole(nn_ms)) == pytest.approx(0.01**2 / 2, rel=1e-3)


def test_the_ratios_are_of_those_powers(five_minutes: NnSeries) -> None:
    vlf, lf, hf = (value(name, five_minutes) for name in ("vlf_ms2", "lf_ms2", "hf_ms2"))
    assert value("lf_hf_ratio", five_minutes) == pytest.approx(lf / hf)
    assert value("lf_nu", five_minutes) == pytest.approx(100 * lf / (lf + hf))
    assert value("hf_nu", five_minutes) == pytest.approx(100 * hf / (lf + hf))
    assert value("total_power_ms2", five_minutes) == pytest.approx(vlf + lf + hf)
    assert value("lf_peak_hz", five_minutes) == pytest.approx(0.1, abs=1 / 300)
    assert value("hf_peak_hz", five_minutes) == pytest.approx(0.27, abs=1 / 300)


@pytest.mark.parametrize(
    ("length_s", "present"),
    [
        (50, set()),
        (70, {"hf_ms2", "hf_peak_hz", "lomb_hf_ms2"}),
        (
            140,
            {
                "hf_ms2",
                "hf_peak_hz",
                "lomb_hf_ms2",
                "lf_ms2",
                "lf_peak_hz",
                "lomb_lf_ms2",
                "lf_hf_ratio",
                "lf_nu",
                "hf_nu",
            },
        ),
        (300, {metric.name for metric in FREQUENCY}),
    ],
)
def test_a_band_has_a_value_only_where_enough_was_recorded(length_s: int, present: set[str]) -> None:
    rng = np.random.default_rng(0)
    series = whole(rng.normal(800, 30, round(length_s / 0.8)))
    assert {metric.name for metric in FREQUENCY if metric.batch(series) is not None} == present


def without(series: NnSeries, left_out: list[int]) -> NnSeries:
    """What remains when some intervals are left out, each hole as long as they were."""
    keep = np.ones(series.n, dtype=bool)
    keep[left_out] = False
    begin_ms = series.end_s * 1e3 - series.nn_ms
    ends_ms = series.end_s[keep] * 1e3
    gap_ms = np.r_[0.0, begin_ms[keep][1:] - ends_ms[:-1]]
    gap_ms[np.abs(gap_ms) < 1e-6] = 0.0
    return NnSeries(series.nn_ms[keep], gap_ms)


def test_short_holes_are_bridged_and_move_the_powers_little(five_minutes: NnSeries) -> None:
    holes = without(five_minutes, [k for start in range(20, 370, 50) for k in (start, start + 1)])
    assert holes.span_s == pytest.approx(five_minutes.span_s)
    for name, most in (("lf_ms2", 0.05), ("hf_ms2", 0.12), ("lomb_lf_ms2", 0.05), ("lomb_hf_ms2", 0.12)):
        assert value(name, holes) == pytest.approx(value(name, five_minutes), rel=most), name


def test_a_hole_too_long_to_bridge_ends_the_stretch(five_minutes: NnSeries) -> None:
    n = math.ceil(LONGEST_BRIDGE_S / 0.7) + 1
    middle = list(range(190, 190 + n))
    holed = without(five_minutes, middle)
    assert BY_NAME["vlf_ms2"].batch(holed) is None  # two halves of less than 5 minutes
    assert BY_NAME["lf_ms2"].batch(holed) is not None
    assert BY_NAME["lomb_vlf_ms2"].batch(holed) is not None  # nothing is bridged there
    four = sorted(k for start in (75, 150, 225, 300) for k in range(start, start + n))
    assert BY_NAME["lf_ms2"].batch(without(five_minutes, four)) is None


def test_too_many_short_holes_leave_no_spectrum(five_minutes: NnSeries) -> None:
    many = without(five_minutes, [k for start in range(5, 370, 9) for k in (start, start + 1)])
    assert {BY_NAME[metric.name].batch(many) for metric in FREQUENCY} == {None}


# -- nonlinear


def dfa_plainly(x: list[float], boxes: range) -> float:
    mean = sum(x) / len(x)
    y, total = [], 0.0
    for value_ in x:
        total += value_ - mean
        y.append(total)
    log_n, log_f = [], []
    for n in boxes:
        squares = []
        for start in range(0, len(y) - n + 1, n):
            line = np.polynomial.Polynomial.fit(range(n), y[start : start + n], 1)
            squares += [(y[start + k] - line(k)) ** 2 for k in range(n)]
        log_n.append(math.log(n))
        log_f.append(math.log(math.sqrt(sum(squares) / len(squares))))
    return float(np.polyfit(log_n, log_f, 1)[0])


def test_dfa_is_peng_and_others_written_out(five_minutes: NnSeries) -> None:
    assert value("dfa_alpha1", five_minutes) == pytest.approx(
        dfa_plainly(five_minutes.nn_ms.tolist(), range(4, 17)), rel=1e-9
    )


def slope(f: NDArray[np.float64]) -> float:
    return float(np.polyfit(np.log(np.arange(4, 17)), np.log(f), 1)[0])


def test_dfa_of_white_noise_and_of_its_sum_is_what_theory_says() -> None:
    """Of white noise F²(n) = (n² - 4) / (15 n), 0.58 over these boxes (Höll and Kantz 2015, Eur Phys J B 88:327)."""
    rng = np.random.default_rng(0)
    white = rng.normal(0, 20, 100_000)
    n = np.arange(4, 17)
    assert value("dfa_alpha1", whole(800 + white)) == pytest.approx(slope(np.sqrt((n**2 - 4) / (15 * n))), rel=0.005)
    assert slope(np.sqrt((n**2 - 4) / (15 * n))) == pytest.approx(0.5, abs=0.1)
    assert value("dfa_alpha1", whole(800 + np.cumsum(white))) == pytest.approx(1.5, abs=0.1)


def test_no_box_of_dfa_spans_a_hole() -> None:
    rng = np.random.default_rng(1)
    nn_ms = 800 + np.cumsum(rng.normal(0, 10, 400))
    nn_ms[200:] += 400.0  # a step where the hole is
    gap_ms = np.zeros(400)
    gap_ms[200] = 1e5
    split, joined = BY_NAME["dfa_alpha1"].batch(NnSeries(nn_ms, gap_ms)), value("dfa_alpha1", whole(nn_ms))
    apart = nn_ms.copy()
    apart[200:] -= 400.0
    # one mean is taken of all, so a step moves the walk of each run by a straight line, which every box takes away
    assert split == pytest.approx(BY_NAME["dfa_alpha1"].batch(NnSeries(apart, gap_ms)), rel=1e-6)
    assert joined != pytest.approx(value("dfa_alpha1", whole(apart)), abs=0.005)


def test_dfa_needs_runs_that_hold_its_boxes() -> None:
    rng = np.random.default_rng(2)
    gap_ms = np.zeros(300)
    gap_ms[::10] = 1600.0
    assert BY_NAME["dfa_alpha1"].batch(NnSeries(rng.normal(800, 20, 300), gap_ms)) is None


def sampen_plainly(x: list[float], m: int, r: float) -> float:
    def pairs(length: int) -> int:
        at = range(len(x) - m)  # as many of length m as of m + 1 (Richman & Moorman 2000)
        return sum(all(abs(x[i + k] - x[j + k]) <= r for k in range(length)) for i in at for j in at if i < j)

    return -math.log(pairs(m + 1) / pairs(m))


def apen_plainly(x: list[float], m: int, r: float) -> float:
    def phi(length: int) -> float:
        at = range(len(x) - length + 1)
        like = [sum(all(abs(x[i + k] - x[j + k]) <= r for k in range(length)) for j in at) for i in at]
        return sum(math.log(c / len(at)) for c in like) / len(at)

    return phi(m) - phi(m + 1)


def test_the_entropies_are_richman_moorman_and_pincus_written_out(five_minutes: NnSeries) -> None:
    x = five_minutes.nn_ms[:150].tolist()
    r = 0.2 * statistics.stdev(x) * (1 + 1e-9)
    assert value("sampen", whole(x)) == pytest.approx(sampen_plainly(x, 2, r), rel=1e-12)
    assert value("apen", whole(x)) == pytest.approx(apen_plainly(x, 2, r), rel=1e-12)


def test_the_entropy_of_white_noise_is_what_theory_says() -> None:
    """-ln of the chance that two normal numbers lie within r = 0.2 SD: erf(0.2 / 2) (Richman & Moorman 2000, eq. 6)."""
    rng = np.random.default_rng(0)
    assert value("sampen", whole(rng.normal(800, 30, 5000))) == pytest.approx(-math.log(math.erf(0.1)), rel=0.02)


def test_a_rhythm_that_repeats_itself_has_no_entropy() -> None:
    assert value("sampen", whole([750.0, 800.0, 850.0] * 50)) == pytest.approx(0.0, abs=0.02)
    assert value("sampen", whole([800.0] * 150)) == 0.0


def test_no_template_spans_a_hole() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(800, 30, 240).tolist()
    gap_ms = np.zeros(240)
    gap_ms[100] = 1600.0
    r = 0.2 * statistics.stdev(x) * (1 + 1e-9)
    at = [i for i in range(238) if not i < 100 <= i + 2]

    def pairs(length: int) -> int:
        return sum(all(abs(x[i + k] - x[j + k]) <= r for k in range(length)) for i in at for j in at if i < j)

    assert value("sampen", NnSeries(np.array(x), gap_ms)) == pytest.approx(-math.log(pairs(3) / pairs(2)), rel=1e-12)


def test_a_table_of_templates_in_parts_is_the_table_in_one(
    monkeypatch: pytest.MonkeyPatch, five_minutes: NnSeries
) -> None:
    before = value("sampen", five_minutes), value("apen", five_minutes)
    monkeypatch.setattr("device_pipeline.nn_templates._CELLS", 7 * five_minutes.n)
    again = whole(five_minutes.nn_ms)
    assert (value("sampen", again), value("apen", again)) == before


# -- long recordings


def day(hours: float = 2.0) -> NnSeries:
    rng = np.random.default_rng(7)
    t_s = np.arange(round(hours * 3600 / 0.85)) * 0.85
    return whole(850 + 80 * np.sin(2 * np.pi * t_s / 5400) + rng.normal(0, 35, len(t_s)))


def test_sdann_and_sdnn_index_are_over_segments_of_five_minutes() -> None:
    series = day()
    segments: dict[int, list[float]] = {}
    t_s = 0.0
    for nn_ms in series.nn_ms.tolist():
        t_s += nn_ms / 1e3
        segments.setdefault(int(t_s // 300), []).append(nn_ms)
    full = [nn for nn in segments.values() if sum(nn) >= 150_000]
    assert value("sdann_ms", series) == pytest.approx(statistics.stdev([statistics.mean(nn) for nn in full]), rel=1e-9)
    assert value("sdnn_index_ms", series) == pytest.approx(
        statistics.mean([statistics.stdev(nn) for nn in full]), rel=1e-9
    )


def test_the_triangular_index_is_all_intervals_over_the_fullest_bin() -> None:
    series = day()
    fullest = max(np.bincount(np.floor(series.nn_ms / 7.8125 + 0.5).astype(int)))
    assert value("hrv_triangular_index", series) == pytest.approx(series.n / fullest)


def test_the_index_and_base_of_a_triangle_are_its_own() -> None:
    """A histogram that is a triangle: with base b its area is height times b / 2."""
    heights = [*range(20, 400, 20), 400, *range(380, 0, -20)]
    nn_ms = np.repeat(np.arange(100, 100 + len(heights)) * 7.8125, heights)
    assert value("tinn_ms", whole(nn_ms)) == pytest.approx(40 * 7.8125)
    assert value("hrv_triangular_index", whole(nn_ms)) == pytest.approx(sum(heights) / 400)


def test_the_long_metrics_have_no_value_of_five_minutes(five_minutes: NnSeries) -> None:
    for name in ("sdann_ms", "sdnn_index_ms", "hrv_triangular_index", "tinn_ms"):
        assert BY_NAME[name].batch(five_minutes) is None
