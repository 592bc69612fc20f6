"""Sample counts to time: beats are found on a running count of samples, and told in nanoseconds."""

from __future__ import annotations

from collections import deque

from sensors.samples import Samples


class Timeline:
    """Knows the time of every sample since the last `forget`; independent of how blocks were cut."""

    def __init__(self) -> None:
        # (count of its first sample, an empty block that keeps the anchor)
        self._pieces: deque[tuple[int, Samples]] = deque()
        self.count = 0

    def add(self, block: Samples) -> None:
        """Appends a block that follows directly on the one before."""
        if self._pieces:
            start, last = self._pieces[-1]
            same_clock = (last.anchor_ns, last.step_ns) == (block.anchor_ns, block.step_ns)
            if not (same_clock and block.offset - last.offset == self.count - start):
                self._pieces.append((self.count, block.cut(0, 0)))
        else:
            self._pieces.append((self.count, block.cut(0, 0)))
        self.count += len(block)

    def t_ns(self, index: float) -> int:
        """Time of sample `index` (fractions lie between samples). A time before what is remembered is extrapolated."""
        piece = self._pieces[0]
        for candidate in reversed(self._pieces):
            if candidate[0] <= index:
                piece = candidate
                break
        return piece[1].t_ns(index - piece[0])

    def forget(self, before: int) -> None:
        """Drops what is needed only for samples before the count `before`."""
        while len(self._pieces) > 1 and self._pieces[1][0] <= before:
            self._pieces.popleft()
