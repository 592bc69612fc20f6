"""With nothing agreed to, nothing leaves: where it could reach out, the far end of the wire sees not one frame.

Needs a kernel that lets us make namespaces (root, or user namespaces), iproute2, util-linux and strace.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.outside import open_network
from tests.vitalkeep.command import RECORDINGS, ROOT

TOOLS = ("ip", "unshare", "nsenter", "strace", "sysctl", "mount")
_ROOT_OF_ITS_OWN = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
PROGRAM = (sys.executable, "-m", "vitalkeep")
STRAP = RECORDINGS / "chest_strap.jsonl.gz"

pytestmark = pytest.mark.slow


def lacking() -> str | None:
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not installed (Debian: iproute2, util-linux, procps, strace)"
    tried = subprocess.run(
        ["unshare", *_ROOT_OF_ITS_OWN, "--net", "--mount", "true"], capture_output=True, text=True, check=False
    )
    return None if tried.returncode == 0 else f"no namespace can be made here: {tried.stderr.strip()}"


@dataclass
class Wire:
    process: subprocess.Popen[str]

    def frames(self, *words: object, code: int = 0) -> int:
        """Runs a command; how many frames the far end saw meanwhile."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        assert told["code"] == code
        return int(told["frames"])


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    if why := lacking():
        pytest.skip(why)
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process = subprocess.Popen(
        ["unshare", *_ROOT_OF_ITS_OWN, "--net", "--mount", sys.executable, open_network.__file__, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its input, which ends it, and waits
        yield Wire(process)


def test_the_far_end_sees_whoever_reaches_out(wire: Wire) -> None:
    """Else the tests beside this one would prove nothing."""
    asks = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('clinic.example', 443)"
    sends = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ({open_network.THERE!r}, 9))"
    assert wire.frames("true") == 0
    assert wire.frames(sys.executable, "-c", asks) > 0
    assert wire.frames(sys.executable, "-c", sends) > 0


def test_a_whole_run_and_every_command_after_it_send_not_one_frame(wire: Wire, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-qq", "-e", "trace=socket,socketpair", "-o", trace)
    assert wire.frames(*strace, *PROGRAM, "run", "--replay", STRAP, "--speed", "max") == 0
    domains = set(re.findall(r"socket(?:pair)?\((AF_\w+)", trace.read_text()))
    assert domains <= {"AF_UNIX"}, domains
    for words in (
        ("analyze", STRAP),
        ("hrv", STRAP),
        ("status",),
        ("alerts",),
        ("baseline",),
        ("model", "list"),
        ("consent", "show"),
        ("clinic", "list"),
        ("privacy",),
        ("sync", "run"),
        ("sync", "preview"),
    ):
        assert wire.frames(*PROGRAM, *words) == 0, words


def test_the_sending_process_with_nothing_to_send_sends_not_one_frame(wire: Wire, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    outbox.mkdir(mode=0o700)
    assert wire.frames(sys.executable, "-m", "sync.uplink", "drain", "--once", "--outbox", outbox) == 0
