"""Colours that the colour-blind tell apart (Okabe and Ito 2008), each with its partner on a dark page.

A colour never says anything alone: what is poor or absent is hatched as well and named in words.
"""

from __future__ import annotations

PAPER = "#ffffff"
INK = "#1b1f24"
MUTED = "#59636e"
RULE = "#d4d9df"
LINE = "#0072b2"  # what is measured
BAND = "#a9d0ea"  # how far it ranged
GOOD = "#7cc8ae"
POOR = "#e69f00"
POOR_PAPER = "#fdf0d2"
ABSENT = "#8c96a1"
ABSENT_PAPER = "#e9ecef"
IRREGULAR = "#d55e00"
REGULAR = "#cfe3f1"
OTHER = "#aa4499"  # what is left out, or no normal beat
SECOND = "#009e73"
GRID_FINE = "#f9e1dc"  # ECG paper, 1 mm
GRID_BOLD = "#efb9ae"  # ECG paper, 5 mm
TRACE = "#10141a"

# The page's own variable for each colour, and what it is in the dark.
NAMES = {
    PAPER: ("paper", "#14181d"),
    INK: ("ink", "#e8ebef"),
    MUTED: ("muted", "#a3adb8"),
    RULE: ("rule", "#343c45"),
    LINE: ("line", "#5cb3e8"),
    BAND: ("band", "#1f4f6d"),
    GOOD: ("good", "#2f8a6c"),
    POOR: ("poor", "#e9b44c"),
    POOR_PAPER: ("poor-paper", "#3b311a"),
    ABSENT: ("absent", "#7d8894"),
    ABSENT_PAPER: ("absent-paper", "#262c33"),
    IRREGULAR: ("irregular", "#f0814a"),
    REGULAR: ("regular", "#2a4254"),
    OTHER: ("other", "#dd8acb"),
    SECOND: ("second", "#3cc79b"),
    GRID_FINE: ("grid-fine", "#2e2322"),
    GRID_BOLD: ("grid-bold", "#573a36"),
    TRACE: ("trace", "#f4f6f8"),
}
