"""How a command that goes on for ever is asked to end: whatever has come is stored first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def on_signal(stop: Callable[[], None]) -> None:
    """Calls `stop` on each signal that asks for an end, but for those the process was started to ignore."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup, or a shell that put us in the background
        # Outside the main thread no signal comes here, and none can be asked for.
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, stop)
