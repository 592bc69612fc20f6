"""The MIT annotation format, both ways, against the WFDB library and by its own rules."""

from __future__ import annotations

import stat
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.errors import FileFormatError
from sensors.files.annotation import (
    AnnotatedBeat,
    AnnotationSource,
    encode_annotations,
    read_annotations,
    write_annotations,
)
from tests.data import shared_data

wfdb = pytest.importorskip("wfdb")


def rdann(record: str, extension: str) -> Any:
    """What the library reads; it uses what pandas warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdann(record, extension)


def _real_files() -> list[tuple[str, str]]:
    return [("mitdb", "atr"), ("afdb", "atr"), ("afdb", "qrs"), ("nsrdb", "atr"), ("apnea_ecg", "apn")]


@pytest.mark.parametrize(("database", "extension"), _real_files())
def test_real_files_read_as_the_wfdb_library_reads_them(database: str, extension: str) -> None:
    files = sorted(shared_data(database).glob(f"*.{extension}"))
    assert files
    for path in files[:: 1 if database == "mitdb" else 4]:
        ours, theirs = read_annotations(path), rdann(str(path.with_suffix("")), extension)
        assert np.array_equal(ours.samples, theirs.sample), path.name
        assert ours.symbols == theirs.symbol, path.name
        assert ours.aux == [text.rstrip("\0") for text in theirs.aux_note], path.name


def test_what_is_written_is_read_by_the_wfdb_library(tmp_path: Path) -> None:
    samples = np.array([0, 1023, 1024, 2048, 200_000, 200_000, 2_000_000_000, 9_000_000_000])
    symbols = ["N", "V", "A", "+", "/", "[", "]", "N"]
    aux = ["", "", "", "(AFIB", "", "odd", "even", ""]
    path = write_annotations(tmp_path, "rec", 130.06, samples, symbols, aux=aux)
    assert path == tmp_path / "rec.vk"
    theirs = rdann(str(tmp_path / "rec"), "vk")
    assert theirs.sample.tolist() == samples.tolist()
    assert theirs.symbol == symbols
    assert theirs.aux_note == aux
    assert theirs.fs == 130.06


@pytest.mark.parametrize("fs_hz", [None, 250.0])
def test_a_file_without_beats_is_readable_by_both(tmp_path: Path, fs_hz: float | None) -> None:
    path = write_annotations(tmp_path, "rec", fs_hz, [], [])
    assert rdann(str(tmp_path / "rec"), "vk").sample.tolist() == []
    ours = read_annotations(path)
    assert ours.samples.tolist() == []
    assert ours.fs_hz == fs_hz


_texts = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=255)


@given(
    st.lists(st.tuples(st.integers(0, 1 << 34), st.sampled_from("NLRaVFJASEj/Q~|sT*D=pB^t+u?![]en@xf()r"), _texts)),
    st.one_of(st.none(), st.floats(0.1, 1e5)),
)
def test_any_annotations_survive_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, str]], fs_hz: float | None
) -> None:
    rows = sorted(rows)
    samples, symbols, aux = ([row[k] for row in rows] for k in range(3))
    path = tmp_path_factory.mktemp("a") / "x.vk"
    path.write_bytes(encode_annotations(fs_hz, samples, symbols, aux))  # type: ignore[arg-type]
    read = read_annotations(path)
    assert read.samples.tolist() == samples
    assert read.symbols == symbols
    assert read.aux == aux
    assert read.fs_hz == (None if fs_hz is None else pytest.approx(fs_hz))


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("b") / "x.atr"
    path.write_bytes(data)
    try:
        read = read_annotations(path)
    except FileFormatError as error:
        assert "\n" not in str(error)
    else:
        assert len(read.samples) == len(read.symbols) == len(read.aux)


def test_an_earlier_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_annotations(tmp_path, "rec", 250, [1, 2, 3], ["N", "N", "N"])
    path = write_annotations(tmp_path, "rec", 250, [7], ["V"])
    assert read_annotations(path).samples.tolist() == [7]
    assert [p.name for p in tmp_path.iterdir()] == ["rec.vk"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_what_cannot_be_written_leaves_the_earlier_file_alone(tmp_path: Path) -> None:
    path = write_annotations(tmp_path, "rec", 250, [1], ["N"])
    before = path.read_bytes()
    for samples, symbols in (([2, 1], ["N", "N"]), ([-1], ["N"]), ([1], ["€"]), ([1, 2], ["N"])):
        with pytest.raises(ValueError, match=r"sample|symbol"):
            write_annotations(tmp_path, "rec", 250, samples, symbols)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_record_name_never_leaves_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        write_annotations(tmp_path, "../rec", 250, [1], ["N"])


def test_a_cut_file_is_refused_by_name(tmp_path: Path) -> None:
    path = write_annotations(tmp_path, "rec", 250, [100, 5000], ["N", "N"])
    whole = path.read_bytes()
    for n in range(len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(FileFormatError, match=r"^rec\.vk: "):
            read_annotations(path)


def test_custom_codes_are_read_by_their_definition(tmp_path: Path) -> None:
    definition = encode_annotations(None, [0, 0], ['"', '"'], ["## annotation type definitions", "42 zz Mine"])[:-2]
    path = tmp_path / "rec.atr"
    path.write_bytes(definition + (42 << 10 | 5).to_bytes(2, "little") + b"\0\0")
    read = read_annotations(path)
    assert read.symbols == ["zz"]
    assert read.samples.tolist() == [5]


def test_an_annotation_file_alone_takes_its_rate_from_itself_then_the_header_then_the_user(tmp_path: Path) -> None:
    own = write_annotations(tmp_path, "own", 200, [400], ["N"], extension="atr")
    bare = write_annotations(tmp_path, "bare", None, [400], ["N"], extension="atr")
    with pytest.raises(FileFormatError, match="--fs"):
        AnnotationSource(bare)
    assert AnnotationSource(bare, 100.0).fs_hz == 100.0
    (tmp_path / "bare.hea").write_text("bare 1 128/1 1000\n")
    assert AnnotationSource(bare, 100.0).fs_hz == 128.0
    assert AnnotationSource(bare, 100.0).duration_s == pytest.approx(1000 / 128)
    assert AnnotationSource(own, 100.0).fs_hz == 200.0
    assert list(AnnotationSource(own).items()) == [AnnotatedBeat(400, 2_000_000_000, "N")]


def test_only_beats_come_out_and_in_order_of_time(tmp_path: Path) -> None:
    path = write_annotations(tmp_path, "rec", 100, [1, 2, 3, 4], ["+", "N", "|", "V"], aux=["(N", "", "", ""])
    assert [(b.sample, b.symbol) for b in AnnotationSource(path).items()] == [(2, "N"), (4, "V")]


def test_a_file_with_rhythms_alone_says_that_it_has_no_beat(tmp_path: Path) -> None:
    path = write_annotations(tmp_path, "rec", 100, [1], ["+"], aux=["(N"])
    with pytest.raises(FileFormatError, match="1 annotations, none of them a beat"):
        AnnotationSource(path)


def test_a_file_without_any_annotation_is_honest_no_data(tmp_path: Path) -> None:
    source = AnnotationSource(write_annotations(tmp_path, "rec", 100, [], []))
    assert list(source.items()) == []
    assert source.notes == ["the annotation file holds no beat"]


def test_a_beat_does_not_show_itself() -> None:
    assert repr(AnnotatedBeat(400, 2, "N")) == "<AnnotatedBeat>"


def test_a_time_without_any_readable_signal_lasts_from_its_mark_to_the_next(tmp_path: Path) -> None:
    def word(code: int, low: int) -> bytes:
        return (code << 10 | low).to_bytes(2, "little")

    noise, beat, sub = 14, 1, 61
    data = word(beat, 10) + word(noise, 10) + word(sub, 0xFF) + word(beat, 10) + word(noise, 10) + word(sub, 0x10)
    data += word(noise, 10) + word(sub, 0x33) + word(beat, 10) + b"\0\0"
    path = tmp_path / "a.atr"
    path.write_bytes(data)
    file = read_annotations(path)
    assert file.unreadable() == [(20, 40), (50, 60)]
    assert file.unreadable(end_sample=99)[-1] == (50, 99)
    assert file.labelled_beats()[1] == ["N"] * 3
