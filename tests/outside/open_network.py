"""Runs commands where they could reach out, and counts what the far end sees: a program, started under `unshare`.

Its network namespace is joined by a virtual cable to another one, through which its default route and its resolver
lie. IPv6 is off at both ends, so that the kernel itself has nothing to say. The far end captures every frame.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE, THERE = "10.87.0.1", "10.87.0.2"
_EVERYTHING = 3  # ETH_P_ALL
SETTLE_S = 0.5


def capture(path: Path) -> None:
    """Writes the length of each frame that arrives, until it is stopped; runs at the far end."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERYTHING)) as wire, path.open("w") as out:
        wire.bind(("there", _EVERYTHING))
        out.write("ready\n")
        out.flush()
        while True:
            out.write(f"{len(wire.recv(65_536))}\n")
            out.flush()


def run(*words: str, check: bool = True) -> None:
    subprocess.run(words, check=check, stdin=subprocess.DEVNULL)


def join(folder: Path) -> subprocess.Popen[bytes]:
    """Lays the cable; gives the process that holds the far end's namespace."""
    far = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    at = ("nsenter", "--target", str(far.pid), "--net")
    mine = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{far.pid}/ns/net").readlink() == mine:
        time.sleep(0.01)
    for enter in ((), at):
        for what in ("all", "default"):
            run(*enter, "sysctl", "-qw", f"net.ipv6.conf.{what}.disable_ipv6=1", check=False)
    run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(far.pid))
    run("ip", "address", "add", f"{HERE}/24", "dev", "here")
    run(*at, "ip", "address", "add", f"{THERE}/24", "dev", "there")
    run("ip", "link", "set", "lo", "up")
    run(*at, "ip", "link", "set", "there", "up")
    run("ip", "link", "set", "here", "up")
    run("ip", "route", "add", "default", "via", THERE)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {THERE}\noptions attempts:1 timeout:1\n")
    run("mount", "--bind", str(resolver), str(Path("/etc/resolv.conf").resolve()))
    return far


def seen(path: Path) -> int:
    time.sleep(SETTLE_S)
    return len(path.read_text().splitlines()) - 1


def main(folder: Path) -> None:
    """Each line on standard input is a command (JSON); one line of JSON is printed for each: its code, frames seen."""
    far = join(folder)
    frames = folder / "frames"
    captor = subprocess.Popen(
        ["nsenter", "--target", str(far.pid), "--net", sys.executable, __file__, "capture", str(frames)]
    )
    try:
        while not (frames.exists() and frames.read_text().startswith("ready")):
            time.sleep(0.05)
        for line in sys.stdin:
            before = seen(frames)
            done = subprocess.run(json.loads(line), stdin=subprocess.DEVNULL, capture_output=True, check=False)
            print(json.dumps({"code": done.returncode, "frames": seen(frames) - before}), flush=True)
    finally:
        for process in (captor, far):
            process.kill()
            process.wait()


if __name__ == "__main__":
    if sys.argv[1] == "capture":
        capture(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
