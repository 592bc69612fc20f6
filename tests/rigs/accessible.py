"""What stands in the way of somebody who sees, hears, points or reads otherwise: axe-core's rules, and what they miss.

A page's own content security policy stays in force: axe is put in as the debugger does it, and a style sheet through
the object model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Success criterion 1.4.12: what a reader may set, and nothing may be lost by it.
SPACED = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""


def violations(page: Page) -> list[str]:
    """One line for each element that breaks a rule."""
    page.evaluate(AXE_SCRIPT)
    options = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"]}
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    assert len(found["passes"]) > 10, "axe looked at next to nothing"
    return [
        f"{rule['id']}: {node['target']} {node['html'][:120]}: {node.get('failureSummary', '')[:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def space_text(page: Page) -> None:
    page.evaluate(
        """text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }""",
        SPACED,
    )


def overflow(page: Page, *, paper: bool = False) -> list[str]:
    """What makes the page wider than its window, and text that is cut off: all should be read by scrolling down.

    `paper`: where nothing scrolls.
    """
    told: list[str] = page.evaluate(_OVERFLOW, paper)
    return told


def charts(page: Page) -> list[str]:
    """What is wrong with the drawings: text out of the picture, or two texts on top of each other."""
    told: list[str] = page.evaluate(_CHARTS)
    return told


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the keyboard is. `outline`: how many pixels wide the ring around it is; `seen`: it lies in the window."""

    tag: str
    name: str
    href: str
    outline: float
    seen: bool
    top: float
    left: float


def stop(page: Page) -> Stop:
    told = page.evaluate(_STOP)
    return Stop(**told)


def tab_to(page: Page, name: str, most: int = 60, key: str = "Tab") -> list[Stop]:
    """Presses Tab until what is named `name` has the keyboard; all stops on the way, it included."""
    stops: list[Stop] = []
    for _ in range(most):
        page.keyboard.press(key)
        stops.append(stop(page))
        if stops[-1].name == name:
            return stops
    raise AssertionError(f"{name!r} cannot be reached; on the way: {[each.name for each in stops]}")


_OVERFLOW = """paper => {
  const told = [], width = document.documentElement.clientWidth;
  const name = e => `${e.tagName.toLowerCase()}.${e.getAttribute('class') || ''} ${e.textContent.trim().slice(0, 40)}`;
  if (document.scrollingElement.scrollWidth > width) {
    told.push(`the page is ${document.scrollingElement.scrollWidth} wide, the window ${width}`);
    for (const e of document.body.querySelectorAll('*'))
      if (e.getBoundingClientRect().right > width + 1 && !e.closest('.unseen')) told.push(`sticks out: ${name(e)}`);
  }
  for (const e of document.body.querySelectorAll('*')) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (e.closest('svg') || e.matches('input, textarea, select') || box.width <= 1 || box.height <= 1) continue;
    const hides = value => value === 'hidden' || value === 'clip' || paper && value !== 'visible';
    if (hides(style.overflowX) && e.scrollWidth > e.clientWidth + 1) told.push(`cut off at the side: ${name(e)}`);
    if (hides(style.overflowY) && e.scrollHeight > e.clientHeight + 1) told.push(`cut off below: ${name(e)}`);
  }
  return told;
}"""

_CHARTS = """() => {
  const told = [];
  for (const svg of document.querySelectorAll('svg:not(svg svg)')) {
    const own = svg.getBoundingClientRect();
    if (own.width === 0) continue;
    // Marks along its axes may stand around it, within what the drawing stands in.
    const frame = getComputedStyle(svg).overflow === 'visible' ? svg.parentElement.getBoundingClientRect() : own;
    const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent.trim(), e.getBoundingClientRect()])
      .filter(([words, box]) => words && box.width > 0);
    for (const [words, box] of texts)
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1
          || box.bottom > frame.bottom + 1) told.push(`out of its picture: ${words}`);
    texts.forEach(([words, a], i) => texts.slice(i + 1).forEach(([others, b]) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 3) told.push(`on top of each other: ${words} | ${others}`);
    }));
  }
  return told;
}"""

_STOP = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const labelled = (e.getAttribute('aria-labelledby') || '').split(' ').map(i => document.getElementById(i))
    .filter(x => x).map(x => x.textContent.trim()).join(' ');
  const label = e.labels && e.labels.length ? e.labels[0].textContent.trim() : '';
  const words = e.getAttribute('aria-label') || labelled || label || e.textContent.trim() || e.value || '';
  return {
    tag: e.tagName.toLowerCase(), name: words.replace(/\\s+/g, ' '), href: e.getAttribute('href') || '',
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth && box.width > 1,
    top: box.top + scrollY, left: box.left + scrollX,
  };
}"""
