"""uvicorn's server, ended by a signal without being killed by it: whoever runs it has a database to close.

Nobody keeps a connection that does not begin TLS, and a flood of them is a line on standard error, not one for each.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn

HANDSHAKE_WITHIN_S = 10.0
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ClinicLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._has_told = False

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_WITHIN_S
        return await super().create_server(*arguments, **options)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        problem = context.get("exception")
        if not isinstance(problem, OSError) or problem.errno not in _NO_ROOM:
            super().call_exception_handler(context)
        elif not self._has_told:
            self._has_told = True
            print(f"connections wait: {problem.strerror} (told once)", file=sys.stderr, flush=True)


class ClinicServer(uvicorn.Server):
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(_is_worth_a_line)
        try:
            with asyncio.Runner(loop_factory=ClinicLoop) as runner:
                runner.run(self.serve(sockets=sockets))
        finally:
            logger.removeFilter(_is_worth_a_line)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """uvicorn's own keeps the signal, and raises it again when all is done."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not that a request was cut short because the server was told to stop."""
    return not (record.exc_info and record.exc_info[0] is asyncio.CancelledError)
