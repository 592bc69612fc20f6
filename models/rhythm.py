"""How likely a window of RR intervals is irregular in the way of atrial fibrillation. No diagnosis."""

from __future__ import annotations

from pathlib import Path

from models.errors import CardMismatchError
from models.interpreter import Net, load
from models.rhythm_input import Floats, features

CARD = Path(__file__).with_name("weights") / "rhythm.json"


class RhythmNet:
    """Calibrated on recordings left out. `start` and `end`: the probabilities at which an episode begins and ends."""

    def __init__(self, net: Net | None = None, threads: int = 1) -> None:
        """Raises ModelError where the weights in service cannot be used, or their card tells no thresholds."""
        self._net = net if net is not None else load(CARD, threads)
        card = self._net.card
        missing = [name for name in ("start", "end") if name not in card.thresholds]
        if missing:
            raise CardMismatchError(f"{card.name} {card.version}: no threshold {missing[0]!r}, one is expected")

    @property
    def name(self) -> str:
        return self._net.card.name

    @property
    def version(self) -> str:
        return self._net.card.version

    @property
    def start(self) -> float:
        return self._net.card.thresholds["start"]

    @property
    def end(self) -> float:
        return self._net.card.thresholds["end"]

    def probability(self, rr_s: Floats) -> float:
        """`rr_s`: LEAST to WINDOW intervals in seconds, oldest first, early beats and all.

        Raises ValueError for another number of them, or one that is not above 0.
        """
        return float(self._net(features=features(rr_s))[0])
