"""How long a live link waits for what before it calls it lost. All in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """`silent_s`: no data for this long on a link that should have some ends it."""

    silent_s: float = 10.0
    find_s: float = 20.0
    connect_s: float = 20.0
    let_go_s: float = 12.0  # bleak itself waits for 10
    answer_s: float = 5.0
    pair_s: float = 40.0  # the other side gives up after 30: Bluetooth Core, Vol 3 Part H 3.4
    first_retry_s: float = 0.5
    longest_retry_s: float = 5.0
    needs_you_s: float = 30.0  # where only the wearer can help, trying sooner helps nobody
    tick_s: float = 1.0
