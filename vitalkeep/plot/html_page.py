"""One page that needs nothing but itself: no script, no font, no address; what is drawn is also told in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from vitalkeep.cli.app import NOT_MEDICAL
from vitalkeep.cli.pictures import clock
from vitalkeep.plot.draw_day import day_height_mm, draw_day
from vitalkeep.plot.draw_strip import STRIP_WIDTH_MM, draw_strip, scale_words, strip_height_mm, strip_title
from vitalkeep.plot.hrv_table import TITLE as HRV_TITLE
from vitalkeep.plot.hrv_table import HrvTable, hrv_table
from vitalkeep.plot.html_style import style
from vitalkeep.plot.library import drawing
from vitalkeep.plot.picture import Picture, gap_rows
from vitalkeep.plot.png_page import LEGEND
from vitalkeep.plot.poincare import draw_poincare
from vitalkeep.plot.poincare import in_words as poincare_words
from vitalkeep.plot.sheet import Sheet, printable, with_variables
from vitalkeep.plot.spectrum import draw_spectrum
from vitalkeep.plot.spectrum import in_words as spectrum_words
from vitalkeep.plot.tachogram import LEGEND_MM, draw_tachogram
from vitalkeep.plot.time_axis import stamp

WIDE_MM, NARROW_MM = 262.0, 96.0
_MOST_GAPS = 60
_MOST_RHYTHMS = 60
# Nothing may be loaded: a page that somebody changes cannot reach out either.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_page(shown: Picture) -> str:
    """Raises MissingExtraError."""
    title = escape(printable(shown.record))
    facts = "".join(f"<li>{escape(printable(fact))}</li>" for fact in (*shown.facts, *shown.notes))
    parts = (
        _day(shown),
        _alerts(shown),
        _strips(shown),
        _intervals(shown),
        _hrv(shown),
        _rhythm(shown),
        _gaps(shown),
        _absent(shown),
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}: what vitalkeep found</title>
<style>{style()}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="warning" role="note">{escape(NOT_MEDICAL)}</p>
<ul class="facts">{facts}</ul>
<nav aria-label="On this page"><a href="#day">Whole record</a> <a href="#alerts">Alerts</a> \
<a href="#strips">Strips</a> <a href="#intervals">RR intervals</a> <a href="#hrv">HRV</a> \
<a href="#gaps">Gaps</a></nav>
</header>
<main>
{"".join(parts)}</main>
<footer><p>{escape(LEGEND)}</p><p class="warning">{escape(NOT_MEDICAL)}</p></footer>
</body>
</html>
"""


def _section(name: str, head: str, *parts: str) -> str:
    inside = "\n".join(parts)
    return (
        f'<section id="{name}" aria-labelledby="{name}-head">\n<h2 id="{name}-head">{head}</h2>\n{inside}\n</section>\n'
    )


def _svg(name: str, said: str, width_mm: float, height_mm: float, draw: Callable[[Sheet], None], size: str = "") -> str:
    with drawing(name):
        sheet = Sheet(width_mm, height_mm, paper=False)
        draw(sheet)
        svg = with_variables(sheet.svg())
    head, _, rest = svg.partition(">")
    box = head[head.index("viewBox") :].split('"')[1]
    kind = f' class="{size}"' if size in ("wide", "narrow") else f' style="width:{width_mm:g}mm"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{box}" '
        f'role="img" aria-label="{escape(said, quote=True)}"{kind}>{rest}'
    )


def _both(name: str, said: str, height_mm: float, draw: Callable[[Sheet, float], None]) -> str:
    """The same for a broad page and for a narrow one, so that letters keep their size; the page shows one of them."""
    wide = _svg(f"{name}-wide", said, WIDE_MM, height_mm, lambda sheet: draw(sheet, WIDE_MM), "wide")
    return wide + _svg(f"{name}-narrow", said, NARROW_MM, height_mm, lambda sheet: draw(sheet, NARROW_MM), "narrow")


