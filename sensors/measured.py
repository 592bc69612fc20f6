"""A number that a sensor measured becomes an observation: a Point, or an Absent that says why there is none."""

from __future__ import annotations

from sensors.profile import Absent, Point
from sensors.samples import GapReason, Quantity
from sensors.wire import Measured, NoNumber


def number(value: Measured) -> int | float | None:
    """As a person writes it: 98, 8.7, or nothing."""
    if isinstance(value, NoNumber):
        return None
    return int(value) if value.is_integer() else value


def observed(
    quantity: Quantity, channel: str, value: Measured, least: float, most: float, spot: bool = False
) -> Point | Absent:
    """What lies outside [least, most] is absent; 0 where 0 lies outside is how many sensors say that they have none.

    `spot`: a measurement that stands alone, see Absent.
    """
    match value:
        case NoNumber.PLUS_INF | NoNumber.MINUS_INF:
            return Absent(channel, GapReason.OUT_OF_RANGE, spot)
        case NoNumber():
            return Absent(channel, GapReason.MISSING, spot)
    if least <= value <= most:
        return Point(quantity, channel, value)
    return Absent(channel, GapReason.OUT_OF_RANGE if value else GapReason.MISSING, spot)
