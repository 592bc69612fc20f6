"""Runs the app with uvicorn: no access log, no name of the server, one process, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sync.clinic.app import make_app
from sync.clinic.clinic import open_clinic
from sync.clinic.clock import ClinicClock
from sync.clinic.errors import ClinicError

BACKLOG = 2048
MOST_CONNECTIONS = 1024  # at once; the others are answered 503, and come again


def serve(
    folder: Path,
    clock: ClinicClock,
    *,
    host: str,
    port: int,
    most_per_address: int,
    certificate: Path | None,
    private_key: Path | None,
    ready: Callable[[str], None],
    database_url: str | None = None,
) -> None:
    """`ready` is told the address when it is open; `port` 0: one that is free. Raises ClinicError."""
    with open_clinic(folder, clock, database_url) as clinic:
        clinic.database.flush_erased()  # of a process that was killed before it did
        _run(make_app(clinic, most_per_address=most_per_address), host, port, certificate, private_key, ready)


def _run(
    app: Starlette,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    ready: Callable[[str], None],
) -> None:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    try:
        config.load()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise ClinicError(f"{host}, port {port}: {problem.strerror or problem}") from None
    with listening:
        bound = f"[{host}]" if ":" in host else host
        ready(f"{'https' if certificate else 'http'}://{bound}:{listening.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listening])
