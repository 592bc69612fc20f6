"""The models there are; what stands here is enrolled in their laws. To add one: its file, weights, card, and a line."""

from __future__ import annotations

from pathlib import Path

from models import screen

CARDS: tuple[Path, ...] = (screen.CARD,)
