"""The law of the cut for the whole graph: however samples come in blocks, beats, metrics and alerts are identical."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from device_pipeline.alerts.alert import Alert
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.config import Limits
from device_pipeline.hrv import Hrv
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.rhythm import RhythmSpan
from device_pipeline.run import Finding, Pipeline
from device_pipeline.side import SideFinding
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from sensors.files.open import open_source
from sensors.reader import read_recording
from sensors.samples import Gap, GapReason, Item, Kind, Reading, Samples
from tests.data import shared_data
from tests.device_pipeline.breathing import ecg, ppg
from tests.fakes.typer import WideTyper
from tests.laws.cuts import cut_items, random_lengths, singles

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"
TYPES = (Beat, Quality, Window, HeartRate, Hrv, RhythmSpan, Alert, BeatType, *get_args(SideFinding))


def findings_by_type(pipeline: Pipeline, items: Iterable[Item]) -> dict[str, list[object]]:
    """What came out, per type and in order; gaps as the time they cover, since a long one comes in touching pieces."""
    out: list[Finding] = []
    for item in items:
        out += pipeline.push(item)
    out += pipeline.flush()
    told: dict[str, list[object]] = {kind.__name__: [f for f in out if type(f) is kind] for kind in TYPES}
    told["Gap"] = list(covered(gap for gap in out if isinstance(gap, Gap)))
    return told


def covered(gaps: Iterable[Gap]) -> Iterator[tuple[GapReason, int, int]]:
    by_reason: dict[GapReason, list[list[int]]] = {}
    for gap in sorted(gaps, key=lambda gap: gap.start_ns):
        mine = by_reason.setdefault(gap.reason, [])
        if mine and gap.start_ns <= mine[-1][1]:
            mine[-1][1] = max(mine[-1][1], gap.end_ns)
        else:
            mine.append([gap.start_ns, gap.end_ns])
    for reason, spans in sorted(by_reason.items()):
        yield from ((reason, start, end) for start, end in spans)


def agree(make: Iterable[Item], cut: Iterator[int], **options: object) -> dict[str, list[object]]:
    items = list(make)
    limits = Limits(pause_s=1.5)  # so that real records have pauses: an alert that both beats and silence can raise
    whole = findings_by_type(Pipeline(limits, typer=WideTyper, **options), items)  # type: ignore[arg-type]
    pieces = findings_by_type(Pipeline(limits, typer=WideTyper, **options), cut_items(items, cut))  # type: ignore[arg-type]
    for kind, told in whole.items():
        assert pieces[kind] == told, f"{kind} changed with the cut"
    return whole


def test_a_strap_is_read_the_same_sample_by_sample() -> None:
    told = agree(read_recording(RECORDINGS / "chest_strap_rest.jsonl.gz"), singles())
    assert len(told["Beat"]) > 70
    assert len(told["BeatType"]) == sum(isinstance(b, Beat) and b.source is BeatSource.ECG for b in told["Beat"])


@pytest.mark.parametrize("seed", [1, 2])
def test_every_event_of_the_story_survives_random_cuts(seed: int) -> None:
    told = agree(read_recording(RECORDINGS / "chest_strap.jsonl.gz"), random_lengths(seed, 60))
    rules = {alert.rule for alert in told["Alert"] if isinstance(alert, Alert)}
    assert rules == {"tachycardia", "irregular_rhythm", "poor_signal", "pause", "no_data"}


def test_a_pulse_wave_with_motion_is_read_the_same_in_any_cut() -> None:
    source = open_source(RECORDINGS / "wrist_ppg.csv")
    told = agree(
        [item for item in source.items(block_s=7.0) if isinstance(item, Samples | Gap)],
        random_lengths(3, 200),
        channel="ppg",
        acc_channel="acc",
        live=False,
    )
    assert any(isinstance(rate, HeartRate) and rate.bpm for rate in told["HeartRate"])


@pytest.mark.parametrize("cut", ["random", "single"])
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("oximeter_night.csv", {"Spo2", "Desaturation", "Oxygenation", "Alert"}),
        ("two_colours.csv", {"Spo2", "Beat"}),
        ("fever.csv", {"Temperature", "Alert"}),
        ("chest_motion.csv", {"Activity"}),
    ],
)
def test_what_is_told_beside_the_beats_is_the_same_in_any_cut(name: str, kinds: set[str], cut: str) -> None:
    source = open_source(RECORDINGS / name)
    items = [item for item in source.items(block_s=7.0) if isinstance(item, Samples | Gap | Reading)]
    lengths = singles() if cut == "single" else random_lengths(4, 150)
    told = agree(items, lengths, channel="ppg_red", acc_channel="acc", live=False)
    assert {kind for kind in kinds if told[kind]} == kinds


@pytest.mark.parametrize("seed", [1, 2])
def test_an_ecg_with_a_pulse_wave_beside_it_is_read_the_same_in_any_cut(seed: int) -> None:
    minute_s, waves = 60.0, (ecg(14.0), ppg(14.0))
    blocks = [
        wave.cut(round(k * minute_s * wave.fs_hz), min(len(wave), round((k + 1) * minute_s * wave.fs_hz)))
        for k in range(3)
        for wave in waves
    ]
    told = agree(blocks, random_lengths(seed, 3000), channel="ecg", beside="ppg", live=False)
    rates = [window for window in told["Respiration"] if isinstance(window, Respiration) and window.rate_bpm]
    assert len(rates) > 10
    assert {window.method.split(",")[0] for window in rates} == {"ecg+ppg"}


def two_waves() -> list[Item]:
    """The wrist's wave, another of the same pulse, and its accelerometer with a hole, 80 to 130 s of it walking."""
    rng = np.random.default_rng(4)
    items: list[Item] = []
    for item in open_source(RECORDINGS / "wrist_ppg.csv").items(block_s=11.0):
        if isinstance(item, Samples) and item.kind is Kind.PPG:
            other = item.values * 0.7 + rng.normal(size=len(item)) * 5
            items += [item, replace(item, channel="ppg_2", values=other)]
        elif isinstance(item, Samples) and item.start_ns == 55 * 10**9:
            items.append(Gap("acc", item.start_ns, item.end_ns, GapReason.LOST_FRAME))
        elif isinstance(item, Samples | Gap):
            items.append(item)
    return items


