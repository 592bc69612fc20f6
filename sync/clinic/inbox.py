"""Messages that wait to be stored: what waits together may be stored together, and a receipt exists only after that.

What a commit costs is then paid once for all of them: on a slow disk that is most of it. A file has one writer; on
PostgreSQL some are stored side by side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sync.clinic.receiver import Receiver
from sync.release import Release

_Waiting = tuple[Release, "asyncio.Future[bytes]", asyncio.AbstractEventLoop]
THREADS = {"sqlite": 1, "postgresql": 4}
AT_ONCE = {"sqlite": 64, "postgresql": 16}


class Inbox:
    """Used by a loop; its threads end with the process."""

    def __init__(self, receiver: Receiver, kind: str) -> None:
        """`kind`: of the database."""
        self._receiver = receiver
        self._at_once = AT_ONCE[kind]
        self._threads = ThreadPoolExecutor(THREADS[kind], thread_name_prefix="inbox")
        self._waiting: deque[_Waiting] = deque()

    async def receipt(self, message: bytes) -> bytes:
        """Raises ReleaseError for what is no envelope, ClinicStoreError."""
        release = Release.decode(message)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append((release, future, loop))
        self._threads.submit(self._take)
        return await future

    def _take(self) -> None:
        """As many as wait; none where another call has taken this one's along."""
        taken: list[_Waiting] = []
        with suppress(IndexError):
            while len(taken) < self._at_once:
                taken.append(self._waiting.popleft())
        results = self._receiver.take_all([release for release, _, _ in taken])
        for (_, future, loop), result in zip(taken, results, strict=True):
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(_settle, future, result)


def _settle(future: asyncio.Future[bytes], result: bytes | Exception) -> None:
    if future.done():
        return  # whoever asked is gone
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
