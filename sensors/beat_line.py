"""Lays beat-to-beat intervals, which carry no time, along a time line: each ends its own length after the one before.

The line is held near arrival by the least delay of the last minute, by at most 2 % of an interval, and only falls off
it where intervals were lost. There a Gap stands between the readings: an interval after a Gap does not follow the one
before it.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from sensors.samples import Gap, GapReason, Quantity, Reading
from sensors.timebase import Envelope

_USUAL_CADENCE_NS = 10**9  # Heart Rate Service 1.0, 3.1.1: typically once a second
_CADENCES = 15
_SLEW, _SLEW_FAR, _FAR_NS = 0.02, 0.5, 3 * 10**9


class BeatLine:
    """One channel of intervals."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._beat_ns: int | None = None  # the last beat laid
        self._arrived_ns: int | None = None
        self._cadences: deque[int] = deque(maxlen=_CADENCES)
        self._delays = Envelope()
        self._late: tuple[int, tuple[float, ...], GapReason] | None = None
        self._due_ns: int | None = None  # of the notification that was late, and of those held up behind it
        self._broken: GapReason | None = None

    @property
    def end_ns(self) -> int | None:
        """The last beat so far."""
        return self._beat_ns

    def push(self, t_ns: int, rr_ms: tuple[float, ...]) -> list[Reading | Gap]:
        """The intervals of one notification that arrived at `t_ns`, oldest first; an interval of 0 is missing.

        After a pause in a regular stream that its intervals do not fill, the notification waits for the next one,
        which tells whether it was late (the next follows on its heels) or one before it was lost (the next comes at
        the usual pace). What was late is laid where it would have been in time.
        """
        out: list[Reading | Gap] = []
        cadence_ns = int(median(self._cadences)) if self._cadences else _USUAL_CADENCE_NS
        # one that was held up for a moment is two odd cadences, and no reason to doubt the rest
        odd = sum(abs(c - cadence_ns) >= cadence_ns // 2 for c in self._cadences)
        regular = odd <= len(self._cadences) // 4
        passed_ns = None if self._arrived_ns is None else t_ns - self._arrived_ns
        self._arrived_ns = t_ns
        on_heels = passed_ns is not None and passed_ns <= 0.6 * cadence_ns
        if self._late is not None:
            if not on_heels:
                self.interrupt(self._late[2])
                self._due_ns = None
            out += self._release()
            self._cadences.append(cadence_ns)
        elif passed_ns is not None:
            long = regular and passed_ns > 1.75 * cadence_ns
            filled = _cover(rr_ms, passed_ns - 0.75 * cadence_ns)
            if long and not filled and self._broken in (None, GapReason.SILENT):
                self._late = (t_ns, rr_ms, self._broken or GapReason.LOST_FRAME)
                self._due_ns = (t_ns - passed_ns if self._due_ns is None else self._due_ns) + cadence_ns
                self._broken = None
                return out
            if self._broken is None:
                odd_one = self._due_ns is not None or (long and len(self._cadences) > 0)
                self._cadences.append(cadence_ns if odd_one else passed_ns)
        if self._due_ns is not None:
            due_ns = self._due_ns + cadence_ns
            self._due_ns = due_ns if on_heels and due_ns < t_ns else None
            # the burst after a pause is over; where it held fewer than the pause was long, one of them was lost
            if not on_heels and t_ns - due_ns > 0.75 * cadence_ns:
                self.interrupt(GapReason.LOST_FRAME)
        return out + self._lay(t_ns, rr_ms, cadence_ns)

    def flush(self) -> list[Reading | Gap]:
        """What still waits; nobody will tell whether it was late."""
        if self._late is not None and self._late[2] is GapReason.SILENT:
            self.interrupt(GapReason.SILENT)
        self._due_ns = None
        return self._release()

    def interrupt(self, reason: GapReason) -> None:
        """What comes next does not follow; the first reason stands."""
        if self._beat_ns is not None and self._broken is None:
            self._broken = reason

    def _release(self) -> list[Reading | Gap]:
        if self._late is None:
            return []
        (t_ns, rr_ms, _), self._late = self._late, None
        return self._lay(t_ns, rr_ms, _USUAL_CADENCE_NS)

    def _lay(self, t_ns: int, rr_ms: tuple[float, ...], cadence_ns: int) -> list[Reading | Gap]:
        out: list[Reading | Gap] = []
        t_ns = t_ns if self._due_ns is None else self._due_ns
        ahead_ns = [round(rr * 1e6) for rr in rr_ms]
        for k, (rr, rr_ns) in enumerate(zip(rr_ms, ahead_ns, strict=True)):
            if rr <= 0:
                self.interrupt(GapReason.MISSING)
                continue
            remaining_ns = sum(ahead_ns[k:])
            if self._beat_ns is not None and self._broken is None:
                delay_ns = t_ns - (self._beat_ns + remaining_ns)
                least_ns = self._delays.add(t_ns, delay_ns)
                if least_ns > _FAR_NS or delay_ns - least_ns > _FAR_NS:
                    self.interrupt(GapReason.MISSING)
                else:
                    slew = _SLEW if abs(least_ns) < _FAR_NS else _SLEW_FAR
                    most_ns = round(rr_ns * slew)
                    shift_ns = max(-most_ns, min(most_ns, least_ns))
                    self._beat_ns += rr_ns + shift_ns
                    # the delays remembered are relative to a line that was moved
                    self._delays.shift(-shift_ns)
            if self._beat_ns is None or self._broken is not None:
                # half a cadence is what a beat waits for its notification on average
                start_ns = t_ns - cadence_ns // 2 - remaining_ns
                if self._beat_ns is not None and self._broken is not None:
                    start_ns = max(start_ns, self._beat_ns)
                    out.append(Gap(self._channel, self._beat_ns, start_ns, self._broken))
                self._beat_ns = start_ns + rr_ns
                self._broken = None
                self._delays.clear()
            out.append(Reading(Quantity.RR, self._channel, self._beat_ns, rr))
        return out


def _cover(rr_ms: tuple[float, ...], least_ns: float) -> bool:
    """Whether the intervals last that long, so that none can be missing; one that is missing may have lasted."""
    return any(rr <= 0 for rr in rr_ms) or sum(rr_ms) * 1e6 >= least_ns
