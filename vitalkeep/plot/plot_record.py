"""One record into one file: a picture or a page, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from vitalkeep.analysis import Analysis
from vitalkeep.plot.picture import picture
from vitalkeep.plot.trace import Trace


def plot_record(out: Path, path: Path, fs_hz: float | None, analysis: Analysis, trace: Trace) -> None:
    """Draws the analysis of the record at `path`, and what `trace` saw of it, into `out` (.png or .html).

    Raises MissingExtraError, SensorError where the record cannot be read again, OSError where `out` cannot be written.
    """
    from sensors.files.open import open_source

    shown = picture(analysis, trace, open_source(path, fs_hz))
    if out.suffix.lower() == ".png":
        from vitalkeep.plot.png_page import save_png

        _write(out, lambda part: save_png(shown, part))
    else:
        from vitalkeep.plot.html_page import html_page

        page = html_page(shown)
        _write(out, lambda part: part.write_text(page, encoding="utf-8"))


def _write(out: Path, write: Callable[[Path], object]) -> None:
    """Beside its place first, so that what stood there stays until the new one is whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(out)
    except OSError as problem:
        raise OSError(problem.errno, problem.strerror or type(problem).__name__, str(out)) from problem
    finally:
        part.unlink(missing_ok=True)
