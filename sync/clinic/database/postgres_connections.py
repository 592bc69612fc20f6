"""Connections to PostgreSQL, lent to one thread at a time: at most so many, none that died while nobody looked.

Who asks connects, in its own thread: where the server is away it is told so at once and why, and where the server has
come back the next who asks finds it.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import TransactionStatus

PATIENCE_S = 5.0
PostgresConnection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class BusyError(Exception):
    """All are lent, and none came back within PATIENCE_S."""


class PostgresConnections:
    """Used by any number of threads."""

    def __init__(self, connect: Callable[[], PostgresConnection], most: int) -> None:
        self._connect = connect
        self._room = threading.BoundedSemaphore(most)
        # the last that came back goes first, so that those nobody needs rest
        self._free: list[PostgresConnection] = []
        self._lent = 0
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator[PostgresConnection]:
        """Idle, in autocommit. Raises BusyError, and what `connect` raises."""
        if not self._room.acquire(timeout=PATIENCE_S):
            raise BusyError
        with self._lock:
            self._lent += 1
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            with self._lock:
                self._lent -= 1
            self._room.release()

    def states(self) -> dict[str, int]:
        with self._lock:
            return {"idle": len(self._free), "lent": self._lent}

    def close(self) -> None:
        """Those that are lent are closed when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for connection in free:
            connection.close()

    def _take(self) -> PostgresConnection | None:
        """None where there is none that lives."""
        while True:
            with self._lock:
                if not self._free:
                    return None
                connection = self._free.pop()
            if _lives(connection):
                return connection
            connection.close()

    def _give_back(self, connection: PostgresConnection) -> None:
        with self._lock:
            if not self._closed and connection.info.transaction_status is TransactionStatus.IDLE:
                self._free.append(connection)
                return
        connection.close()


def _lives(connection: PostgresConnection) -> bool:
    """Asks the server only where something has come that nobody asked for: as a rule that is its goodbye."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    if not poll.poll(0):
        return True
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
