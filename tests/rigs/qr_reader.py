"""Reads the matrix of a QR code, from the standard alone (ISO/IEC 18004), as a camera's program does.

Level M, versions 1 to 13, modes byte and alphanumeric. It corrects nothing: whatever does not fit is an AssertionError,
the Reed-Solomon check of each block included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Matrix = Sequence[Sequence[bool]]

# By version: check codewords a block, and the blocks' data codewords (table 9, level M).
_BLOCKS = {
    1: (10, [16]),
    2: (16, [28]),
    3: (26, [44]),
    4: (18, [32] * 2),
    5: (24, [43] * 2),
    6: (16, [27] * 4),
    7: (18, [31] * 4),
    8: (22, [38] * 2 + [39] * 2),
    9: (22, [36] * 3 + [37] * 2),
    10: (26, [43] * 4 + [44]),
    11: (30, [50] + [51] * 4),
    12: (22, [36] * 6 + [37] * 2),
    13: (22, [37] * 8 + [38]),
}
# Where the centres of alignment patterns lie (annex E).
_ALIGNED = {
    1: [],
    2: [6, 18],
    3: [6, 22],
    4: [6, 26],
    5: [6, 30],
    6: [6, 34],
    7: [6, 22, 38],
    8: [6, 24, 42],
    9: [6, 26, 46],
    10: [6, 28, 50],
    11: [6, 30, 54],
    12: [6, 32, 58],
    13: [6, 34, 62],
}
_MASKS = (
    lambda i, j: (i + j) % 2,
    lambda i, j: i % 2,
    lambda i, j: j % 3,
    lambda i, j: (i + j) % 3,
    lambda i, j: (i // 2 + j // 3) % 2,
    lambda i, j: i * j % 2 + i * j % 3,
    lambda i, j: (i * j % 2 + i * j % 3) % 2,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2,
)
_LEVEL_M = 0b00
_FORMAT_MASK = 0b101010000010010
_FINDER = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def read_qr(matrix: Matrix) -> str:
    """`matrix` without its quiet zone, True where dark."""
    side = len(matrix)
    assert all(len(row) == side for row in matrix)
    version, rest = divmod(side - 17, 4)
    assert rest == 0 and version in _BLOCKS, f"{side} modules a side"
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        found = tuple("".join("01"[matrix[top + y][left + x]] for x in range(7)) for y in range(7))
        assert found == _FINDER, "a finder pattern"
    mask = _format(matrix)
    bits = [matrix[i][j] ^ (_MASKS[mask](i, j) == 0) for i, j in _data_modules(side, version)]
    codewords = [_number(bits[at : at + 8]) for at in range(0, len(bits) // 8 * 8, 8)]
    return _text(_data(codewords, version), version)


def without_quiet_zone(matrix: Matrix, quiet: int) -> Matrix:
    """Raises AssertionError where a module of it is dark."""
    inner = range(quiet, len(matrix) - quiet)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            assert not dark or (y in inner and x in inner), "a dark module in the quiet zone"
    return [[matrix[y][x] for x in inner] for y in inner]


def _format(matrix: Matrix) -> int:
    """The mask; both copies of the format information must be right, and say level M."""
    side = len(matrix)
    around = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    split = [(side - 1 - n, 8) for n in range(7)] + [(8, side - 8 + n) for n in range(8)]
    first, second = (_number([matrix[y][x] for y, x in places]) for places in (around, split))
    assert first == second, "two copies of the format information that differ"
    level_and_mask = (first ^ _FORMAT_MASK) >> 10
    remainder = level_and_mask << 10
    for shift in range(4, -1, -1):
        if remainder >> (shift + 10) & 1:
            remainder ^= 0b10100110111 << shift
    assert (level_and_mask << 10 | remainder) == first ^ _FORMAT_MASK, "the check of the format information"
    assert level_and_mask >> 3 == _LEVEL_M, "another level"
    return level_and_mask & 7


def _data_modules(side: int, version: int) -> Iterator[tuple[int, int]]:
    """In the order of their bits: two columns at a time from the right, up and down, what is no data left out."""
    upwards = True
    right = side - 1
    while right > 0:
        if right == 6:
            right -= 1
        for step in range(side):
            i = side - 1 - step if upwards else step
            for j in (right, right - 1):
                if not _is_pattern(i, j, side, version):
                    yield i, j
        upwards = not upwards
        right -= 2


def _is_pattern(i: int, j: int, side: int, version: int) -> bool:
    if i == 6 or j == 6 or (i < 9 and (j < 9 or j >= side - 8)) or (i >= side - 8 and j < 9):
        return True
    if version >= 7 and ((i < 6 and j >= side - 11) or (j < 6 and i >= side - 11)):
        return True
    centres = _ALIGNED[version]
    last = len(centres) - 1
    return any(
        abs(i - y) <= 2 and abs(j - x) <= 2
        for a, y in enumerate(centres)
        for b, x in enumerate(centres)
        if (a, b) not in ((0, 0), (0, last), (last, 0))
    )


def _data(codewords: list[int], version: int) -> list[int]:
    """The blocks taken apart, each checked, the data put one after the other."""
    checks, sizes = _BLOCKS[version]
    blocks: list[list[int]] = [[] for _ in sizes]
    rest = iter(codewords)
    for column in range(max(sizes)):
        for block, size in zip(blocks, sizes, strict=True):
            if column < size:
                block.append(next(rest))
    for _ in range(checks):
        for block in blocks:
            block.append(next(rest))
    assert next(rest, None) is None, "codewords left over"
    for block in blocks:
        _require_reed_solomon(block, checks)
    return [codeword for block, size in zip(blocks, sizes, strict=True) for codeword in block[:size]]


def _require_reed_solomon(block: list[int], checks: int) -> None:
    """The block, as a polynomial over GF(256), is zero at the first `checks` powers of 2."""
    point = 1
    for _ in range(checks):
        value = 0
        for codeword in block:
            value = _times(value, point) ^ codeword
        assert value == 0, "the check of a block"
        point = _times(point, 2)


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11D
        b >>= 1
    return product


def _text(data: list[int], version: int) -> str:
    bits = [bool(codeword >> shift & 1) for codeword in data for shift in range(7, -1, -1)]
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return _number(bits[at - count : at])

    text = ""
    while len(bits) - at >= 4 and (mode := take(4)):
        if mode == 0b0100:
            length = take(8 if version < 10 else 16)
            text += bytes(take(8) for _ in range(length)).decode("latin-1")
        else:
            assert mode == 0b0010, f"mode {mode:04b}"
            length = take(9 if version < 10 else 11)
            for _ in range(length // 2):
                high, low = divmod(take(11), 45)
                text += _ALPHANUMERIC[high] + _ALPHANUMERIC[low]
            if length % 2:
                text += _ALPHANUMERIC[take(6)]
    return text


def _number(bits: Sequence[bool]) -> int:
    number = 0
    for bit in bits:
        number = number << 1 | bit
    return number
