"""A planted connection inside a process that called `install` is refused; what the pipeline needs works under it."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from device_pipeline import no_network

ROOT = Path(__file__).resolve().parents[2]
REFUSED = 7

CONNECTIONS = {
    "a socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "a socket of IPv6": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "a socket of no named family": "import socket, os; socket.socket(fileno=os.open('/dev/null', os.O_RDONLY))",
    "the C socket": "import _socket; _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)",
    "create_connection": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "create_server": "import socket; socket.create_server(('127.0.0.1', 0))",
    "getaddrinfo": "import socket; socket.getaddrinfo('localhost', 80)",
    "gethostbyname": "import socket; socket.gethostbyname('localhost')",
    "gethostbyaddr": "import socket; socket.gethostbyaddr('127.0.0.1')",
    "getnameinfo": "import socket; socket.getnameinfo(('127.0.0.1', 80), 0)",
    "asyncio.open_connection": "import asyncio; asyncio.run(asyncio.open_connection('127.0.0.1', 9))",
    "asyncio.start_server": "import asyncio; asyncio.run(asyncio.start_server(print, '127.0.0.1', 0))",
    "urlopen": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "http.client": "import http.client; http.client.HTTPConnection('127.0.0.1', 9).request('GET', '/')",
    "https": "import http.client; http.client.HTTPSConnection('127.0.0.1', 9).request('GET', '/')",
    "smtplib": "import smtplib; smtplib.SMTP('127.0.0.1', 9)",
    "ftplib": "import ftplib; ftplib.FTP('127.0.0.1')",
    "a thread": """
        import socket
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(1) as pool:
            pool.submit(socket.socket).result()
        """,
    "a forked process": """
        import multiprocessing, socket
        with multiprocessing.get_context('fork').Pool(1) as pool:
            pool.apply(socket.socket)
        """,
    "a spawned process with install as its initializer": """
        import multiprocessing, socket
        from device_pipeline.no_network import install
        with multiprocessing.get_context('spawn').Pool(1, initializer=install) as pool:
            pool.apply(socket.socket)
        """,
    "a connect on a socket from before": "before.connect(('127.0.0.1', 9))",
    "a bind on a socket from before": "before.bind(('127.0.0.1', 0))",
    "a datagram from a socket from before": "before.sendto(b'pulse', ('127.0.0.1', 9))",
}

WORKS = {
    "an event loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "a subprocess of an event loop": """
        import asyncio
        async def main():
            process = await asyncio.create_subprocess_exec('true')
            assert await process.wait() == 0
        asyncio.run(main())
        """,
    "a socket of AF_UNIX": """
        import socket
        one, other = socket.socketpair()
        one.sendall(b'x')
        assert other.recv(1) == b'x'
        """,
    "a server of AF_UNIX": """
        import asyncio, tempfile
        async def main():
            with tempfile.TemporaryDirectory() as folder:
                async with await asyncio.start_unix_server(lambda r, w: w.close(), folder + '/s'):
                    reader, writer = await asyncio.open_unix_connection(folder + '/s')
                    assert await reader.read() == b''
                    writer.close()
        asyncio.run(main())
        """,
    "the core stack": """
        import numpy as np, scipy.signal, sqlite3, sqlcipher3, sqlite_utils, rich.console
        sos = scipy.signal.butter(2, 0.1, output='sos')
        assert np.isfinite(scipy.signal.sosfilt(sos, np.arange(100.0))).all()
        database = sqlite_utils.Database(sqlcipher3.connect(':memory:'))
        database['beats'].insert({'t_ns': 1})
        assert database['beats'].count == 1
        """,
    "the file readers": "import wfdb, edfio",
    "a pool of processes": """
        from concurrent.futures import ProcessPoolExecutor
        with ProcessPoolExecutor(1, initializer=no_network.install) as pool:
            assert pool.submit(abs, -1).result() == 1
        """,
    "a pool of spawned processes": """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, mp_context=context, initializer=no_network.install) as pool:
            assert pool.submit(abs, -1).result() == 1
        """,
    "install a second time": "no_network.install(); assert no_network.installed()",
}


def run(code: str, folder: Path, *, hook: bool = True) -> int:
    """The exit code of `code` in a process of its own: 0 when it ended, REFUSED when the hook stopped it."""
    script = folder / "planted.py"
    script.write_text(
        "import socket, sys\n"
        "from device_pipeline import no_network\n"
        "def main(before):\n"
        f"    {'no_network.install()' if hook else 'pass'}\n"
        "    try:\n"
        f"{textwrap.indent(textwrap.dedent(code).strip(), ' ' * 8)}\n"
        "    except no_network.NetworkRefusedError as error:\n"
        "        print(error)\n"
        f"        return {REFUSED}\n"
        "    return 0\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False, timeout=60
    )
    assert done.returncode in {0, REFUSED}, done.stderr.decode()
    return done.returncode


@pytest.mark.parametrize("code", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_a_planted_connection_is_refused(code: str, tmp_path: Path) -> None:
    assert run(code, tmp_path) == REFUSED


@pytest.mark.parametrize("name", ["a socket", "the C socket", "create_server", "a bind on a socket from before"])
def test_without_the_hook_it_is_not_refused(name: str, tmp_path: Path) -> None:
    assert run(CONNECTIONS[name], tmp_path, hook=False) == 0


@pytest.mark.parametrize("code", WORKS.values(), ids=WORKS.keys())
def test_what_the_pipeline_needs_works(code: str, tmp_path: Path) -> None:
    assert run(code, tmp_path) == 0


def test_the_one_family_is_that_of_this_system() -> None:
    assert no_network._AF_UNIX == socket.AF_UNIX


def test_a_process_that_did_not_install_is_not_installed() -> None:
    assert not no_network.installed()
