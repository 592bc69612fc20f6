"""A file of arrays that claims more than it holds, or holds more than it may, is refused before it costs anything."""

from __future__ import annotations

import zipfile
from io import BytesIO
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.arrays import MOST_MEMBERS, read_arrays
from models.errors import ModelError


def packed(**arrays: object) -> bytes:
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_arrays_are_read_as_numpy_wrote_them() -> None:
    kinds, orders = ("<f4", "<f8", "<f2", "<i2", "|u1", "|b1", ">f4"), ("C", "F")
    for kind, order in product(kinds, orders):
        array = np.asarray(np.arange(24).reshape(2, 3, 4) % 2, dtype=kind, order=order)  # type: ignore[call-overload]
        (read,) = read_arrays(packed(a=array), "file").values()
        assert read.dtype == array.dtype
        assert np.array_equal(read, array)
    assert read_arrays(packed(a=np.float64(3.0)), "file")["a"].shape == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packed(a=np.array([object()])),
        packed(a=np.array(["text"])),
        packed(a=np.zeros(3, np.complex128)),
        zipped(("a.npy", bytes(1 << 23))),
        zipped(("a.txt", b"text")),
        zipped(("a.npy", b"\x93NUMPY")),
        zipped(("a.npy", npy(np.zeros(9))[:-1])),
        zipped(("a.npy", npy(np.zeros(9)).replace(b"(9,)", b"(8,)"))),
        zipped(("a.npy", npy(np.zeros(9)).replace(b"(9,), }    ", b"(10**9,), }"))),
        zipped(("a.npy", npy(np.zeros(1)).replace(b"(1,), }           ", b"(999999999999,), }"))),
        zipped(("a.npy", npy(np.zeros(1)).replace(b"<f8", b"|O8"))),
        zipped(*((f"{k}.npy", npy(np.zeros(1))) for k in range(MOST_MEMBERS + 1))),
        zipped(("a.npy", npy(np.zeros(1))), how=zipfile.ZIP_LZMA),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="file"):
        read_arrays(data, "file")


def test_one_name_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.npy", npy(np.zeros(1))), ("a.npy", npy(np.ones(1))))
    with pytest.raises(ModelError, match="names of their own"):
        read_arrays(data, "file")


def test_a_member_that_holds_more_than_it_says_is_refused() -> None:
    data = zipped(("a.npy", npy(np.zeros(4000))))
    size = len(npy(np.zeros(4000))).to_bytes(4, "little")
    with pytest.raises(ModelError):
        read_arrays(data.replace(size, (400).to_bytes(4, "little")), "file")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 10**6))
def test_whatever_byte_is_changed_it_is_read_or_refused(at: int, value: int, cut: int) -> None:
    data = bytearray(packed(a=np.arange(5.0), b=np.ones((2, 2))))
    data[at % len(data)] = value
    try:
        arrays = read_arrays(bytes(data[: len(data) - cut % 40 * (cut % 2)]), "file")
    except ModelError:
        return
    assert all(isinstance(array, np.ndarray) for array in arrays.values())


def test_the_message_shows_no_more_of_a_name_than_a_line_holds(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as told:
        read_arrays(zipped(("x" * 500, b"text")), "file")
    assert len(str(told.value)) < 200
