"""One connection to the clinic: whoever takes too long to ask, or to read the answer, makes room for the others.

uvicorn has no limit of its own on how slowly a request may come, or an answer be taken: a thousand connections that
never finish one would be all it has. How many there may be is listening.py's; bodies have their limits where they are
read (wire.py, desk/form.py).
"""

from __future__ import annotations

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_WITHIN_S = 15.0
# Of an answer that waits for its reader, at least so much is taken in each such time: 2 KiB/s.
READ_WITHIN_S = 30.0
LEAST_READ_BYTES = 64 * 1024
# asyncio lets TLS gather eight times as much before it says that nobody reads.
MOST_UNREAD_BYTES = 64 * 1024
# Once the server was told to stop.
STOP_WITHIN_S = 10.0


class ClinicConnection(H11Protocol):
    _deadline: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does it only where a socket says its protocol, which those of socket.create_server do not: without it
        # each answer on a connection that stays waits for 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(MOST_UNREAD_BYTES)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_watching()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        self._stop_watching()
        super().resume_writing()

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(STOP_WITHIN_S, self.transport.abort)

    def _is_at_work(self) -> bool:
        """A whole head of a request is here, its answer is not done, and nobody has given up on it."""
        return self.cycle is not None and not self.cycle.response_complete and not self.transport.is_closing()

    def _await_request(self) -> None:
        """Or, where the connection is to be closed, that the last of the answer was read."""
        self._stop_waiting()
        unread = self.transport.get_write_buffer_size()
        self._deadline = self.loop.call_later(READ_WITHIN_S if unread else HEADERS_WITHIN_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_at_work() or self.flow.write_paused:
            self._await_request()
            return
        if self.conn.our_state is h11.IDLE:
            self.conn.send(h11.ConnectionClosed())
        self.transport.abort()

    def _await_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._reader = self.loop.call_later(READ_WITHIN_S, self._require_read, unread)

    def _stop_watching(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _require_read(self, unread: int) -> None:
        self._reader = None
        if unread - self.transport.get_write_buffer_size() < LEAST_READ_BYTES:
            self.transport.abort()
        else:
            self._await_reader()
