"""Something that happened to a model on this device, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """`number` rises by one; `t_ns`: of the host's clock; `what`: installed, promoted, rolled_back, reverted, dropped,
    pinned, released, revoked or unused."""

    number: int
    t_ns: int
    model: str
    version: str
    what: str
    reason: str
