"""Whoever reads our output may leave early (`| head`); that is no error, and nobody is told."""

from __future__ import annotations

import os
import sys


def leave_stdout() -> None:
    """Points standard output elsewhere, so that what is still buffered can be flushed and the interpreter can end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
