"""Makes the pictures of the clinic's pages that docs/clinic.md shows, of a practice that nobody has.

- python docs/make_clinic_pictures.py [FOLDER]: writes clinic-today.png and the others, into docs or FOLDER

What they show is the same each time (tests/rigs/clinic_story.py); which pixels it is made of is for Chromium and the
fonts to say, so nothing compares them.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.rigs.browser import Browser, lacking  # noqa: E402
from tests.rigs.clinic_server import ClinicServer  # noqa: E402
from tests.rigs.clinic_story import events, people  # noqa: E402
from tests.sync.clinic.browser.pages import PAGES, sign_in  # noqa: E402

COLOURS = 128
# Of the width that most readers' own has.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="pattern"><test name="family" compare="not_contains"><string>mono</string></test>
<edit name="family" mode="assign" binding="strong"><string>Liberation Sans</string></edit></match>
</fontconfig>
"""
MOST_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Picture:
    """`height`: of what is shown from the top of the page on, in CSS pixels; `page`: a name of PAGES."""

    name: str
    page: str
    width: int = 1120
    height: int = 900
    scale: float = 1.5
    phone: bool = False
    dark: bool = False


PICTURES = (
    Picture("clinic-today", "today"),
    Picture("clinic-patient", "patient", height=1150),
    Picture("clinic-cohort", "cohort", height=1000),
    Picture("clinic-privacy", "privacy", height=900),
    Picture("clinic-phone", "today", width=390, height=844, scale=2.0, phone=True, dark=True),
)


def make(folder: Path) -> None:
    everybody = people(hostile=False)
    with tempfile.TemporaryDirectory() as scratch:
        fonts = Path(scratch) / "fonts.conf"
        fonts.write_text(FONTS, encoding="utf-8")
        with (
            ClinicServer(Path(scratch) / "clinic", everybody, events(everybody)) as server,
            Browser(fonts) as browser,
        ):
            for picture in PICTURES:
                path = folder / f"{picture.name}.png"
                path.write_bytes(_drawn(browser, server, picture))
                print(f"{path}: {path.stat().st_size} bytes")


def _drawn(browser: Browser, server: ClinicServer, picture: Picture) -> bytes:
    look = {"width": picture.width, "height": picture.height, "scale": picture.scale}
    with browser.visit(server.url, **look, phone=picture.phone, dark=picture.dark) as visit:
        sign_in(visit)
        page = visit.go(PAGES[picture.page])
        page.wait_for_load_state("networkidle")
        drawn = page.screenshot(animations="disabled", caret="hide")
    made = io.BytesIO()
    # Few colours are enough for a page, and make the file a third as large.
    Image.open(io.BytesIO(drawn)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        made, "PNG", optimize=True
    )
    data = made.getvalue()
    if len(data) > MOST_BYTES:
        raise SystemExit(f"{picture.name}: {len(data)} bytes, at most {MOST_BYTES}")
    return data


if __name__ == "__main__":
    if why := lacking():
        raise SystemExit(why)
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs")
