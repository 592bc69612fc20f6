"""A picture and a page: whole, the same every time, loading nothing, and saying in words what is drawn."""

from __future__ import annotations

import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.vitalkeep.command import RECORDINGS
from tests.vitalkeep.plot.records import STRAP, heart, record, shown, window
from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.plot.html_page import html_page
from vitalkeep.plot.ink import NAMES
from vitalkeep.plot.picture import picture
from vitalkeep.plot.png_page import save_png

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page is made of; `open` is empty at the end of a page whose every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return html_page(shown(STRAP))


def test_the_page_is_whole_and_its_ids_are_its_own(page: str) -> None:
    read = Page(page)
    assert read.open == []
    ids = [attrs["id"] for _, attrs in read.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = {"#" + str(name) for name in ids}
    links = {str(attrs["href"]) for tag, attrs in read.seen if tag == "a"}
    assert links <= named
    assert {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", page)} <= named
    assert set(re.findall(r'xlink:href="(#[^"]+)"', page)) <= named


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    named = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, not places
    assert set(re.findall(r"[a-z]+://[^\s\"')<]+", page)) == named
    tags = {tag for tag, _ in Page(page).seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "foreignobject", "image"}
    assert not re.search(r"@import|@font-face|\son\w+=|javascript:", page)
    assert "default-src 'none'" in page


def test_every_colour_of_a_drawing_follows_the_reader(page: str) -> None:
    drawings = page[page.index("</style>") :]
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawings)) == set()
    assert set(re.findall(r"var\(--([a-z-]+)\)", drawings)) <= {name for name, _ in NAMES.values()}
    # a variable is heard in a style; in an attribute of a drawing not everywhere
    assert not re.search(r'(fill|stroke)="var', drawings)


def test_every_drawing_says_in_words_what_it_shows(page: str) -> None:
    drawings = [attrs for tag, attrs in Page(page).seen if tag == "svg"]
    assert len(drawings) == 7 + len(shown(STRAP).strips)
    assert all(attrs["role"] == "img" and len(attrs["aria-label"] or "") > 40 for attrs in drawings)
    assert "heart rate 56 to 150 bpm" in page


def test_whatever_scrolls_can_be_reached_with_the_keyboard(page: str) -> None:
    scrolled = [attrs for tag, attrs in Page(page).seen if "scroll" in (attrs.get("class") or "")]
    assert len(scrolled) > 8
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in scrolled)


def test_the_page_says_what_it_is_not_and_what_is_missing(page: str) -> None:
    words = " ".join(Page(page).words)
    assert words.count(NOT_MEDICAL) == 2
    for text in ("off body", "link lost", "noise", "Temperature: not in this record.", "no values: too few beats"):
        assert text in words
    assert ">None<" not in page
    assert not re.search(r"\b(nan|inf)\b", page, re.IGNORECASE)


def test_the_page_is_the_same_every_time(page: str) -> None:
    assert html_page(shown(STRAP)) == page
    assert not re.search(r"20\d\d-\d\d-\d\dT", page)


def test_a_record_without_a_signal_says_so_and_has_no_strip() -> None:
    text = html_page(shown(RECORDINGS / "rr_strap.jsonl.gz"))
    assert "None: this record holds no signal that was read." in text
    assert "ECG paper" not in text


def test_what_a_record_is_called_cannot_write_into_the_page() -> None:
    analysis, trace = record(heart([0.8] * 10), [window(0, 10, told=False)], 10)
    analysis.record = '<script>$x^2$</script>"\x07'
    analysis.notes = ["a & b <i>"]
    analysis.channel = None
    text = html_page(picture(analysis, trace, None))  # type: ignore[arg-type]  # without a signal nothing is read
    assert "<script" not in text
    assert "&lt;script&gt;$x^2$&lt;/script&gt;" in text
    assert "<i>" not in text


def test_a_record_in_which_nothing_was_found_is_drawn_too(tmp_path: Path) -> None:
    analysis, trace = record([], [], 0)
    analysis.record = "心電図 $\\frac"
    view = picture(analysis, trace, None)  # type: ignore[arg-type]
    save_png(view, tmp_path / "empty.png")
    assert (tmp_path / "empty.png").read_bytes().startswith(b"\x89PNG")
    assert "no heart rate could be told" in html_page(view)


def test_the_picture_is_to_scale_and_carries_nothing_but_itself(tmp_path: Path) -> None:
    view = shown(RECORDINGS / "wrist_ppg.csv")
    save_png(view, tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    chunks = []
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    assert {name for name, _ in chunks} == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}  # no text, no time
    (size,) = (body for name, body in chunks if name == b"pHYs")
    per_m, _, unit = struct.unpack(">IIB", size)
    width, _ = struct.unpack(">II", chunks[0][1][:8])
    assert unit == 1
    assert width / per_m * 1000 == pytest.approx(297, abs=0.5)
