"""What kind each beat is: told only where the signal is good, in any cut the same, never in the way of the beats."""

from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest

from device_pipeline.beat import Beat, BeatLabel, Quality
from device_pipeline.beat_types import BeatType, BeatTypes, MakeTyper
from device_pipeline.beats.ecg import EcgBeats
from device_pipeline.beats.typed_ecg import TypedEcgBeats
from models.beat_input import beat_waves
from sensors.files.open import open_source
from sensors.reader import read_recording
from sensors.samples import Gap, GapReason, Item, Kind, Samples
from tests.data import shared_data
from tests.device_pipeline.ecg_signal import WIDE, beat_times, block, ecg
from tests.fakes.typer import BrokenTyper, Floats, WideTyper, no_typer
from tests.laws.cuts import cut_items, random_lengths, singles
from tests.laws.test_pipeline_cut import RECORDINGS
from vitalkeep.beat_typer import beat_typer

FS_HZ = 250.0
S = 1_000_000_000


class Kept:
    """Makes a typer and keeps it."""

    def __init__(self, kind: type[WideTyper] = WideTyper) -> None:
        self.typer = kind()

    def __call__(self) -> WideTyper:
        return self.typer


def typed(items: list[Item], make: MakeTyper, fs_hz: float = FS_HZ) -> tuple[list[BeatType], list[Beat]]:
    stage = TypedEcgBeats(fs_hz, "ecg", make)
    out = [output for item in items if isinstance(item, Samples | Gap) for output in stage.push(item)]
    out += stage.flush()
    stage.types.flush()
    return stage.types.release(), [output for output in out if isinstance(output, Beat)]


def with_v(every: int = 7, n: int = 70) -> tuple[Floats, Floats]:
    """(the signal, moments of its ventricular beats in s)."""
    rr_s = np.full(n, 0.8)
    rr_s[every - 1 :: every] -= 0.25
    rr_s[every::every] += 0.25
    times_s = beat_times(rr_s.tolist())
    at = np.zeros(len(times_s), dtype=bool)
    at[every::every] = True
    end_s = float(times_s[-1]) + 1.0
    signal = ecg(times_s[~at], FS_HZ, length_s=end_s) + ecg(times_s[at], FS_HZ, length_s=end_s, shape=WIDE, noise_mv=0)
    return signal, times_s[at]


def test_every_beat_is_told_once_and_wide_ones_are_v() -> None:
    signal, v_s = with_v()
    types, beats = typed([block(signal, FS_HZ)], WideTyper)
    assert [one.t_ns for one in types] == [beat.t_ns for beat in beats]
    found_s = np.array([one.t_ns / S for one in types if one.label is BeatLabel.V])
    assert len(found_s) == len(v_s)
    assert np.abs(found_s - v_s).max() < 0.1
    assert {(one.model, one.version) for one in types} == {("wide", "1.2.3")}
    assert all(one.score is not None and one.reason is None for one in types if one.label is not None)


def test_the_model_sees_the_wave_around_each_beat_as_recorded() -> None:
    signal, _ = with_v()
    make = Kept()
    pieces = list(cut_items([block(signal, FS_HZ, 7 * S)], random_lengths(3, 90)))
    types, _ = typed(pieces, make)
    asked = [one for one in types if one.label is not None]
    at = np.array([(one.t_ns - 7 * S) / 1e9 * FS_HZ for one in asked])
    assert np.abs(beat_waves(signal, FS_HZ, at) - np.array(make.typer.waves)).max() < 1e-9


def test_an_interval_is_shown_only_where_it_joins_two_beats_that_were_shown() -> None:
    signal, _ = with_v()
    cut = round(20.3 * FS_HZ)
    items: list[Item] = [block(signal[:cut], FS_HZ), Gap("ecg", round(20.3 * S), 24 * S, GapReason.LOST_FRAME)]
    items.append(block(signal[: 30 * int(FS_HZ)], FS_HZ, 24 * S))
    make = Kept()
    types, beats = typed(items, make)
    known = {beat.t_ns: beat.rr_s for beat in beats}
    asked = [one for one in types if one.label is not None]
    for one, shown_s in zip(asked, make.typer.before_s, strict=True):
        rr_s = known[one.t_ns]
        assert math.isnan(shown_s) if rr_s is None else shown_s == rr_s or math.isnan(shown_s)
    assert sum(math.isnan(shown) for shown in make.typer.before_s) == 2  # the first of each piece
    assert make.typer.begun == 2  # once more at the end of the input: four seconds are no reason to begin anew


