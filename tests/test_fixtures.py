"""The fixtures are what the generator makes, and the truth beside them is true of their bytes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures import make, stories
from fixtures.chance import Chance
from fixtures.heart import Heart, Part, Rhythm
from fixtures.long import write_record
from fixtures.polar_h10 import FRAME_SAMPLES, FS_DEVICE_HZ, LATENCY_FLOOR_NS
from fixtures.rr_process import SinusNode, fibrillation_rr_s
from sensors.profiles.heart_rate import HeartRateMeasurement
from sensors.profiles.pmd_frames import EcgFrame
from sensors.profiles.polar_pmd import DATA, EPOCH_NS, PolarPmdProfile

STRAPS = [story.name for story in stories.STRAPS]
WITH_ECG = [story.name for story in stories.STRAPS if story.script.ecg]
NAMES = [*STRAPS, "wrist_ppg"]


def truth(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((make.RECORDINGS / f"{name}.truth.json").read_text("ascii"))
    return value


def lines(name: str) -> list[Any]:
    text = gzip.decompress((make.RECORDINGS / f"{name}.jsonl.gz").read_bytes()).decode("ascii")
    return [json.loads(line) for line in text.splitlines()]


def frames(name: str) -> list[tuple[int, EcgFrame]]:
    """(arrival, frame) of every ECG notification."""
    out = []
    for t_ns, characteristic, *rest in lines(name)[1:]:
        if characteristic == DATA:
            frame = PolarPmdProfile().decode(bytes.fromhex(rest[0]))
            assert isinstance(frame, EcgFrame)
            out.append((t_ns, frame))
    return out


def host_ns(value: dict[str, Any], device_unix_ns: int) -> int:
    """Host time of a device time, by the truth's clock rows."""
    row = value["clock"][0]
    for candidate in value["clock"][1:]:
        # a clock that was set reads years away from what it read before
        if abs(device_unix_ns - candidate["from_ns"] - candidate["device_minus_host_ns"]) < 10**15:
            row = candidate
    elapsed = device_unix_ns - row["from_ns"] - row["device_minus_host_ns"]
    return int(row["from_ns"] + round(elapsed / (1 + row["rate_ppm"] * 1e-6)))


