"""`vitalkeep-clinic serve` as a process of its own, on this machine alone, that can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from tests.architecture.house import ROOT


class ClinicProcess:
    """At one port for its life, so that devices find it again."""

    def __init__(self, folder: Path, *options: str, errors: Path | None = None) -> None:
        """`errors`: where its standard error goes; None: nowhere."""
        self.folder = folder
        self.errors = errors
        self._options = options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"{'https' if '--certificate' in options else 'http'}://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        command = [sys.executable, "-m", "sync.clinic", "serve", "--data", str(self.folder), "--port", str(self.port)]
        with (self.errors or Path(os.devnull)).open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, "--rate", "0", *self._options],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self.url

    @property
    def most_memory_mib(self) -> float:
        """That it has ever held."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code

    def __enter__(self) -> ClinicProcess:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()
