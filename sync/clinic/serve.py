"""Runs the app with uvicorn: no access log, no name of the server, one process, until it is told to stop."""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sync.clinic.app import make_app
from sync.clinic.backup.erasure import erase_keys
from sync.clinic.clinic import open_clinic
from sync.clinic.clock import ClinicClock
from sync.clinic.connection import behind
from sync.clinic.desk.peer import Network, network
from sync.clinic.desk.proxy import ProxySignIn
from sync.clinic.errors import ClinicError

BACKLOG = 2048
MOST_HEAD_BYTES = 32 * 1024
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
    proxy_header: str | None = None,
    proxy_addresses: Sequence[str] = (),
) -> None:
    """`ready` is told the address when it is open; `port` 0: one that is free. Raises ClinicError.

    `proxy_header`: where the proxy at one of `proxy_addresses` says who is signed in; None: passwords sign in.
    """
    proxies = [network(address) for address in proxy_addresses]
    proxy = None if proxy_header is None else ProxySignIn.of(proxy_header, proxies)
    with open_clinic(folder, clock, database_url) as clinic:
        clinic.database.flush_erased()  # of a process that was killed before it did
        erase_keys(clinic)
        app = make_app(clinic, most_per_address=most_per_address, proxy=proxy, proxies=proxies)
        _run(app, host, port, certificate, private_key, ready, proxies)


def _make_room() -> None:
    """For as many connections as are taken: most systems give a process 1024 files at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST_CONNECTIONS
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _run(
    app: ASGIApp,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    ready: Callable[[str], None],
    proxies: Sequence[Network],
) -> None:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",  # what strangers send is not worth a line
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        http=behind(proxies),
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        proxy_headers=False,  # desk/peer.py reads them, and keeps the address of the connection
        limit_concurrency=MOST_CONNECTIONS,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    _make_room()
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