def signal(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Host time of every ECG sample, and µV."""
    value, t_ns, uv = truth(name), [], []
    for _, frame in frames(name):
        last = host_ns(value, frame.header.device_ns + EPOCH_NS)
        back = np.arange(len(frame.uv) - 1, -1, -1) * (1e9 / value["fs_hz"])
        t_ns.append(last - np.rint(back).astype(np.int64))
        uv.append(frame.uv)
    return np.concatenate(t_ns), np.concatenate(uv)


def test_committed_files_are_what_the_generator_makes() -> None:
    assert make.differences(make.RECORDINGS, make.contents()) == []


def test_a_changed_missing_or_foreign_file_is_found(tmp_path: Path) -> None:
    made = {"a.csv": b"1", "b.jsonl.gz": b"2", "c.csv": b"3"}
    for name in ("a.csv", "b.jsonl.gz"):
        (tmp_path / name).write_bytes(make.packed(name, b"2"))
    (tmp_path / "d.csv").write_bytes(b"4")
    assert make.differences(tmp_path, made) == ["c.csv: not there", "d.csv: nothing here makes it", "a.csv: differs"]


def test_packing_carries_neither_name_nor_time() -> None:
    data = make.packed("x.jsonl.gz", b"text")
    assert data[3] == 0, "no optional header field"
    assert data[4:8] == bytes(4), "no modification time"


def test_all_fixtures_together_stay_under_5_mb() -> None:
    assert sum(path.stat().st_size for path in make.RECORDINGS.iterdir()) < 5_000_000


def test_random_numbers_never_change() -> None:
    assert Chance(1, 2).uniform(2).tolist() == [0.448415143332272, 0.43088198754433765]
    sample = Chance(3).normal(20_000)
    assert abs(sample.mean()) < 0.03
    assert abs(sample.std() - 1) < 0.02


@pytest.mark.parametrize("name", STRAPS)
def test_lines_are_in_order_of_arrival(name: str) -> None:
    header, *rest = lines(name)
    assert header["format"] == "vitalkeep-recording"
    assert header["version"] == 1
    times = [line[0] for line in rest]
    assert times == sorted(times)
    assert header["started_ns"] == truth(name)["start_ns"] <= times[0]
    assert times[-1] <= truth(name)["end_ns"]


@pytest.mark.parametrize("name", WITH_ECG)
def test_frames_are_those_of_an_h10(name: str) -> None:
    value = truth(name)
    found = frames(name)
    assert len(found) == value["frames"]["ecg_frames"]
    payloads = [line[2] for line in lines(name)[1:] if line[1] == DATA]
    assert {len(payload) for payload in payloads} == {2 * 229}
    assert {len(frame.uv) for _, frame in found} == {FRAME_SAMPLES}
    for arrival_ns, frame in found:
        last_ns = host_ns(value, frame.header.device_ns + EPOCH_NS)
        # one tick of 1/32768 s is what the stamp may be early
        assert arrival_ns - last_ns >= LATENCY_FLOOR_NS
        assert arrival_ns - last_ns < 3_000_000_000


@pytest.mark.parametrize("name", WITH_ECG)
def test_device_clock_steps_tell_the_rate_and_what_is_missing(name: str) -> None:
    value = truth(name)
    stamps = np.array([frame.header.device_ns for _, frame in frames(name)])
    steps_s = np.diff(stamps) / 1e9
    expected_s = FRAME_SAMPLES / FS_DEVICE_HZ
    odd = steps_s[np.abs(steps_s - expected_s) > 1e-4]
    reasons = [gap["reason"] for gap in value["gaps"]]
    assert len(odd) == reasons.count("lost_frame") + reasons.count("link_lost") + len(value["clock"]) - 1
    if "lost_frame" in reasons:
        assert odd[0] == pytest.approx(2 * expected_s, abs=1e-4)


@pytest.mark.parametrize("name", WITH_ECG)
def test_sample_counts_fill_the_recording_but_for_its_gaps(name: str) -> None:
    value = truth(name)
    t_ns, _ = signal(name)
    absent_s = sum(
        (gap["end_ns"] - gap["start_ns"]) / 1e9 for gap in value["gaps"] if gap["reason"] in ("lost_frame", "link_lost")
    )
    spanned_s = (t_ns[-1] - t_ns[0]) / 1e9
    assert len(t_ns) - 1 == pytest.approx((spanned_s - absent_s) * value["fs_hz"], abs=2)
    steps_s = np.diff(t_ns) / 1e9
    assert steps_s.min() > 0.9 / value["fs_hz"]
    holes = [(gap["start_ns"], gap["end_ns"]) for gap in value["gaps"] if gap["reason"] in ("lost_frame", "link_lost")]
    assert int((steps_s > 1.5 / value["fs_hz"]).sum()) == len(holes)
    for start_ns, end_ns in holes:
        assert not ((t_ns >= start_ns + 1_000_000) & (t_ns < end_ns - 1_000_000)).any()


@pytest.mark.parametrize("name", WITH_ECG)
def test_every_readable_beat_has_its_r_peak_where_the_truth_says(name: str) -> None:
    value = truth(name)
    t_ns, uv = signal(name)
    ends = value["frames"]["first_sample_ns"], value["frames"]["last_sample_ns"]
    assert (t_ns[0], t_ns[-1]) == pytest.approx(ends, abs=50_000)
    checked = 0
    for beat in value["beats"]:
        if not beat["readable"] or not t_ns[0] + 10**8 < beat["t_ns"] < t_ns[-1] - 10**8:
            continue
        around = np.flatnonzero(np.abs(t_ns - beat["t_ns"]) < 60_000_000)
        peak = around[np.argmax(np.abs(uv[around]))]
        assert abs(int(t_ns[peak]) - beat["t_ns"]) <= 20_000_000
        assert uv[peak] > 700
        checked += 1
    assert checked > 50


@pytest.mark.parametrize("name", STRAPS)
def test_rr_intervals_are_those_of_the_truth_and_late(name: str) -> None:
    value = truth(name)
    ends = np.array([beat["t_ns"] for beat in value["beats"]])
    rr_s = np.array([beat["rr_ns"] / 1e9 for beat in value["beats"]])
    at, found = 0, 0
    for t_ns, characteristic, *rest in lines(name)[1:]:
        if characteristic != "2a37":
            continue
        for rr in HeartRateMeasurement.decode(bytes.fromhex(rest[0])).rr_1024:
            # beats that no strap could hear are passed over
            while t_ns - ends[at] >= 5.5e9 or abs(rr_s[at] - rr / 1024) > 1.1 / 1024:
                at += 1
            assert 3.0e9 <= value["frames"]["rr_delay_ns"] <= t_ns - ends[at] < 5.5e9
            at += 1
            found += 1
    unheard = [beat for beat in value["beats"] if not beat["readable"]]
    assert found >= len(value["beats"]) - len(unheard) - 25


@pytest.mark.parametrize("name", STRAPS)
def test_contact_bit_follows_the_truth(name: str) -> None:
    off = [(gap["start_ns"], gap["end_ns"]) for gap in truth(name)["gaps"] if gap["reason"] == "off_body"]
    for t_ns, characteristic, *rest in lines(name)[1:]:
        if characteristic == "2a37":
            measurement = HeartRateMeasurement.decode(bytes.fromhex(rest[0]))
            measured = [not any(a <= t_ns - late < b for a, b in off) for late in (0, 3 * 10**9)]
            assert measurement.contact in measured
            assert measurement.contact or not measurement.rr_1024


def test_the_chest_strap_meets_each_alert_rule_once_and_never_slows() -> None:
    value = truth("chest_strap")
    rules = [alert["rule"] for alert in value["alerts"]]
    assert rules == ["tachycardia", "irregular_rhythm", "poor_signal", "pause", "no_data"]
    kinds = [episode["kind"] for episode in value["episodes"]]
    assert kinds == ["tachycardia", "atrial_fibrillation", "noise", "pause"]
    assert [gap["reason"] for gap in value["gaps"]] == ["lost_frame", "off_body", "link_lost"]
    assert len(value["clock"]) == 2
    slow = [beat for beat in value["beats"] if beat["rr_ns"] > 60e9 / 45]
    assert len(slow) <= 1 + sum(beat["label"] != "N" for beat in value["beats"])
    assert [beat["rr_ns"] for beat in value["beats"] if beat["rr_ns"] >= 3 * 10**9] == [3_600_000_000]


def test_the_chest_strap_has_a_whole_five_minute_window() -> None:
    value = truth("chest_strap")
    whole = 300 * 10**9
    start_ns = -(-value["frames"]["first_sample_ns"] // whole) * whole
    inside = [beat for beat in value["beats"] if start_ns <= beat["t_ns"] < start_ns + whole]
    assert all(beat["readable"] for beat in inside)
    rest = value["parts"][0]
    assert rest["name"] == "rest"
    assert start_ns + whole < rest["end_ns"]
    assert sum(beat["label"] == "V" for beat in inside) >= 3
    assert sum(beat["label"] == "S" for beat in inside) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_mean_rates_of_the_parts_follow_from_the_beats(name: str) -> None:
    value = truth(name)
    for part in value["parts"]:
        times = [b["t_ns"] for b in value["beats"] if part["start_ns"] <= b["t_ns"] < part["end_ns"]]
        assert len(times) == part["n_beats"]
        assert 60e9 * (len(times) - 1) / (times[-1] - times[0]) == pytest.approx(part["mean_hr_bpm"], abs=1e-3)
    for before, beat in zip(value["beats"], value["beats"][1:], strict=False):
        assert beat["t_ns"] - before["t_ns"] == beat["rr_ns"]


def _spectrum(rr_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t_s = np.cumsum(rr_s)
    grid = np.arange(t_s[0], t_s[-1], 0.25)
    x = np.interp(grid, t_s, rr_s)
    x = (x - x.mean()) * np.hanning(len(x))
    f_hz: NDArray[np.float64] = np.arange(len(x) // 2 + 1, dtype=np.float64) / (0.25 * len(x))
    return f_hz, np.abs(np.fft.rfft(x)) ** 2


def test_sinus_rr_has_one_peak_of_the_vessels_and_one_of_the_breath() -> None:
    heart = Heart(seed=5, start_bpm=60, parts=(Part("rest", 1200, Rhythm.SINUS, 60, 0.05),))
    rr_s = np.array([beat.rr_s for beat in heart.beats()])
    f_hz, power = _spectrum(rr_s)
    low, high = (f_hz > 0.04) & (f_hz < 0.15), (f_hz >= 0.15) & (f_hz < 0.4)
    assert f_hz[low][np.argmax(power[low])] == pytest.approx(0.10, abs=0.025)
    assert f_hz[high][np.argmax(power[high])] == pytest.approx(0.25, abs=0.025)
    between = (f_hz > 0.14) & (f_hz < 0.21)
    assert power[between].max() < 0.2 * min(power[low].max(), power[high].max())
    # the tachogram is read once a beat, which takes some of the breath's power away
    assert 0.3 < power[low].sum() / power[high].sum() < 1.1


def test_the_sinus_process_has_the_variance_it_promises() -> None:
    t_s = np.arange(0.0, 2000.0, 0.5)
    node = SinusNode.made(7)
    assert node.deviation(t_s).std() == pytest.approx(1.0, abs=0.02)
    assert node.breath(t_s).std() == pytest.approx(1.0, abs=0.02)


def test_fibrillation_is_irregularly_irregular() -> None:
    rr_s = fibrillation_rr_s(Chance(9), 4000, 0.66)
    assert rr_s.mean() == pytest.approx(0.66, abs=0.01)
    assert 0.18 < rr_s.std() / rr_s.mean() < 0.28
    assert abs(np.corrcoef(rr_s[:-1], rr_s[1:])[0, 1]) < 0.05
    value = truth("chest_strap")
    af = np.array([b["rr_ns"] for b in value["beats"] if b["rhythm"] == "atrial_fibrillation"]) / 1e9
    sinus = np.array([b["rr_ns"] for b in value["beats"][1:300] if b["label"] == "N"]) / 1e9
    assert np.sqrt(np.mean(np.diff(af) ** 2)) / af.mean() > 0.25
    assert np.median(np.abs(np.diff(sinus))) / sinus.mean() < 0.06


def test_pulse_truth_stands_on_the_wave() -> None:
    value = truth("wrist_ppg")
    rows = np.genfromtxt(make.RECORDINGS / "wrist_ppg.csv", delimiter=",", names=True)
    assert rows.dtype.names == ("t_s", "ppg", "acc_x", "acc_y", "acc_z")
    t_s, ppg = rows["t_s"], rows["ppg"]
    (motion,) = value["episodes"]
    still = [b for b in value["beats"] if b["peak_ns"] < motion["start_ns"] - 10**9]
    for beat in still:
        near = np.abs(t_s - beat["peak_ns"] / 1e9) <= 0.1
        assert abs(t_s[near][np.argmax(ppg[near])] - beat["peak_ns"] / 1e9) <= 0.045
        steep = (t_s >= beat["upstroke_ns"] / 1e9 - 0.1) & (t_s <= beat["upstroke_ns"] / 1e9 + 0.1)
        middle = t_s[steep][:-1] + 0.01
        assert abs(middle[np.argmax(np.diff(ppg[steep]))] - beat["upstroke_ns"] / 1e9) <= 0.03
    assert len(still) > 70
    moving = (t_s > motion["start_ns"] / 1e9 + 2) & (t_s < motion["end_ns"] / 1e9 - 2)
    assert rows["acc_x"][moving].std() > 20 * rows["acc_x"][t_s < 70].std()


def test_a_long_record_reads_back_and_its_beats_are_on_the_peaks(tmp_path: Path) -> None:
    header = write_record(tmp_path, hours=0.5, fs_hz=250)
    fields = header.read_text("ascii").split()
    assert fields[:4] == ["day", "1", "250", "450000"]
    units = np.fromfile(tmp_path / "day.dat", dtype="<i2")
    assert len(units) == 450_000
    first, checksum = int(fields[9]), int(fields[10])
    assert units[0] == first
    assert (int(units.astype(np.int64).sum()) - checksum) % 0x10000 == 0
    beats = json.loads((tmp_path / "day.beats.json").read_text("ascii"))
    for at in beats["samples"]:
        assert abs(int(np.argmax(units[at - 15 : at + 16])) - 15) <= 3
    assert len(beats["labels"]) == len(beats["samples"]) > 1500
    again = write_record(tmp_path / "again", hours=0.5, fs_hz=250)
    assert (again.parent / "day.dat").read_bytes() == (tmp_path / "day.dat").read_bytes()
