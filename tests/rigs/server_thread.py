"""An app at a port of this machine, in a thread of this process: what a test holds in its hands, a browser can ask."""

from __future__ import annotations

import socket
import threading
from typing import Self

import uvicorn
from starlette.types import ASGIApp


class ServerThread:
    """Listens from `__enter__` to `__exit__`, on loopback alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # As sync.clinic.serve has it, but for what a test of pages has no use for.
        config = uvicorn.Config(
            app, access_log=False, log_level="error", server_header=False, date_header=False, lifespan="off", ws="none"
        )
        config.timeout_graceful_shutdown = 1
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name="server", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listening.close()
        assert not self._thread.is_alive()
