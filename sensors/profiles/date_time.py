"""Date Time, seven bytes as the characteristics that carry one hold it: the device's own calendar, without a zone.

Source: Bluetooth SIG, GATT Specification Supplement, "Date Time". Year, month and day 0 are unknown; hour 0 is
midnight.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.wire import Cursor, Writer


@dataclass(frozen=True, slots=True)
class DateTime:
    """As it was sent: a device whose clock is wrong has measured all the same."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int

    @classmethod
    def read(cls, cursor: Cursor) -> DateTime:
        return cls(cursor.u16(), *(cursor.u8() for _ in range(5)))

    def write(self, out: Writer) -> None:
        out.u16(self.year)
        for value in (self.month, self.day, self.hour, self.minute, self.second):
            out.u8(value)

    @property
    def possible(self) -> bool:
        """Each part is in the range that the specification gives it."""
        return (
            (self.year == 0 or 1582 <= self.year <= 9999)
            and self.month <= 12
            and self.day <= 31
            and self.hour <= 23
            and self.minute <= 59
            and self.second <= 59
        )

    @property
    def iso(self) -> str | None:
        """ISO 8601 without a zone, 0 for what is unknown; None where it is no date at all."""
        if not self.possible:
            return None
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}T{self.hour:02d}:{self.minute:02d}:{self.second:02d}"
