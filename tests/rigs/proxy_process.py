"""Caddy and nginx as processes of their own, with the configuration that the documentation prints, on this machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.architecture.house import ROOT

_PATH = "/usr/sbin:/usr/bin:/usr/local/bin"
PAGE = ROOT / "docs" / "clinic-sign-in.md"


def documented(kind: str) -> list[str]:
    """The blocks of this kind, in the order of the page."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def is_installed(kind: str) -> bool:
    return shutil.which(kind, path=_PATH) is not None


class ProxyProcess:
    """`kind`: caddy or nginx; in `folder` lie chain.pem, key.pem and staff.htpasswd; `to`: the clinic's port."""

    def __init__(self, kind: str, block: str, folder: Path, to: int) -> None:
        self._kind = kind
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        block = block.replace("127.0.0.1:8443", f"127.0.0.1:{to}")
        write = self._caddy if kind == "caddy" else self._nginx
        self._command = write(block)
        self._process: subprocess.Popen[bytes] | None = None

    def _caddy(self, block: str) -> list[str]:
        tls = f"tls {self._folder}/chain.pem {self._folder}/key.pem"
        block = block.replace("clinic.example {", f"{self.url} {{\n{tls}", 1)
        path = self._folder / "Caddyfile"
        path.write_text("{\nadmin off\nauto_https off\nskip_install_trust\n}\n" + block)
        return ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]

    def _nginx(self, block: str) -> list[str]:
        block = block.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;")
        path = self._folder / "nginx.conf"
        kept = "".join(
            f"{name}_temp_path {self._folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        path.write_text(
            f"user root;\ndaemon off;\npid {self._folder}/pid;\nerror_log {self._folder}/errors;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{kept}{block}}}\n"
        )
        return ["nginx", "-p", str(self._folder), "-c", str(path), "-e", str(self._folder / "errors")]

    def __enter__(self) -> Self:
        home = {
            "HOME": str(self._folder),
            "XDG_DATA_HOME": str(self._folder),
            "PATH": _PATH,
        }
        with (self._folder / "told").open("wb") as told:
            self._process = subprocess.Popen(self._command, env=home, stdout=told, stderr=told)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert self._process.poll() is None, (self._folder / "told").read_text()
                time.sleep(0.1)
        raise AssertionError(f"{self._kind} does not listen")

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=30)
