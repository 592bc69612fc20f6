"""What was written is what is read: findings, ranges of raw data, and what retention leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_pipeline.beat import Beat, BeatLabel, BeatSource, Quality
from device_pipeline.clock import ManualClock
from device_pipeline.errors import StoreDamagedError
from device_pipeline.hrv import Hrv
from device_pipeline.rhythm import RhythmKind, RhythmSpan
from device_pipeline.store import derived, model_rows, raw
from device_pipeline.store.blocks import decode, encode
from device_pipeline.store.retention import DAY_NS, Removed, keep_raw_days
from device_pipeline.store.store import Store, open_store
from device_pipeline.store.writer import Ended, SessionKind
from device_pipeline.track import Window
from device_pipeline.windows import HeartRate
from models.shadow_score import ShadowScore
from sensors.samples import Gap, GapReason, Kind, Quantity, Reading, Samples

S = 1_000_000_000
START_NS = 1_760_000_000 * S


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", ManualClock(START_NS))


def test_findings_return_as_they_were(store: Store) -> None:
    beats = [
        Beat(START_NS + 1, BeatSource.ECG, None),
        Beat(START_NS + S, BeatSource.ECG, 0.1 + 0.2, BeatLabel.V),
        Beat(START_NS + S, BeatSource.RR, 0.9),
    ]
    rates = [
        HeartRate(START_NS, 10 * S, 61.23456789, 0.9, None, BeatSource.ECG),
        HeartRate(START_NS + 10 * S, 10 * S, None, None, "too_few_beats", BeatSource.ECG),
    ]
    hrvs = [
        Hrv(START_NS, 300 * S, 290, 1.5, "nn/1", {"rmssd_ms": 41.1, "sdnn_ms": None}, None),
        Hrv(START_NS + 300 * S, 300 * S, 0, None, "nn/1", None, "no_data"),
    ]
    gaps = [
        Gap(None, START_NS, START_NS + 4, GapReason.SILENT),
        Gap("ecg", START_NS, START_NS + 9, GapReason.FLAT_LINE),
    ]
    qualities = [
        Quality(START_NS, START_NS + S, 0.25, False, "noise"),
        Quality(START_NS + S, START_NS + 2 * S, 1.0, True),
    ]
    windows = [
        Window(BeatSource.ECG, START_NS, START_NS + 2 * S, (), S, S // 2, 0.5, "noise"),
        Window(BeatSource.ECG, START_NS + 2 * S, START_NS + 4 * S, (), 0, 0, None, "silent"),
    ]
    spans = [RhythmSpan(START_NS, START_NS + 5, RhythmKind.AFIB), RhythmSpan(START_NS + 5, START_NS + 9, RhythmKind.N)]
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.IMPORT, "file", "0")
        findings: list[Beat | HeartRate | Hrv | Gap | Window | RhythmSpan] = [
            *beats,
            *rates,
            *hrvs,
            *gaps,
            *windows,
            *spans,
        ]
        for finding in findings:
            writer.add_finding(finding)
        for quality in qualities:
            writer.add_quality(quality, "ecg")
    with store.reader() as db:
        assert list(derived.beats(db, session)) == beats
        assert list(derived.beats(db, session, START_NS + 1, START_NS + 2)) == beats[:1]
        assert list(derived.heart_rates(db, session)) == rates
        assert derived.latest_heart_rate(db, session) == rates[-1]
        assert list(derived.hrv(db, session)) == hrvs
        assert derived.latest_hrv(db, session) == hrvs[0]
        assert list(derived.absences(db, session)) == gaps
        assert list(derived.qualities(db, session, "ecg")) == qualities
        assert derived.coverage(db, START_NS, START_NS + 4 * S) == derived.Coverage(S, S // 2, 2 * S + S // 2)
        assert derived.coverage(db, START_NS, START_NS + S, session) == derived.Coverage(S, S // 2, S // 2)
        assert derived.coverage(db, START_NS + 4 * S, START_NS + 9 * S) == derived.Coverage(0, 0, 0)
        assert list(derived.rhythm(db, session)) == spans
        assert derived.latest_hrv(db, 99) is None
        assert derived.latest_heart_rate(db, 99) is None


def test_a_gap_that_was_found_is_not_one_that_arrived(store: Store) -> None:
    arrived = Gap("ecg", START_NS, START_NS + 4, GapReason.LOST_FRAME)
    with store.writer() as writer:
        session = writer.begin_session(SessionKind.IMPORT, "file", "0")
        writer.add_item(arrived)
        writer.add_finding(Gap("ecg", START_NS, START_NS + 9, GapReason.FLAT_LINE))
    with store.reader() as db:
        assert list(raw.read_items(db, session)) == [arrived]


BLOCK = Samples(Kind.ACC, "acc", 50.0, START_NS, 1e9 / 49.7, 5, np.arange(300.0).reshape(100, 3))


@pytest.fixture(scope="module")
def one_block(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(tmp_path_factory.mktemp("one") / "store", ManualClock(START_NS))
    with store.writer() as writer:
        writer.begin_session(SessionKind.IMPORT, "file", "0")
        writer.add_item(BLOCK)
        writer.add_item(Reading(Quantity.RR, "rr", START_NS + S, 800.0))
        writer.add_item(Gap(None, START_NS + S, START_NS + 2 * S, GapReason.SILENT))
        writer.add_item(Gap("spo2_spot", START_NS + S, START_NS + S, GapReason.POOR_SIGNAL))
    return store


edges = st.one_of(
    st.integers(START_NS - S, START_NS + 3 * S),
    st.builds(lambda k, d: BLOCK.t_ns(k) + d, st.integers(0, 100), st.integers(-1, 1)),
)


@given(edges, edges)
def test_a_range_holds_exactly_the_samples_taken_in_it(one_block: Store, a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    with one_block.reader() as db:
        found = list(raw.read_items(db, 1, low, high))
        blocks = list(raw.read_samples(db, 1, "acc", low, high))
    inside = [k for k in range(100) if low <= BLOCK.t_ns(k) < high]
    times = [block.t_ns(k) for block in blocks for k in range(len(block))]
    assert times == [BLOCK.t_ns(k) for k in inside]
    if inside:
        np.testing.assert_array_equal(blocks[0].values, BLOCK.values[inside])
    readings = [item for item in found if isinstance(item, Reading)]
    assert len(readings) == (low <= START_NS + S < high)
    begun, over = START_NS + S, START_NS + 2 * S
    gaps = [(item.channel, item.start_ns, item.end_ns) for item in found if isinstance(item, Gap)]
    expected = [(None, max(low, begun), min(high, over))] if max(low, begun) < min(high, over) else []
    # a measurement that came to nothing has no length and is there all the same
    assert gaps == expected + [("spo2_spot", begun, begun)] * (low <= begun < high)


def test_a_channel_is_read_with_the_gaps_that_concern_it(one_block: Store) -> None:
    with one_block.reader() as db:
        assert [type(item) for item in raw.read_items(db, 1, channel="rr")] == [Reading, Gap]
        assert raw.channels(db, 1) == [("acc", Kind.ACC)]


def test_a_damaged_block_is_told_and_never_guessed() -> None:
    values = np.arange(50.0) / 1000
    whole = encode(values)
    assert whole.encoding == "i16"
    for data in (b"", whole.data[:10], whole.data[:-1], whole.data[:20] + b"x" + whole.data[21:]):
        with pytest.raises(StoreDamagedError):
            decode(whole.encoding, data, 50, 1)
    for n, width in ((49, 1), (51, 1), (50, 3)):
        with pytest.raises(StoreDamagedError):
            decode(whole.encoding, whole.data, n, width)
    with pytest.raises(StoreDamagedError, match="expected i16"):
        decode("i8", whole.data, 50, 1)


@pytest.mark.parametrize(
    ("values", "encoding", "most_bytes"),
    [
        (np.random.default_rng(0).integers(-150, 150, 1300).cumsum() / 1000.0, "i16", 1800),
        (np.random.default_rng(0).integers(0, 1 << 22, 1300) * 1.0, "i32", 4600),
        (np.random.default_rng(0).integers(-150, 150, 1300) / 200.0, "i16", 2100),
        (np.random.default_rng(0).normal(0, 1, 1300), "f64", 11000),
    ],
    ids=["microvolts", "ppg", "gain 200", "no step"],
)
def test_integers_in_disguise_are_stored_as_integers(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], encoding: str, most_bytes: int
) -> None:
    encoded = encode(values)
    assert encoded.encoding == encoding
    assert len(encoded.data) <= most_bytes


def test_retention_takes_old_raw_data_and_nothing_else(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    store = open_store(tmp_path / "store", clock)
    noise = np.random.default_rng(0).normal(0, 1, 200_000)
    with store.writer() as writer:
        live = writer.begin_session(SessionKind.LIVE, "strap", "0")
        for day in range(4):
            at_ns = START_NS + day * DAY_NS
            writer.add_item(Samples(Kind.ECG, "ecg", 250.0, at_ns, 4e6, 0, noise))
            writer.add_item(Reading(Quantity.RR, "rr", at_ns, 800.0))
            writer.add_item(Gap("ecg", at_ns, at_ns + 1, GapReason.LOST_FRAME))
            writer.add_finding(Beat(at_ns, BeatSource.ECG, None))
            writer.add_finding(ShadowScore(at_ns, "beat", "9.0.0", "N", 0.9, "1.0.0", "N", 0.8))
            writer.commit()
            clock.advance(DAY_NS)
        writer.end_session(Ended.CLEAN)
        # an old recording, but only now in the store
        old = writer.begin_session(SessionKind.IMPORT, "file of 1970", "0")
        writer.add_item(Samples(Kind.ECG, "ecg", 250.0, 0, 4e6, 0, noise[:1000]))
        writer.commit()
        pages = writer.db.execute("PRAGMA page_count").fetchone()[0]
        assert keep_raw_days(writer, 2, clock.now_ns()) == Removed(blocks=2, readings=2, gaps=2)
        assert keep_raw_days(writer, 2, clock.now_ns()) == Removed(0, 0, 0)
        assert writer.db.execute("PRAGMA page_count").fetchone()[0] < pages * 0.6
        assert writer.db.execute("PRAGMA freelist_count").fetchone()[0] == 0
        with pytest.raises(ValueError, match="1 or more"):
            keep_raw_days(writer, 0, clock.now_ns())
    with store.reader() as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        starts = [item.start_ns for item in raw.read_items(db, live) if isinstance(item, Samples)]
        assert starts == [START_NS + day * DAY_NS for day in (2, 3)]
        assert len(list(derived.beats(db, live))) == 4
        # what a model said in shadow is kept as long as what it said it of
        assert [score.t_ns for score in model_rows.shadow_scores(db, live)] == starts
        assert len(list(raw.read_items(db, old))) == 1
