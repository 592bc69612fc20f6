"""What the clinic itself has set: from when on a figure is looked at, and how long silence is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sync.clinic.database.database import Transaction
from sync.clinic.tables.meta import Meta

MOST_NAME = 80
SHARE_PERCENT = range(5, 101)
SILENCE_DAYS = range(181)


@dataclass(frozen=True, slots=True)
class Settings:
    """`af_share_percent`: of the 28 days of a period; `silence_days`: how long a card may be overdue until its
    device is called silent; `shown_name`: at the head of pages, None: the name that wearers see."""

    af_share_percent: int = 20
    silence_days: int = 7
    shown_name: str | None = None

    def __post_init__(self) -> None:
        if self.af_share_percent not in SHARE_PERCENT or self.silence_days not in SILENCE_DAYS:
            raise ValueError(
                f"a share of {self.af_share_percent} % and {self.silence_days} days, expected {_of(SHARE_PERCENT)} %"
                f" and {_of(SILENCE_DAYS)}"
            )

    @property
    def af_share(self) -> Fraction:
        return Fraction(self.af_share_percent, 100)


def read_settings(tx: Transaction) -> Settings:
    """What was never set, or cannot be read, is as it was at first."""
    meta = Meta(tx)
    at_first = Settings()
    return Settings(
        _whole(meta.get("af_share_percent"), SHARE_PERCENT, at_first.af_share_percent),
        _whole(meta.get("silence_days"), SILENCE_DAYS, at_first.silence_days),
        meta.get("shown_name") or None,
    )


def write_settings(tx: Transaction, settings: Settings) -> None:
    meta = Meta(tx)
    meta.put("af_share_percent", str(settings.af_share_percent))
    meta.put("silence_days", str(settings.silence_days))
    meta.put("shown_name", settings.shown_name or "")


def whole_number(text: str) -> int | None:
    """Of at most four digits, as a person writes them."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _whole(text: str | None, allowed: range, otherwise: int) -> int:
    number = whole_number(text or "")
    return number if number is not None and number in allowed else otherwise


def _of(allowed: range) -> str:
    return f"{allowed.start} to {allowed.stop - 1}"
