"""What listens beside the beats. To add one: one new file and one line here."""

from __future__ import annotations

from device_pipeline.side import MakeSide

SIDES: tuple[MakeSide, ...] = ()