@pytest.mark.parametrize("cut", ["random", "short", "single"])
def test_two_pulse_waves_with_motion_are_read_the_same_in_any_cut(cut: str) -> None:
    items = two_waves()
    if cut == "single":
        items = [item for item in items if not isinstance(item, Samples) or item.start_ns < 40 * 10**9]
    lengths = {"random": random_lengths(8, 700), "short": random_lengths(9, 40), "single": singles()}[cut]
    told = agree(items, lengths, channel="ppg", second_ppg="ppg_2", acc_channel="acc", live=False)
    known = [rate for rate in told["HeartRate"] if isinstance(rate, HeartRate) and rate.bpm]
    assert len(known) > (10 if cut == "single" else 60)


@pytest.mark.parametrize(("record", "channel"), [("104", "V5"), ("201", "MLII"), ("207", "MLII")])
@pytest.mark.parametrize("cut", ["random", "single"])
def test_a_real_record_is_read_the_same_in_any_cut(record: str, channel: str, cut: str) -> None:
    source = open_source(shared_data("mitdb", f"{record}.hea"))
    blocks = [item for item in islice(source.items([channel], block_s=60.0), 10) if isinstance(item, Samples | Gap)]
    if cut == "single":
        blocks = blocks[:1]
    lengths = singles() if cut == "single" else random_lengths(5, 5000)
    told = agree(blocks, lengths, channel=channel, live=False)
    assert len(told["BeatType"]) == sum(isinstance(b, Beat) and b.source is BeatSource.ECG for b in told["Beat"])
    assert cut == "single" or record != "201" or any(isinstance(a, Alert) and a.rule == "pause" for a in told["Alert"])
