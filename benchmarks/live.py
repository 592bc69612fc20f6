"""`vitalkeep run --device` holding straps, for as long as asked: its resident memory and its share of a core.

    python -m benchmarks.live [--devices 2] [--seconds 60]

The straps (130 Hz ECG, 200 Hz acceleration, RR) and the false org.bluez are another process and not counted; bleak,
D-Bus, the whole pipeline and the encrypted store are. The processor's time is counted from ten seconds after all
streams run; the memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.table import table
from tests.fakes.bluez import dbus_daemon

_WARM_S = 10


def cpu_s(pid: int) -> float:
    """User and system time so far, proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int, which: str) -> float:
    """`which`: VmRSS now, VmHWM the peak; in 10**6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"no {which} in /proc/{pid}/status")


def measure(devices: int, seconds: float) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="vitalkeep") as here:
        folder = Path(here)
        straps = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.straps", folder, str(devices)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert straps.stdout is not None
        address = straps.stdout.readline().strip()
        names = [part for k in range(devices) for part in ("--device", f"Polar H10 {k + 1:08d}")]
        reader = subprocess.Popen(
            [sys.executable, "-m", "vitalkeep", "run", *names, "--store", folder / "store"],
            cwd=ROOT,
            env=os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": address, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            if straps.stdout.readline().strip() != "streaming":
                raise RuntimeError("the straps were never all listened to")
            time.sleep(_WARM_S)
            began_s, before_s = time.perf_counter(), cpu_s(reader.pid)
            time.sleep(seconds)
            used_s, passed_s = cpu_s(reader.pid) - before_s, time.perf_counter() - began_s
            now_mb, peak_mb = rss_mb(reader.pid, "VmRSS"), rss_mb(reader.pid, "VmHWM")
            reader.send_signal(signal.SIGINT)
            out, _ = reader.communicate(timeout=60)
        finally:
            reader.kill()
            straps.terminate()
            straps.wait(timeout=30)
    if "bpm" not in out:
        raise RuntimeError(f"no heart rate was found: {out[:500]}")
    share = f"{100 * used_s / passed_s:.2f}"
    return [f"vitalkeep run, {devices} straps", f"{passed_s:.0f}", share, f"{now_mb:.0f}", f"{peak_mb:.0f}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    if dbus_daemon() is None:
        print("vitalkeep run --device: left out, dbus-daemon is not installed")
        return 0
    row = measure(asked.devices, asked.seconds)
    print(table(["live", "clock s", "% of a core", "MB", "peak MB"], [row]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
