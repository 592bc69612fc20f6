"""A measured process: how long it took by the clock and by the processor, and the most memory it held."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# One core and one thread for everybody; a numerical library would start one thread per core.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Measured:
    """`cpu_s` is user and system time; `max_rss_mb` the peak resident set in 10**6 bytes."""

    wall_s: float
    cpu_s: float
    max_rss_mb: float
    stdout: str


class ChildFailedError(RuntimeError):
    """The measured process ended badly; the message is the end of what it wrote."""


def run_measured(command: Sequence[str | Path]) -> Measured:
    """Runs `command` on the first core that is ours, and waits. Raises ChildFailedError."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env=os.environ | _ONE_THREAD)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            if process.returncode != 0:
                raise ChildFailedError(f"exit code {process.returncode}: {err.read()[-2000:]}")
            # Linux counts the resident set in KiB.
            return Measured(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, out.read())
    finally:
        os.sched_setaffinity(0, mine)
