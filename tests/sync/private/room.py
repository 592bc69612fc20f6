"""A wearer's room with a clock that tests move, days that tests make up, and clinics that have keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from device_pipeline.clock import ManualClock
from device_pipeline.day_summary import DaySummary
from sync.outbox import Outbox
from sync.private.clinics import pair
from sync.private.ledger import Clinic
from sync.private.publish import Publisher
from sync.private.registry import STATISTICS
from sync.release import Content, Release
from sync.sealing import ClinicKeys, unseal, verify

QUIET = DaySummary(date(2024, 1, 1), 0.0, 60.0, 40.0)


def quiet_day(day: date, zone: ZoneInfo) -> DaySummary | None:
    return DaySummary(day, 0.0, 60.0, 40.0)


def at(day: date) -> int:
    """Noon of `day`, UTC, in nanoseconds."""
    return round(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * 1_000_000_000


@dataclass
class FalseClinic:
    """The private half of a clinic's keys, to look into what it was sent."""

    name: str
    sealing_key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    signing_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def keys(self) -> ClinicKeys:
        return ClinicKeys(
            self.sealing_key.public_key().public_bytes_raw(), self.signing_key.public_key().public_bytes_raw()
        )

    def open(self, envelope: bytes, device_key: bytes) -> Content:
        release = Release.decode(envelope)
        verify(release, device_key)
        return unseal(release, self.sealing_key, self.keys)


@dataclass
class Room:
    folder: Path
    clock: ManualClock
    days: Callable[[date, ZoneInfo], DaySummary | None] = quiet_day

    def __post_init__(self) -> None:
        (self.folder / "store").mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "outbox").mkdir(mode=0o700, exist_ok=True)
        self.outbox = Outbox(self.folder / "outbox")
        self.publisher = self.open()

    @staticmethod
    def zone() -> ZoneInfo:
        """What the tests set TZ to."""
        return ZoneInfo("UTC")

    def open(self) -> Publisher:
        """Another process of the same wearer."""
        return Publisher(self.folder / "store", self.folder / "counter", self.clock, self.days)

    def pair(self, clinic: FalseClinic, since: date, statistics: tuple[str, ...] | None = None) -> Clinic:
        known = pair(self.publisher.account, clinic.name, "http://127.0.0.1:1", clinic.keys, self.clock.now_ns())
        for statistic in STATISTICS:
            if statistics is None or statistic.name in statistics:
                self.publisher.consents.grant(known.id, statistic, since, self.clock.now_ns())
        return known

    def answers(self) -> list[tuple[int, int, str, float]]:
        rows = self.publisher.account.rows("SELECT length_days, window, statistic, value FROM answers ORDER BY 1, 2, 3")
        return [(length, window, name, value) for length, window, name, value in rows]