def _day(shown: Picture) -> str:
    view = shown.day
    known = view.rate
    rate = "no heart rate could be told"
    if len(known):
        rate = f"heart rate {known.low.min():.0f} to {known.high.max():.0f} bpm"
    gaps = f"{len(view.absent)} gaps" if view.absent else "no gap"
    said = f"The whole record over {clock(view.end_s)}: {rate}, {gaps}, {len(shown.alerts)} alerts."
    return _section(
        "day",
        "The whole record",
        "<figure>",
        _both("day", said, day_height_mm(view), lambda sheet, width_mm: draw_day(sheet, 0.0, 0.0, width_mm, view)),
        f"<figcaption>{escape(said)} Hatched grey: no signal; hatched yellow: too poor to read.</figcaption>",
        "</figure>",
    )


def _alerts(shown: Picture) -> str:
    if not shown.alerts:
        return _section("alerts", "Alerts", "<p>None.</p>")
    rows = [
        (stamp(span.start_s, shown.end_s), clock(span.end_s - span.start_s), span.name, text)
        for span, text in shown.alerts
    ]
    return _section("alerts", "Alerts", _table("Alerts", ("from", "lasted", "rule", "what it says"), rows))


def _strips(shown: Picture) -> str:
    kind = shown.kind
    if kind is None or not shown.strips:
        return _section("strips", "Strips", "<p>None: this record holds no signal that was read.</p>")
    figures = []
    for number, strip in enumerate(shown.strips):
        height_mm = strip_height_mm(strip, kind, titled=False)
        title = strip_title(strip, shown.end_s)
        poor = ", ".join(dict.fromkeys(shade.reason for shade in strip.shades)) or "none"
        beats = sum(mark.trusted for mark in strip.marks)
        said = (
            f"Ten seconds of the signal: {title}; {beats} beats that can be trusted; marked as poor or absent: {poor}."
        )
        svg = _svg(
            f"strip-{number}",
            said,
            STRIP_WIDTH_MM + 1.0,
            height_mm,
            lambda sheet, strip=strip: draw_strip(sheet, 0.0, 0.5, strip, kind, shown.end_s, titled=False),  # type: ignore[misc]
        )
        figures.append(
            f'<figure class="strip"><figcaption><b>{escape(title)}</b> <span class="scale">'
            f"{escape(scale_words(strip, kind))}</span></figcaption>\n"
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title, quote=True)}">{svg}</div>'
            "</figure>"
        )
    note = "<p>On ECG paper, to scale in print at 100 %. A strip that is wider than the page scrolls.</p>"
    return _section("strips", "Strips of 10 seconds", note, *figures)


def _intervals(shown: Picture) -> str:
    n, out = shown.tachogram.n, shown.tachogram.n_left_out
    said = f"RR intervals over time: {n:,}, of which {out:,} were left out of HRV."
    tachogram = _both(
        "tachogram",
        said,
        LEGEND_MM + 49.0,
        lambda sheet, width_mm: draw_tachogram(
            sheet.axes(12.0, LEGEND_MM, width_mm - 16.0, 40.0), shown.tachogram, width_mm - 16.0
        ),
    )
    cloud_said = f"Poincaré plot, each RR interval against the one before: {poincare_words(shown.poincare)}."
    cloud = _svg(
        "poincare",
        cloud_said,
        NARROW_MM,
        NARROW_MM,
        lambda sheet: draw_poincare(sheet.axes(14.0, 2.0, NARROW_MM - 17.0, NARROW_MM - 12.0), shown.poincare),
        "narrow-always",
    )
    spectrum_said = f"Spectrum of NN intervals: {spectrum_words(shown.spectrum)}."
    spectra = ""
    for size, width_mm in (("wide", WIDE_MM - NARROW_MM - 6.0), ("narrow", NARROW_MM)):
        spectra += _svg(
            f"spectrum-{size}",
            spectrum_said,
            width_mm,
            NARROW_MM,
            lambda sheet, width_mm=width_mm: draw_spectrum(  # type: ignore[misc]
                sheet.axes(17.0, 2.0, width_mm - 20.0, NARROW_MM - 12.0), shown.spectrum
            ),
            size,
        )
    return _section(
        "intervals",
        "RR intervals",
        f"<figure>{tachogram}<figcaption>{escape(said)}</figcaption></figure>",
        f'<div class="pair"><figure class="square">{cloud}<figcaption>{escape(cloud_said)} The ellipse is of the '
        f"normal pairs; crosses are left out of it.</figcaption></figure>"
        f"<figure>{spectra}<figcaption>{escape(spectrum_said)}</figcaption></figure></div>",
    )


