"""`make clinic-demo`: the made-up year of a practice, to click through in a browser on this machine until Ctrl-C.

Nothing is kept, and nobody in it has ever lived: the pages are dated as the story is.
"""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from tests.rigs.clinic_server import PASSWORD, STAFF, ClinicServer
from tests.rigs.clinic_story import TODAY, events, people


def main() -> None:
    everybody = people(hostile=False)
    print(f"DEMO: {len(everybody)} people whom nobody has met send their cards of a year ...", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="vitalkeep-demo-") as folder,
        ClinicServer(Path(folder) / "clinic", everybody, events(everybody)) as server,
    ):
        print(f"{server.url}\nsign in as {STAFF[0]!r} with {PASSWORD!r}; it is {TODAY.isoformat()} there.", flush=True)
        print("Ctrl-C ends it, and nothing is kept.", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    # before any thread is started, so that none of them takes the signal
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
