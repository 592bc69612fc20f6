"""Sends what is due, each clinic's messages in the order of their numbers, until a valid receipt for each has come.

When something is sent depends on its slot, on chance and on whether the clinic can be reached; on nothing inside. The
bytes are always the same ones, and the clinic knows a message again: however often this process is killed, or an answer
lost, it is there once. What the clinic refuses for good stays, and is told.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from sync.outbox import Message, Outbox, Peer
from sync.receipt import RECEIPT_BYTES, Receipt, ReceiptError, Status, check
from sync.release import Release
from sync.uplink.clock import UplinkClock
from sync.uplink.transport import Transport, TransportError

SECOND_NS = 1_000_000_000
FIRST_WAIT_S = 60
# Weeks offline cost four tries a day.
MOST_WAIT_S = 6 * 3600
# New messages, and what was withdrawn, are looked for so often.
LOOK_EVERY_S = 60.0


class Outcome(StrEnum):
    ARRIVED = "arrived"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sent:
    """One try. `why`: what the clinic, or the connection, said."""

    clinic: str
    sequence: int
    outcome: Outcome
    why: str


class Drain:
    def __init__(self, outbox: Outbox, transport: Transport, clock: UplinkClock) -> None:
        self._outbox = outbox
        self._transport = transport
        self._clock = clock

    def due_once(self) -> Iterator[Sent]:
        """All that is due now, once each. Raises OutboxError. Looks again before each: what was dropped is not sent."""
        tried: set[bytes] = set()
        while (head := self._next(tried)) is not None:
            message, peer = head
            tried.add(message.id)
            yield self._send(message, peer)

    def run(self) -> Iterator[Sent]:
        """Until the clock says stop. Raises OutboxError."""
        while True:
            yield from self.due_once()
            if not self._clock.sleep_s(LOOK_EVERY_S):
                return

    def _next(self, tried: set[bytes]) -> tuple[Message, Peer] | None:
        peers = {peer.id: peer for peer in self._outbox.peers()}
        waiting = (message for message in self._outbox.messages() if message.refused is None)
        for clinic, messages in groupby(waiting, key=lambda message: message.clinic):
            # The clinic takes no number that is lower than the newest: who waits lets all behind it wait.
            head = next(messages)
            if head.id not in tried and self._is_due(head):
                return head, peers[clinic]
        return None

    def _is_due(self, message: Message) -> bool:
        now_ns = self._clock.now_ns()
        # A wait longer than any can be was set by a clock that went wrong.
        waits = 0 < message.next_ns - now_ns <= 2 * MOST_WAIT_S * SECOND_NS
        return message.not_before_ns <= now_ns and not waits

    def _send(self, message: Message, peer: Peer) -> Sent:
        try:
            answer = self._transport.post(f"{peer.url}/v1/messages", message.envelope, RECEIPT_BYTES)
            receipt = Receipt.decode(answer)
            check(receipt, Release.decode(message.envelope), peer.signing)
        except (TransportError, ReceiptError) as problem:
            self._outbox.tried(message.id, self._clock.now_ns() + wait_ns(message.tries))
            return Sent(peer.name, message.sequence, Outcome.FAILED, str(problem))
        if receipt.status is Status.REFUSED:
            self._outbox.refused(message.id, receipt.reason.words)
            return Sent(peer.name, message.sequence, Outcome.REFUSED, receipt.reason.words)
        self._outbox.arrived(message.id)
        return Sent(peer.name, message.sequence, Outcome.ARRIVED, receipt.status.name.lower())


def wait_ns(tries: int) -> int:
    """After so many tries before: a minute, twice as long each time, up to six hours; chance takes or adds half."""
    wait = min(FIRST_WAIT_S << min(tries, 20), MOST_WAIT_S) * SECOND_NS
    return wait // 2 + secrets.randbelow(wait)