def test_after_a_long_absence_the_model_begins_anew() -> None:
    signal, _ = with_v()
    end_ns = round(len(signal) / FS_HZ * S)
    make = Kept()
    later = block(signal, FS_HZ, end_ns + 40 * S)
    types, _ = typed([block(signal, FS_HZ), Gap("ecg", end_ns, end_ns + 40 * S, GapReason.LINK_LOST), later], make)
    assert make.typer.begun == 3
    assert [one.t_ns for one in types] == sorted(one.t_ns for one in types)


def test_a_beat_in_a_poor_signal_has_no_label_and_says_why() -> None:
    signal, _ = with_v(n=80)
    bad = slice(round(20 * FS_HZ), round(40 * FS_HZ))
    signal[bad] += np.random.default_rng(5).normal(0, 1.5, bad.stop - bad.start)
    stage = EcgBeats(FS_HZ, "ecg")
    verdicts = [out for out in [*stage.push(block(signal, FS_HZ)), *stage.flush()] if isinstance(out, Quality)]
    make = Kept()
    types, beats = typed([block(signal, FS_HZ)], make)
    assert [one.t_ns for one in types] == [beat.t_ns for beat in beats]
    poor = [one for one in types if any(v.start_ns <= one.t_ns < v.end_ns and not v.good for v in verdicts)]
    assert len(poor) >= 5
    assert all(one.label is None and one.score is None and one.reason for one in poor)
    assert len(make.typer.waves) == sum(one.label is not None for one in types)


def test_a_beat_without_room_for_its_wave_has_no_label() -> None:
    types, _ = typed([block(ecg(beat_times([0.8] * 20, first_s=0.3), FS_HZ, length_s=16.5), FS_HZ)], WideTyper)
    assert (types[0].label, types[0].reason) == (None, "too_short")
    assert (types[-1].label, types[-1].reason) == (None, "too_short")
    assert all(one.label is not None for one in types[1:-1])


def test_what_is_not_worn_has_no_label() -> None:
    signal, _ = with_v()
    stage = TypedEcgBeats(FS_HZ, "ecg", WideTyper)
    stage.push(block(signal, FS_HZ))
    stage.types.off_body(10 * S, 20 * S)
    stage.flush()
    stage.types.flush()
    types = stage.types.release()
    assert {one.reason for one in types if 10 * S <= one.t_ns < 20 * S} == {"off_body"}
    assert sum(one.label is not None for one in types) > 40


@pytest.mark.parametrize("make", [BrokenTyper, no_typer])
def test_a_model_that_breaks_or_is_missing_stops_no_beat(make: MakeTyper) -> None:
    signal, _ = with_v()
    plain = EcgBeats(FS_HZ, "ecg")
    expected = [out for out in [*plain.push(block(signal, FS_HZ)), *plain.flush()] if isinstance(out, Beat)]
    stage = TypedEcgBeats(FS_HZ, "ecg", make)
    found = []
    for piece in cut_items([block(signal, FS_HZ)], random_lengths(1, 300)):
        assert isinstance(piece, Samples)
        found += stage.push(piece)
    found += stage.flush()
    stage.types.flush()
    assert [out for out in found if isinstance(out, Beat)] == expected
    assert stage.types.reason == "no_model"
    told = stage.types.release()
    assert {one.reason for one in told if one.label is None} <= {"no_model", "too_short"}


