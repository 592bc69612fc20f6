"""Arrays out of an .npz that may be anybody's: nothing in it is believed before it is measured against a limit.

numpy's own reader makes an array of whatever size a header claims before it looks for the bytes, and a member of a zip
may swell a thousandfold; here both are held to what is expected.
"""

from __future__ import annotations

import ast
import zipfile
import zlib
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError

MOST_MEMBERS = 64
MOST_BYTES = 4 << 20  # of all members as they unfold
_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 4096
_KINDS = "biuf"
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_arrays(data: bytes, where: str, most_bytes: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz by name: numbers and truth values only, `most_bytes` at most when unfolded.

    Raises ModelError, with `where` in its message, for anything else.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise ModelError(f"{where}: {len(members)} arrays, at most {MOST_MEMBERS} expected")
            claimed = sum(member.file_size for member in members)
            if claimed > most_bytes:
                raise ModelError(f"{where}: arrays of {claimed} bytes, at most {most_bytes} expected")
            arrays: dict[str, NDArray[Any]] = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays or name == member.filename or member.compress_type not in _PACKED:
                    raise ModelError(
                        f"{where}: member {member.filename[:40]!r}, arrays with names of their own expected"
                    )
                with archive.open(member) as file:
                    raw = file.read(member.file_size)
                arrays[name] = _array(raw, f"{where}: {name[:40]}")
            return arrays
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ) as problem:
        raise ModelError(f"{where}: no file of arrays ({type(problem).__name__})") from None


def _array(raw: bytes, where: str) -> NDArray[Any]:
    """One .npy (numpy format 1.0 to 3.0), its header held to the bytes behind it."""
    if raw[:6] != _MAGIC or len(raw) < 12 or raw[6] not in (1, 2, 3):
        raise ModelError(f"{where}: no array")
    begin = 10 if raw[6] == 1 else 12
    length = int.from_bytes(raw[8:begin], "little")
    if length > _MOST_HEADER:
        raise ModelError(f"{where}: a header of {length} bytes, at most {_MOST_HEADER} expected")
    try:
        header = ast.literal_eval(raw[begin : begin + length].decode("utf-8"))
        kind, fortran, shape = np.dtype(header["descr"]), header["fortran_order"], header["shape"]
        whole = all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 8
    except (SyntaxError, ValueError, TypeError, KeyError, RecursionError, MemoryError):
        raise ModelError(f"{where}: its header cannot be read") from None
    body = raw[begin + length :]
    if not whole or kind.kind not in _KINDS or fortran not in (True, False):
        raise ModelError(f"{where}: an array of numbers expected")
    if prod(shape) * kind.itemsize != len(body):
        raise ModelError(f"{where}: {len(body)} bytes, {prod(shape) * kind.itemsize} expected")
    return np.frombuffer(body, kind).reshape(shape, order="F" if fortran else "C")
