"""A measured process: how long it took by the clock and by the processor, and the most memory it held.

It is started by a small process between, this file run as a script: Linux lets a process begin with the peak memory of
the one that started it (exec_mmap in fs/exec.c), which would add whatever the benchmark itself has loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.json")
        done = subprocess.run(
            [sys.executable, "-I", "-S", __file__, figures, *command],
            cwd=ROOT,
            env=os.environ | _ONE_THREAD,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ChildFailedError(f"exit code {done.returncode}: {done.stderr[-2000:]}")
        return Measured(**json.loads(figures.read_text()), stdout=done.stdout)


def _measure(figures: str, command: list[str]) -> int:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall_s = time.perf_counter() - began
    # Linux counts the resident set in KiB.
    rss_mb = usage.ru_maxrss * 1024 / 1e6
    Path(figures).write_text(
        json.dumps({"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "max_rss_mb": rss_mb})
    )
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_measure(sys.argv[1], sys.argv[2:]))
