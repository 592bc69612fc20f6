"""Runs the app with uvicorn: no access log, no name of the server, one process, until it is told to stop."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sync.clinic.app import make_app
from sync.clinic.backup.erasure import finish_erasing
from sync.clinic.clinic import open_clinic
from sync.clinic.clock import ClinicClock
from sync.clinic.connection import STOP_WITHIN_S, ClinicConnection
from sync.clinic.desk.peer import LOOPBACK, Network, network
from sync.clinic.desk.proxy import ProxySignIn
from sync.clinic.errors import ClinicError
from sync.clinic.listening import BACKLOG, ListeningSocket
from sync.clinic.server import ClinicServer
from sync.clinic.tables.pairings import Pairings

MOST_HEAD_BYTES = 32 * 1024
MOST_CONNECTIONS = 1024  # at once; the others are answered 503, and come again
MOST_OPEN = MOST_CONNECTIONS + 256  # those that are still to begin TLS, or to be answered 503, too; others are closed
OTHER_FILES = 256  # of the database, the pages, and Python


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
    """Returns when SIGTERM or SIGINT ended it. Raises ClinicError.

    `ready` is told the address when it is open; `port` 0: one that is free.

    `proxy_header`: where the proxy at one of `proxy_addresses` says who is signed in; None: passwords sign in.
    """
    proxies = [network(address) for address in proxy_addresses]
    proxy = None if proxy_header is None else ProxySignIn.of(proxy_header, proxies)
    with open_clinic(folder, clock, database_url) as clinic:
        with clinic.database.writing() as tx:
            Pairings(tx).drop_old(clock.today())
        finish_erasing(clinic)  # of a process that was killed before it did
        app = make_app(clinic, most_per_address=most_per_address, proxy=proxy, proxies=proxies)
        _run(app, host, port, certificate, private_key, ready, proxies)


def _make_room() -> int:
    """How many connections there is room for: most systems give a process 1024 files at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN + OTHER_FILES
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    have = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if have != resource.RLIM_INFINITY and soft > have:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST_OPEN, max(soft - OTHER_FILES, soft // 4))


def _run(
    app: ASGIApp,
    host: str,
    port: int,
    certificate: Path | None,
    private_key: Path | None,
    ready: Callable[[str], None],
    proxies: Sequence[Network],
) -> None:
    config = _configured(app, certificate, private_key)
    server = ClinicServer(config)
    try:
        listening = ListeningSocket.at(host, port, most=_make_room(), spoken_for=(*LOOPBACK, *proxies))
    except OSError as problem:
        raise ClinicError(f"{host}, port {port}: {problem.strerror or problem}") from None
    except UnicodeError:  # of a name that no bytes can be made of
        raise ClinicError(f"{host!a}: can be no address to listen at") from None
    # Around all of it: a signal between the first line and the first connection ends it in the same way.
    with listening, server.capture_signals():
        bound = f"[{host}]" if ":" in host else host
        ready(f"{'https' if certificate else 'http'}://{bound}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


def _configured(app: ASGIApp, certificate: Path | None, private_key: Path | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",  # what strangers send is not worth a line
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        http=ClinicConnection,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        proxy_headers=False,  # desk/peer.py reads them, and keeps the address of the connection
        limit_concurrency=MOST_CONNECTIONS,
        backlog=BACKLOG,
        # A moment after the connections themselves have given up, for what runs without one.
        timeout_graceful_shutdown=int(STOP_WITHIN_S) + 2,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    for file in (certificate, private_key):
        if file is not None:
            _require_readable(file)
    try:
        config.load()
    except OSError as problem:  # ssl.SSLError is one, and names no file
        told = problem.strerror or problem
        raise ClinicError(f"{certificate} and {private_key}: no certificate and its key ({told})") from None
    return config


def _require_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as problem:
        raise ClinicError(f"{file}: {problem.strerror or problem}") from None
