"""A card as text: short lists on one line, all else as the other cards have it."""

from __future__ import annotations

import json
import re
from typing import Any

_FLAT = re.compile(r"\[\s+((?:[-\d.e]+|\"\w{1,6}\")(?:,\s+(?:[-\d.e]+|\"\w{1,6}\"))*)\s+\]")


def card_text(raw: dict[str, Any]) -> str:
    text = json.dumps(raw, indent=1, ensure_ascii=False)
    return _FLAT.sub(lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text) + "\n"
