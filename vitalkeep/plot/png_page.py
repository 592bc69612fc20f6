"""One tall sheet as wide as A4 lies, ECG paper to scale when it is printed at 100 %."""

from __future__ import annotations

from pathlib import Path

from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.plot import ink
from vitalkeep.plot.draw_day import day_height_mm, draw_day
from vitalkeep.plot.draw_strip import draw_strip, strip_height_mm
from vitalkeep.plot.hrv_table import TITLE as HRV_TITLE
from vitalkeep.plot.hrv_table import HrvTable, hrv_table
from vitalkeep.plot.library import drawing
from vitalkeep.plot.picture import Picture
from vitalkeep.plot.poincare import draw_poincare
from vitalkeep.plot.poincare import in_words as poincare_words
from vitalkeep.plot.sheet import Sheet
from vitalkeep.plot.spectrum import draw_spectrum
from vitalkeep.plot.spectrum import in_words as spectrum_words
from vitalkeep.plot.tachogram import draw_tachogram

WIDTH_MM = 297.0
_MARGIN_MM = 13.5
_INNER_MM = WIDTH_MM - 2 * _MARGIN_MM
_LINE_MM = 4.2
_TACHOGRAM_MM, _SQUARE_MM, _AXIS_MM = 40.0, 74.0, 9.0
_HEAD_MM, _SPACE_MM = 6.0, 6.0
_MOST_COLUMNS, _MOST_ROWS = 12, 16


def save_png(shown: Picture, path: Path) -> None:
    """Raises MissingExtraError, OSError."""
    with drawing("png"):
        _sheet(shown).save_png(path)


def _sheet(shown: Picture) -> Sheet:
    table = hrv_table(shown.hrv, shown.start_ns, shown.end_s, most_columns=_MOST_COLUMNS, most_rows=_MOST_ROWS)
    small = [*shown.notes, *shown.absent]
    head_mm = 9.0 + _LINE_MM * (len(shown.facts) + 1) + 3.0
    height_mm = (
        2 * _MARGIN_MM
        + head_mm
        + day_height_mm(shown.day)
        + _SPACE_MM
        + _HEAD_MM
        + _TACHOGRAM_MM
        + _AXIS_MM
        + _SPACE_MM
        + _HEAD_MM
        + _SQUARE_MM
        + _AXIS_MM
        + _SPACE_MM
        + _table_height_mm(table)
        + _SPACE_MM
        + sum(strip_height_mm(strip, shown.kind) + _SPACE_MM for strip in shown.strips if shown.kind)
        + _LINE_MM * (len(small) + 2)
    )
    sheet = Sheet(WIDTH_MM, height_mm, paper=True)
    left, top = _MARGIN_MM, _MARGIN_MM
    sheet.text(left, top, shown.record, size=15.0, bold=True)
    top += 9.0
    for fact in shown.facts:
        sheet.text(left, top, fact, size=8.5)
        top += _LINE_MM
    sheet.text(left, top, NOT_MEDICAL, size=8.5, bold=True)
    top += _LINE_MM + 3.0

    draw_day(sheet, top, left, _INNER_MM, shown.day)
    top += day_height_mm(shown.day) + _SPACE_MM

    n, out = shown.tachogram.n, shown.tachogram.n_left_out
    sheet.text(left, top, f"RR intervals, ms ({n:,}, of which {out:,} left out of HRV)", size=8.5, bold=True)
    top += _HEAD_MM
    draw_tachogram(sheet.axes(left + 12, top, _INNER_MM - 16, _TACHOGRAM_MM), shown.tachogram, _INNER_MM - 16)
    top += _TACHOGRAM_MM + _AXIS_MM + _SPACE_MM

    right = left + 12 + _SQUARE_MM + 14
    sheet.text(left, top, "Poincaré", size=8.5, bold=True)
    sheet.text(left + 20, top + 0.1, poincare_words(shown.poincare), size=8.0)
    sheet.text(right, top, "Spectrum of NN", size=8.5, bold=True)
    sheet.text(right + 30, top + 0.1, spectrum_words(shown.spectrum), size=8.0)
    top += _HEAD_MM
    draw_poincare(sheet.axes(left + 15, top, _SQUARE_MM, _SQUARE_MM), shown.poincare)
    wide = left + _INNER_MM - 4 - (right + 15)
    draw_spectrum(sheet.axes(right + 15, top, wide, _SQUARE_MM), shown.spectrum)
    top += _SQUARE_MM + _AXIS_MM + _SPACE_MM

    _draw_table(sheet, top, left, table)
    top += _table_height_mm(table) + _SPACE_MM
    for strip in shown.strips:
        if shown.kind is not None:
            draw_strip(sheet, top, left, strip, shown.kind, shown.end_s)
            top += strip_height_mm(strip, shown.kind) + _SPACE_MM
    for line in small:
        sheet.text(left, top, line, size=8.0, color=ink.MUTED)
        top += _LINE_MM
    sheet.text(left, top + _LINE_MM / 2, LEGEND, size=7.5, color=ink.MUTED)
    return sheet


LEGEND = (
    "Strips are as recorded, unfiltered. Filled marks: beats that can be trusted; hollow: guesses in poor signal, "
    "not counted. S, V, F, Q: AAMI class where it is not N."
)


def _table_height_mm(table: HrvTable) -> float:
    return _HEAD_MM + _LINE_MM * (len(table.rows) + 2 + bool(table.left_out))


def _draw_table(sheet: Sheet, top_mm: float, left_mm: float, table: HrvTable) -> None:
    sheet.text(left_mm, top_mm, HRV_TITLE, size=8.5, bold=True)
    top_mm += _HEAD_MM
    wide_mm = min(22.0, _INNER_MM / max(1, len(table.heads)))
    if not table.rows:
        sheet.text(left_mm, top_mm, "No window.", color=ink.MUTED)
        return
    for column, (name, unit) in enumerate(table.heads):
        sheet.text(left_mm + column * wide_mm, top_mm, name, size=7.5, color=ink.MUTED)
        sheet.text(left_mm + column * wide_mm, top_mm + 3.4, unit, size=7.5, color=ink.MUTED)
    top_mm += 3.4
    half = len(table.rows) // 2
    for at, (cells, reason) in enumerate(table.rows):
        top_mm += _LINE_MM
        if table.left_out and at == half:
            sheet.text(left_mm, top_mm, f"… {table.left_out} windows between are not shown", size=7.5, color=ink.MUTED)
            top_mm += _LINE_MM
        for column, cell in enumerate(cells):
            sheet.text(left_mm + column * wide_mm, top_mm, cell, size=8.0)
        if reason is not None:
            sheet.text(left_mm + len(cells) * wide_mm, top_mm, f"no values: {reason}", size=8.0, color=ink.MUTED)
