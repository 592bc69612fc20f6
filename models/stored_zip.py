"""A zip of small files, uncompressed, in one form only: what is read must be what would be written, byte for byte.

So there is nothing to unfold, no second name for a file, no comment, no stretch that another reader sees and this one
does not. Any unzip opens it (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from models.errors import BundleError

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_DATE = 0x0021  # 1980-01-01, the first there is: a bundle tells its own date
_UNIX = 3 << 8
_MODE = 0o100644 << 16


def zipped(members: Mapping[str, bytes]) -> bytes:
    """In the order given. Names are ASCII."""
    body, directory = b"", b""
    for name, data in members.items():
        raw, crc, at = name.encode("ascii"), zlib.crc32(data), len(body)
        sizes = (crc, len(data), len(data))
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, *sizes, len(raw), 0) + raw + data
        directory += _CENTRAL.pack(
            b"PK\x01\x02", _UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, *sizes, len(raw), 0, 0, 0, 0, _MODE, at
        )
        directory += raw
    n = len(members)
    return body + directory + _END.pack(b"PK\x05\x06", 0, 0, n, n, len(directory), len(body), 0)


def unzipped(data: bytes, where: str, most_members: int, most_name: int = 64) -> dict[str, bytes]:
    """The members by name, in order. Raises BundleError for anything that `zipped` would not have written."""
    members: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        if at + _LOCAL.size > len(data):
            raise BundleError(f"{where}: cut short inside a header")
        *_, size, same, name_n, _ = _LOCAL.unpack_from(data, at)
        begin = at + _LOCAL.size + name_n
        if name_n > most_name or size != same:
            raise BundleError(
                f"{where}: a name of {name_n} bytes or a packed file, short names and plain files expected"
            )
        if begin + size > len(data):
            raise BundleError(f"{where}: cut short: {len(data)} bytes, {begin + size} or more expected")
        raw = data[begin - name_n : begin]
        if not raw.isascii() or not raw.decode("ascii").isprintable():
            raise BundleError(f"{where}: a name that is not plain ASCII")
        name = raw.decode("ascii")
        if name in members or len(members) == most_members:
            raise BundleError(f"{where}: {name!r} twice, or more than {most_members} files")
        members[name] = data[begin : begin + size]
        at = begin + size
    if not members or zipped(members) != data:
        raise BundleError(f"{where}: not in the one form that a bundle has")
    return members