@pytest.mark.parametrize("cut", ["random", "long", "single"])
def test_in_any_cut_the_same_is_told(cut: str) -> None:
    items = [item for item in read_recording(RECORDINGS / "chest_strap.jsonl.gz") if isinstance(item, Samples | Gap)]
    mine = [i for i in items if (isinstance(i, Gap) and i.channel in (None, "ecg")) or _is_ecg(i)]
    fs_hz = next(item.fs_hz for item in mine if isinstance(item, Samples))
    lengths = {"random": random_lengths(4, 60), "long": random_lengths(5, 4000), "single": singles()}[cut]
    if cut == "single":
        mine = mine[:60]
    whole, _ = typed(list(mine), WideTyper, fs_hz)
    assert len(whole) > 30
    assert typed(list(cut_items(mine, lengths)), WideTyper, fs_hz)[0] == whole


def _is_ecg(item: Item) -> bool:
    return isinstance(item, Samples) and item.kind is Kind.ECG


def test_a_real_record_is_told_the_same_in_any_cut_and_its_wide_beats_are_wide() -> None:
    source = open_source(shared_data("mitdb", "119.hea"))
    blocks = [item for item in source.items(["MLII"], block_s=240.0) if isinstance(item, Samples | Gap)][:2]

    def run(items: list[Item]) -> list[BeatType]:
        stage = TypedEcgBeats(360.0, "MLII", WideTyper)
        for item in items:
            assert isinstance(item, Samples)
            stage.push(item)
        stage.flush()
        stage.types.flush()
        return stage.types.release()

    whole = run(list(blocks))
    assert run(list(cut_items(blocks, random_lengths(2, 3000)))) == whole
    assert Counter(one.label for one in whole)[BeatLabel.V] > 50


def test_what_is_released_by_a_moment_is_the_same_however_much_came_after_it() -> None:
    signal, _ = with_v()
    whole = TypedEcgBeats(FS_HZ, "ecg", WideTyper)
    whole.push(block(signal, FS_HZ))
    pieces = TypedEcgBeats(FS_HZ, "ecg", WideTyper)
    at_ns = 0
    for piece in cut_items([block(signal, FS_HZ)], random_lengths(9, 400)):
        assert isinstance(piece, Samples)
        pieces.push(piece)
        final_ns = pieces.final_ns or 0
        while at_ns + 2 * S <= final_ns - 2 * S:  # a stretch is judged when it is whole
            at_ns += 2 * S
            assert pieces.types.release(at_ns) == whole.types.release(at_ns)
    assert at_ns > 30 * S


def test_a_day_of_beats_costs_seconds_and_memory_stays_bounded() -> None:
    signal, _ = with_v(n=290)
    n, rounds = len(signal), 10
    block_s = n / FS_HZ
    plain = EcgBeats(FS_HZ, "ecg")
    types = BeatTypes(FS_HZ, WideTyper)
    spent_s = 0.0
    for k in range(rounds):
        piece = Samples(Kind.ECG, "ecg", FS_HZ, 0, 1e9 / FS_HZ, k * n, signal)
        out = plain.push(piece)
        begun_s = time.process_time()
        types.push(piece)
        types.take(out)
        types.release(round((k + 1) * block_s * S) - 8 * S)
        spent_s += time.process_time() - begun_s
        assert types.held < 15 * FS_HZ
        assert types.waiting < 40
    assert spent_s * 86_400 / (rounds * block_s) < 10.0  # with the model of this test


@pytest.mark.parametrize("record", ["119", "208"])
def test_the_model_that_ships_tells_the_same_in_any_cut_of_a_real_record(record: str) -> None:
    source = open_source(shared_data("mitdb", f"{record}.hea"))
    blocks = [item for item in source.items(["MLII"], block_s=240.0) if isinstance(item, Samples)][:2]

    def run(items: list[Item]) -> list[BeatType]:
        stage = TypedEcgBeats(360.0, "MLII", beat_typer)
        for item in items:
            assert isinstance(item, Samples)
            stage.push(item)
        stage.flush()
        stage.types.flush()
        return stage.types.release()

    whole = run(list(blocks))
    assert run(list(cut_items(blocks, random_lengths(2, 3000)))) == whole
    assert Counter(one.label for one in whole)[BeatLabel.V] > 50
