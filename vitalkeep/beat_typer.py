"""Which model tells the kinds of beats: chosen here, where everything is put together, and handed down."""

from __future__ import annotations

from device_pipeline.beat_types import Typer


def beat_typer() -> Typer:
    """The one that ships, begun anew. Raises ModelError where it cannot be used."""
    from models.beat import BeatTyper

    return BeatTyper()
