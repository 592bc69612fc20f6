"""The live view fits whatever terminal there is, and shows a number only where one can be trusted."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from rich.console import Console

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason, Kind, Quantity, Reading, Samples
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.live_state import Scale
from vitalkeep.cli.live_view import LiveView
from vitalkeep.cli.pictures import digits

S = 1_000_000_000
START_NS = 1_767_596_400 * S
FS_HZ = 130.0
SIZES = [(80, 24), (20, 5), (1, 1), (10, 2), (40, 12), (56, 17), (57, 18), (80, 16), (100, 30), (132, 43), (300, 90)]


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def _view(width: int = 80, height: int = 24, clock: Clock | None = None, **options: object) -> LiveView:
    console = _console(width, height, **options)
    return LiveView("Polar H10 A1B2C3D4", 1.0, Limits(), console, now_s=clock or Clock())


def _console(width: int, height: int, **options: object) -> Console:
    file = options.pop("file", None) or io.StringIO()
    return Console(file=file, width=width, height=height, force_terminal=True, _environ={}, **options)  # type: ignore[arg-type]


def _feed(view: LiveView, seconds: int = 20, rr_s: float = 0.75, kind: Kind = Kind.ECG) -> int:
    """A made wave and its beats, all good; returns the time it reaches to."""
    n = round(seconds * FS_HZ)
    t_s = np.arange(n) / FS_HZ
    values = np.where(t_s % rr_s < 0.02, 1.2, 0.05 * np.sin(2 * np.pi * t_s))
    view.finding(Window(BeatSource.ECG, START_NS, START_NS + 2 * S, (), 2 * S, 0, 1.0, None))
    view.item(Samples(kind, kind.value, FS_HZ, START_NS, 1e9 / FS_HZ, 0, values))
    for k in range(1, int(seconds / rr_s)):
        view.finding(Beat(START_NS + round(k * rr_s * S), BeatSource.ECG, rr_s if k > 1 else None))
    view.finding(Quality(START_NS, START_NS + seconds * S, 0.94, good=True))
    view.finding(HeartRate(START_NS, 10 * S, 60 / rr_s, 0.9, None, BeatSource.ECG))
    return START_NS + seconds * S


def _lines(view: LiveView) -> list[str]:
    console = view._console
    with console.capture() as captured:
        console.print(view.picture())
    return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in captured.get().splitlines()]


def _page(view: LiveView) -> str:
    return "\n".join(_lines(view))


def _shows(view: LiveView, bpm: int) -> bool:
    """Whether the large digits of `bpm` stand in the picture."""
    page = _lines(view)
    wanted = [f" {line}" for line in digits(bpm)]
    starts = [[line[: len(wanted[0])] for line in page[row : row + 3]] for row in range(len(page) - 2)]
    return wanted in starts


def _alert(rule: str, text: str = "Heart rate at or above your limit of 120 bpm for at least 30 s") -> Alert:
    return Alert(rule, START_NS + 3 * S, START_NS + 33 * S, None, text)


def _full(view: LiveView) -> None:
    end_ns = _feed(view)
    view.finding(Hrv(START_NS, 300 * S, 300, 1.0, "m", {"rmssd_ms": 42.4, "sdnn_ms": 51.2}, None))
    for rule in ("tachycardia", "irregular_rhythm"):
        view.finding(_alert(rule))
    for k in range(30):
        view.finding(Gap("ecg", end_ns + 10 * k * S, end_ns + (10 * k + 1) * S, GapReason.LOST_FRAME))


# -- it fits


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("prepare", [lambda view: None, _feed, _full], ids=["waiting", "reading", "everything"])
def test_every_terminal_holds_the_picture(width: int, height: int, prepare: Callable[[LiveView], object]) -> None:
    view = _view(width, height)
    prepare(view)
    lines = _lines(view)
    assert 0 < len(lines) <= height
    assert max(map(len, lines)) <= width


def test_a_terminal_of_24_rows_has_every_part() -> None:
    view = _view()
    _full(view)
    page = _page(view)
    for part in ("Polar H10", "ALERT", "ECG", "1 mV", "▾", "ticks 1 s", "heart rate", "bpm", "good", "RMSSD 42 ms"):
        assert part in page
    for part in ("trend", "what happened", "Nothing leaves this device."):
        assert part in page
    assert NOT_MEDICAL in " ".join(page.split())


def test_a_tiny_terminal_still_shows_the_rate_and_that_this_is_no_medical_device() -> None:
    view = _view(20, 5)
    _feed(view)
    assert "80 bpm" in _page(view)
    assert "Not a medical" in _page(view)


def test_a_terminal_without_unicode_gets_letters_it_knows() -> None:
    view = _view(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    _full(view)
    assert view._console.encoding == "ascii"
    page = _page(view)
    assert page.isascii()
    assert "1 mV" in page


def test_no_color_is_honoured_and_the_alert_still_stands_out() -> None:
    view = _view(no_color=True)
    _full(view)
    with view._console.capture() as captured:
        view._console.print(view.picture())
    codes = {code for codes in re.findall(r"\x1b\[([0-9;]*)m", captured.get()) for code in codes.split(";")}
    assert codes <= {"", "0", "1", "2", "7"}
    assert "7" in codes


# -- it is honest


def test_before_anything_came_it_says_that_it_waits() -> None:
    view = _view()
    assert "waiting for the sensor" in _page(view)
    assert "– – –" in _page(view)


def test_a_good_signal_shows_its_rate_large() -> None:
    view = _view()
    _feed(view, rr_s=0.75)
    assert _shows(view, 80)
    assert "reading" in _page(view)
    assert "good" in _page(view)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (GapReason.OFF_BODY, "not worn"),
        (GapReason.LINK_LOST, "out of reach"),
        (GapReason.SILENT, "the sensor is silent"),
        (GapReason.FLAT_LINE, "flat line"),
    ],
)
def test_without_a_signal_there_is_a_word_and_no_number(reason: GapReason, said: str) -> None:
    view = _view()
    end_ns = _feed(view)
    view.finding(Gap(None, end_ns, end_ns + 4 * S, reason))
    assert not _shows(view, 80)
    assert "– – –" in _page(view)
    assert f"no data: {said}" in _page(view)


def test_a_poor_signal_says_why_and_has_no_number() -> None:
    view = _view()
    end_ns = _feed(view)
    view.finding(Quality(end_ns, end_ns + 2 * S, 0.21, good=False, reason="noise"))
    assert not _shows(view, 80)
    assert "the signal is too poor to read: noise" in _page(view)
    assert "██░░░░░░░░  poor" in _page(view)


def test_the_number_comes_back_with_the_signal() -> None:
    view = _view()
    end_ns = _feed(view)
    view.finding(Gap(None, end_ns - 8 * S, end_ns - 4 * S, GapReason.OFF_BODY))
    assert not _shows(view, 80)
    view.finding(Quality(end_ns - 2 * S, end_ns, 0.9, good=True))
    assert _shows(view, 80)


def test_off_body_is_not_hidden_by_the_flat_line_that_it_makes() -> None:
    view = _view()
    end_ns = _feed(view)
    for k in range(5):
        view.finding(Gap(None, end_ns + k * S, end_ns + (k + 1) * S, GapReason.OFF_BODY))
        view.finding(Gap("ecg", end_ns + k * S, end_ns + (k + 1) * S, GapReason.FLAT_LINE))
    assert "no data: not worn" in _page(view)
    assert _page(view).count("not worn") == 3  # the state twice, and one event, however many pieces it came in


def test_one_lost_frame_is_an_event_and_takes_no_number_away() -> None:
    view = _view()
    end_ns = _feed(view)
    view.finding(Gap("ecg", end_ns - S, end_ns - S // 2, GapReason.LOST_FRAME))
    assert _shows(view, 80)
    assert "lost on the way" in _page(view)


def test_when_nothing_comes_any_more_the_last_number_does_not_stay() -> None:
    clock = Clock()
    view = _view(clock=clock)
    _feed(view)
    clock.s += 2.9
    view.tick()
    assert _shows(view, 80)
    clock.s += 2.1
    view.tick()
    assert not _shows(view, 80)
    assert "nothing has come for 5 s" in _page(view)


def test_beats_of_long_ago_make_no_number() -> None:
    view = _view()
    end_ns = _feed(view)
    view.item(Samples(Kind.ECG, "ecg", FS_HZ, end_ns, 1e9 / FS_HZ, 0, np.zeros(round(8 * FS_HZ))))
    assert not _shows(view, 80)


def test_a_rate_beyond_the_limits_says_so() -> None:
    view = _view()
    _feed(view, rr_s=0.4)
    assert _shows(view, 150)
    assert "above limit" in _page(view)


def test_an_open_alert_is_shown_until_it_is_over() -> None:
    view = _view()
    _feed(view)
    alert = _alert("irregular_rhythm", "Irregular rhythm of the kind")
    view.finding(alert)
    assert "ALERT  irregular rhythm since" in _page(view)
    view.finding(alert.ended(alert.start_ns + 60 * S))
    assert "ALERT  irregular rhythm" not in _page(view)
    assert "over: irregular rhythm, after 60 s" in _page(view)


def test_a_window_that_abstains_replaces_the_variability_before_it() -> None:
    view = _view()
    _feed(view)
    view.finding(Hrv(START_NS, 300 * S, 300, 1.0, "m", {"rmssd_ms": 42.4, "sdnn_ms": None}, None))
    assert "RMSSD 42 ms  SDNN –" in _page(view)
    view.finding(Hrv(START_NS + 300 * S, 300 * S, 300, 40.0, "m", None, "irregular"))
    assert "RMSSD" not in _page(view)
    assert "none: irregular rhythm" in _page(view)


def test_a_window_that_began_before_the_session_says_nothing() -> None:
    view = _view()
    _feed(view)
    view.finding(Hrv(START_NS - 200 * S, 300 * S, 100, 0.0, "m", None, "no_data"))
    assert "every five minutes" in _page(view)


def test_the_trend_is_labelled_with_its_extremes_and_blank_where_nothing_is_known() -> None:
    view = _view()
    for k, bpm in enumerate((52.0, 61.0, None, 133.0)):
        reason = "noise" if bpm is None else None
        view.finding(HeartRate(START_NS + 10 * k * S, 10 * S, bpm, None, reason, BeatSource.ECG))
    top, bottom = (line for line in _lines(view) if line.startswith((" trend", " bpm")))
    assert top.split()[:2] == ["trend", "133"]
    assert bottom.split()[:2] == ["bpm", "52"]
    assert bottom[11:15] == "▁▂ █"


def test_trouble_is_seen_and_told_again_when_the_view_has_gone(capsys: pytest.CaptureFixture[str]) -> None:
    view = _view()
    view.open()
    view.trouble("disk full: store.db cannot grow")
    assert "disk full" in _page(view)
    view.close()
    assert capsys.readouterr().err == "vitalkeep: disk full: store.db cannot grow\n"
    view.trouble("too late for the view")
    assert capsys.readouterr().err == "vitalkeep: too late for the view\n"


# -- the wave


def test_the_scale_holds_still_while_the_wave_fits() -> None:
    scale = Scale()
    scale.fit(-0.2, 1.2, is_mv=True)
    first = (scale.low, scale.high)
    scale.fit(-0.15, 1.0, is_mv=True)
    assert (scale.low, scale.high) == first
    scale.fit(-0.2, 3.0, is_mv=True)
    assert scale.high - scale.low == 4.0
    scale.fit(-0.1, 0.5, is_mv=True)
    assert scale.high - scale.low == 0.75


@pytest.mark.parametrize("value", [0.0, 1e-9, -3.0, 1e6])
def test_a_constant_wave_has_a_scale(value: float) -> None:
    for is_mv in (True, False):
        scale = Scale()
        scale.fit(value, value, is_mv)
        assert scale.low < value < scale.high
        assert math.isfinite(scale.high - scale.low)


def test_a_beat_is_marked_above_its_peak() -> None:
    view = _view()
    _feed(view, rr_s=1.0)
    page = _lines(view)
    (marks,) = (line for line in page if "▾" in line)
    top = page[page.index(marks) + 1 :]
    rows = [row for row in top if row.startswith("│")]
    for at in (column for column, letter in enumerate(marks) if letter == "▾"):
        near = [row[column] for row in rows[: len(rows) - 2] for column in (at - 1, at, at + 1)]
        assert any(letter not in " \u2800│" for letter in near)


def test_a_beat_that_is_no_normal_one_has_its_letter_once_it_is_known() -> None:
    view = _view()
    end_ns = _feed(view, rr_s=1.0)
    (before,) = (line for line in _lines(view) if "▾" in line)
    beat = view._shown.beats[-3]
    view.finding(BeatType(beat.t_ns, BeatLabel.V, 0.9, "beat", "1.0.0"))
    view.finding(BeatType(view._shown.beats[-4].t_ns, BeatLabel.N, 0.9, "beat", "1.0.0"))
    (marks,) = (line for line in _lines(view) if "▾" in line)
    assert marks.count("V") == 1
    assert before[marks.index("V")] == "▾"
    view.item(Samples(Kind.ECG, "ecg", FS_HZ, end_ns + 20 * S, 1e9 / FS_HZ, 0, np.zeros(130)))
    view.finding(BeatType(end_ns + 20 * S, None, None, "beat", "1.0.0", "noise"))
    assert view._shown.kinds == {}  # nothing is held that no strip shows


def test_a_beat_in_a_poor_stretch_is_marked_as_a_guess_and_its_wave_stands_out() -> None:
    view = _view(color_system="standard")
    end_ns = _feed(view)
    view.finding(Quality(end_ns - 2 * S, end_ns, 0.2, good=False, reason="noise"))
    (marks,) = (line for line in _lines(view) if "▿" in line)
    assert max(marks.index("▿"), marks.rindex("▾")) == marks.index("▿")
    with view._console.capture() as captured:
        view._console.print(view.picture())
    wave = next(line for line in captured.get().splitlines() if "1 mV" in line)
    assert wave.index("\x1b[32m") < wave.index("\x1b[33m")


def test_a_sensor_without_a_wave_shows_its_intervals() -> None:
    view = _view()
    view.finding(Window(BeatSource.RR, START_NS, START_NS + 2 * S, (), 2 * S, 0, None, None))
    for k in range(40):
        view.item(Reading(Quantity.RR, "rr", START_NS + k * S, 1000.0))
        view.finding(Beat(START_NS + k * S, BeatSource.RR, 0.85 if k % 10 else 1.04))
    lines = _lines(view)
    assert "intervals between beats" in lines[2]
    assert [line.strip("│").split()[0] for line in lines if " ms " in line][:2] == ["1100", "800"]
    assert "ticks 10 s" in _page(view)
    assert sum(any("\u2801" <= letter <= "\u28ff" for letter in line) for line in lines) >= 3
    assert "by the sensor" in _page(view)


# -- it costs little


def test_it_draws_at_most_ten_times_a_second() -> None:
    clock = Clock()
    view = _view(clock=clock)
    drawn: list[float] = []
    picture = view.picture

    def counted() -> object:
        drawn.append(clock.s)
        return picture()

    view.picture = counted  # type: ignore[method-assign,assignment]
    view.open()
    for _ in range(1000):
        clock.s += 0.002
        view.trouble("again")
        view.tick()
    assert 10 <= len(drawn) <= 21
    drawn.clear()
    for _ in range(1000):
        clock.s += 0.002
        view.tick()
    assert len(drawn) <= 1  # nothing changed
    view.close()


def test_it_draws_again_when_the_terminal_changes_or_silence_grows() -> None:
    clock = Clock()
    view = _view(clock=clock)
    drawn: list[tuple[int, float | None]] = []
    picture = view.picture

    def counted() -> object:
        drawn.append((view._console.width, view._shown.silent_s))
        return picture()

    view.picture = counted  # type: ignore[method-assign,assignment]
    view.open()
    _feed(view)
    clock.s += 1
    view.tick()
    view._console.width = 60
    clock.s += 1
    view.tick()
    for _ in range(40):
        clock.s += 0.1
        view.tick()
    view.close()
    assert [width for width, _ in drawn][-1] == 60
    assert drawn[-1][1] == pytest.approx(6, abs=1)
    assert 4 <= len(drawn) <= 8


def test_what_is_known_beside_the_beats_has_a_line_of_its_own_and_only_then() -> None:
    view = _view()
    _feed(view)
    rows = len(_lines(view))
    assert "oxygen" not in _page(view)
    view.finding(Spo2(START_NS, 10 * S, 96.6, 1.0, None, "oximeter"))
    view.finding(Activity(START_NS, 60 * S, 104, Level.MODERATE, Posture.UPRIGHT, 1.0, None))
    view.finding(Activity(START_NS + 60 * S, 60 * S, 20, Level.LIGHT, None, 1.0, None))
    view.finding(Temperature(START_NS, 60 * S, 36.64, None, None, Site.BODY))
    page = _page(view)
    assert "oxygen 97 %" in page
    assert "124 steps, light" in page
    assert "temperature 36.6 °C" in page
    assert len(_lines(view)) == rows
    view.finding(Spo2(START_NS + 10 * S, 10 * S, None, 0.1, "low_perfusion", "oximeter"))
    assert "oxygen too little blood flow" in _page(view)