def _hrv(shown: Picture) -> str:
    table = hrv_table(shown.hrv, shown.start_ns, shown.end_s)
    if not table.rows:
        return _section("hrv", "Heart-rate variability", "<p>No window.</p>")
    return _section("hrv", HRV_TITLE, _hrv_rows(table))


def _hrv_rows(table: HrvTable) -> str:
    rows = []
    for cells, reason in table.rows:
        line = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        if reason is not None:
            line += (
                f'<td class="reason" colspan="{max(1, len(table.heads) - len(cells))}">no values: {escape(reason)}</td>'
            )
        rows.append(f"<tr>{line}</tr>")
    heads = [f"{name} {unit}".strip() for name, unit in table.heads]
    return _framed(HRV_TITLE, heads, rows, "numbers")


def _rhythm(shown: Picture) -> str:
    spans, left_out = gap_rows(shown.day.rhythm, _MOST_RHYTHMS)
    if not spans:
        return _section("rhythm", "Rhythm", "<p>Unknown: too few intervals in a row.</p>")
    words = {"AFIB": "irregular, of the kind atrial fibrillation makes; no diagnosis", "N": "not so"}
    rows = [(stamp(s.start_s, shown.end_s), clock(s.end_s - s.start_s), words.get(s.name, s.name)) for s in spans]
    more = f"<p>{left_out} shorter ones are not shown.</p>" if left_out else ""
    return _section("rhythm", "Rhythm", _table("Rhythm", ("from", "lasted", "rhythm"), rows), more)


def _gaps(shown: Picture) -> str:
    spans, left_out = gap_rows(shown.day.absent, _MOST_GAPS)
    poor, poor_left_out = gap_rows(shown.day.poor, _MOST_GAPS)
    untold, untold_left_out = gap_rows(shown.day.untold, _MOST_GAPS)
    told_spans = sorted(
        [(s.start_s, s.end_s, "no signal", s.name) for s in spans]
        + [(s.start_s, s.end_s, "too poor", s.name) for s in poor]
        + [(s.start_s, s.end_s, "no heart rate", s.name) for s in untold]
    )
    rows = [
        (stamp(start_s, shown.end_s), clock(end_s - start_s), what, reason)
        for start_s, end_s, what, reason in told_spans
    ]
    if not rows:
        return _section("gaps", "Gaps and poor stretches", "<p>None.</p>")
    more = left_out + poor_left_out + untold_left_out
    told = f"<p>{more} shorter ones are not shown.</p>" if more else ""
    table = _table("Gaps and poor stretches", ("from", "lasted", "what", "reason"), rows)
    return _section("gaps", "Gaps and poor stretches", table, told)


def _absent(shown: Picture) -> str:
    if not shown.absent:
        return ""
    lines = "".join(f"<li>{escape(printable(line))}</li>" for line in shown.absent)
    return _section("absent", "Not shown", f"<ul>{lines}</ul>")


def _table(name: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return _framed(
        name, heads, ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows], ""
    )


def _framed(name: str, heads: Sequence[str], rows: Sequence[str], kind: str) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    return (
        f'<div class="scroll table" tabindex="0" role="region" aria-label="{escape(name)}, table">'
        f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>"
    )
