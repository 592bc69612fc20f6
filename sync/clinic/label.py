"""What a clinic may call a patient: one line of text of any script, without what no eye sees."""

from __future__ import annotations

import unicodedata

MOST_LABEL = 80
# Signs of control, and those that turn the direction of the text around them; a joiner within a script may stand.
_REFUSED = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def label_fault(text: str) -> str:
    """Why it cannot be a label; empty: it can be."""
    text = text.strip()
    if len(text) > MOST_LABEL:
        return f"A label has at most {MOST_LABEL} characters; this has {len(text)}."
    if any(unicodedata.category(sign) in _REFUSED or sign in _TURNING for sign in text):
        return "A label is one line of text: it has a sign in it that is not seen."
    return ""


def read_label(text: str) -> str | None:
    """Of text without fault; None: nothing."""
    return unicodedata.normalize("NFC", text.strip()) or None
