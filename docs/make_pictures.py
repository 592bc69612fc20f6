"""Makes what the README shows: the live view, a plot of a record, what its commands print. The same bytes each time.

- python docs/make_pictures.py: writes docs/live-view.svg, docs/analyze-plot.svg and the console blocks of README.md
- python docs/make_pictures.py --check: writes nothing; exit code 1 if one of them is out of date

A console block is ```console, a line `$ vitalkeep …`, and what that prints in UTC on 80 columns. `.demo` in it stands
for the store that `make demo` makes.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import tempfile
import time
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from device_pipeline.config import Limits
from device_pipeline.run import Pipeline
from sensors.files.open import open_source
from sensors.reader import Reader
from sensors.recording import Recording
from vitalkeep.analysis import analyze_path
from vitalkeep.cli.app import app
from vitalkeep.cli.live_view import LiveView
from vitalkeep.plot.draw_day import day_height_mm, draw_day
from vitalkeep.plot.draw_strip import STRIP_WIDTH_MM, draw_strip, strip_height_mm
from vitalkeep.plot.library import drawing
from vitalkeep.plot.picture import picture as record_picture
from vitalkeep.plot.sheet import Sheet
from vitalkeep.plot.tachogram import draw_tachogram
from vitalkeep.plot.trace import Trace

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "live-view.svg"
PLOT = ROOT / "docs" / "analyze-plot.svg"
RECORDING = ROOT / "fixtures" / "recordings" / "chest_strap.jsonl.gz"
MOMENT_S = 612.0  # of the recording: in the episode of atrial fibrillation, after the tachycardia
WIDTH, HEIGHT = 96, 30

THEME = TerminalTheme(
    (18, 22, 28),
    (214, 220, 228),
    [
        (18, 22, 28),
        (240, 92, 92),
        (94, 206, 136),
        (232, 190, 92),
        (97, 155, 230),
        (190, 130, 220),
        (86, 190, 196),
        (214, 220, 228),
    ],
)

# No font is loaded from anywhere: the reader's own monospaced one is taken.
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 21px; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />\
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def view_at(moment_s: float, width: int = WIDTH, height: int = HEIGHT) -> LiveView:
    """The view of the recording as it stands `moment_s` after its beginning."""
    recording = Recording(RECORDING)
    limits = Limits()
    # No variable of the environment may change the picture.
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, _environ={})
    view = LiveView(recording.device.name, 1.0, limits, console, now_s=lambda: 0.0)
    reader, pipeline = Reader(recording.device), Pipeline(limits)
    first_ns: int | None = None
    for event in recording.events():
        first_ns = event.t_ns if first_ns is None else first_ns
        if event.t_ns - first_ns > moment_s * 1e9:
            break
        for item in reader.push(event):
            view.item(item)
            for finding in pipeline.push(item):
                view.finding(finding)
    return view


def picture() -> str:
    view = view_at(MOMENT_S)
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        height=HEIGHT,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    console.print(view.picture())
    return console.export_svg(
        title="vitalkeep run", theme=THEME, code_format=FORMAT, font_aspect_ratio=0.632, unique_id="live"
    )


def plot() -> str:
    """The head of what `analyze --plot` draws of the recording, and the strip of its irregular rhythm."""
    trace = Trace()
    analysis = analyze_path(RECORDING, limits=Limits(), watcher=trace)
    shown = record_picture(analysis, trace, open_source(RECORDING))
    assert shown.kind is not None
    strip = next(strip for strip in shown.strips if "alert: irregular rhythm" in strip.choice.why)
    width_mm, edge_mm = STRIP_WIDTH_MM + 10.0, 5.0
    day_mm, strip_mm = day_height_mm(shown.day), strip_height_mm(strip, shown.kind)
    with drawing("readme"):
        sheet = Sheet(width_mm, 2 * edge_mm + 8.0 + day_mm + 66.0 + strip_mm, paper=True)
        sheet.text(edge_mm, edge_mm, f"{shown.record}: {shown.facts[0]}", size=9.0, bold=True)
        top_mm = edge_mm + 8.0
        draw_day(sheet, top_mm, edge_mm, STRIP_WIDTH_MM, shown.day)
        top_mm += day_mm + 6.0
        sheet.text(edge_mm, top_mm, "RR intervals, ms", bold=True)
        inner_mm = STRIP_WIDTH_MM - 16.0
        draw_tachogram(sheet.axes(edge_mm + 12.0, top_mm + 6.0, inner_mm, 40.0), shown.tachogram, inner_mm)
        draw_strip(sheet, top_mm + 60.0, edge_mm, strip, shown.kind, shown.end_s)
        return sheet.svg() + "\n"


def printed(command: str, demo_store: Path) -> str:
    """What the command line prints, on standard output."""
    words = [str(demo_store) if word == ".demo" else word for word in shlex.split(command)]
    result = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, words[1:])
    if result.exit_code:
        raise RuntimeError(f"{command}: exit code {result.exit_code}") from result.exception
    return "\n".join(line.rstrip() for line in result.stdout.rstrip().splitlines())


def readme(text: str) -> str:
    """The README with what its commands print now."""
    with tempfile.TemporaryDirectory() as folder:
        demo_store = Path(folder) / "demo"
        run = f"vitalkeep run --speed max --no-view --replay {RECORDING} --store {demo_store}"
        printed(run, demo_store)
        return re.sub(
            r"```console\n\$ (.*)\n(?:(?!```).*\n)*```",
            lambda block: f"```console\n$ {block[1]}\n{printed(block[1], demo_store)}\n```",
            text,
        )


def main(arguments: list[str]) -> int:
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.chdir(ROOT)
    made = {PICTURE: picture(), PLOT: plot(), README: readme(README.read_text(encoding="utf-8"))}
    same = True
    for path, text in made.items():
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            same = False
            print(f"{path.name} is out of date: python docs/make_pictures.py")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
