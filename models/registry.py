"""The models there are; what stands here is enrolled in the laws of models. To add one: its file, weights, card, a line."""

from __future__ import annotations

from pathlib import Path

from models import screen

CARDS: tuple[Path, ...] = (screen.CARD,)
