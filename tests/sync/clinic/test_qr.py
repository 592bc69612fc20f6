"""A camera reads the very code; the picture is as a page, a terminal and a printer need it."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sync.clinic.qr import QUIET, qr_matrix, qr_png, qr_svg, qr_text
from sync.pairing import PairingCode
from tests.rigs.qr_reader import read_qr, without_quiet_zone

URLS = [
    "http://[::1]:8443",
    "https://clinic.example",
    "https://clinic.example/heart/~sync_1",
    "https://c.ex/" + "a" * 187,
]
_SVG = "{http://www.w3.org/2000/svg}"


def _code(url: str = "https://clinic.example", token: bytes = bytes(range(10))) -> str:
    return PairingCode(url, token, bytes(range(16))).encode()


@pytest.mark.parametrize("url", URLS)
def test_what_a_camera_reads_is_the_code(url: str) -> None:
    code = _code(url)
    assert read_qr(without_quiet_zone(qr_matrix(code), QUIET)) == code
    assert PairingCode.decode(read_qr(without_quiet_zone(qr_matrix(code), QUIET))).url == url


@given(token=st.binary(min_size=10, max_size=10), path=st.text("abcXYZ019-._~", max_size=60))
@settings(max_examples=25)
def test_whatever_the_token_is_a_camera_reads_the_code(token: bytes, path: str) -> None:
    code = _code(f"https://clinic.example/x{path}", token)
    assert read_qr(without_quiet_zone(qr_matrix(code), QUIET)) == code


def test_letters_and_digits_take_less_room_than_bytes_would() -> None:
    """Version 4, of 33 modules a side: the whole code as bytes would need version 5."""
    assert len(qr_matrix(_code())) - 2 * QUIET == 33


def test_one_module_that_is_wrong_is_seen_by_the_reader() -> None:
    matrix = [list(row) for row in without_quiet_zone(qr_matrix(_code()), QUIET)]
    matrix[20][20] ^= True
    with pytest.raises(AssertionError, match="check of a block"):
        read_qr(matrix)


def test_the_picture_for_a_page_has_a_title_and_no_style() -> None:
    svg = qr_svg(_code(), "Pairing code for <Patient 17> & co")
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{_SVG}svg" and root.get("role") == "img"
    title = root.find(f"{_SVG}title")
    assert title is not None and title.text == "Pairing code for <Patient 17> & co"
    assert "style" not in svg and "script" not in svg and "href" not in svg
    matrix = qr_matrix(_code())
    assert root.get("viewBox") == f"0 0 {len(matrix)} {len(matrix)}"


def test_the_picture_for_a_page_has_the_modules_of_the_matrix() -> None:
    matrix = qr_matrix(_code())
    drawn = [[False] * len(matrix) for _ in matrix]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", qr_svg(_code(), "t")):
        for at in range(int(length)):
            drawn[int(y)][int(x) + at] = True
    assert [tuple(row) for row in drawn] == list(matrix)


def test_the_picture_for_a_printer_has_the_modules_of_the_matrix() -> None:
    with Image.open(io.BytesIO(qr_png(_code()))) as image:
        pixels = image.convert("L")
        scale = pixels.width // len(qr_matrix(_code()))
        assert scale == 8 and pixels.width == pixels.height
        for y, row in enumerate(qr_matrix(_code())):
            for x, dark in enumerate(row):
                assert (pixels.getpixel((x * scale + 3, y * scale + 3)) == 0) == dark


def test_the_picture_for_a_terminal_has_the_modules_of_the_matrix() -> None:
    matrix = qr_matrix(_code())
    lines = qr_text(_code()).split("\n")
    assert len(lines) == (len(matrix) + 1) // 2
    for number, line in enumerate(lines):
        assert line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m")
        drawn = line.removeprefix("\x1b[38;5;16;48;5;231m").removesuffix("\x1b[0m")
        assert tuple(letter in "▀█" for letter in drawn) == matrix[2 * number]
        if 2 * number + 1 < len(matrix):
            assert tuple(letter in "▄█" for letter in drawn) == matrix[2 * number + 1]
