"""Which TFLite runtime runs the nets: ai-edge-litert where it is installed, tflite-runtime otherwise, or the one named.

`VITALKEEP_TFLITE` names one of RUNTIMES; then it is that one or none, so that nobody runs another than was asked for.

Either runs with its own kernels alone: XNNPACK, which LiteRT would take by itself, rounds whole numbers otherwise, and
over some layers one step of a difference grows to nine.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from models.errors import RuntimeMissingError

VARIABLE = "VITALKEEP_TFLITE"
RUNTIMES = ("ai-edge-litert", "tflite-runtime")  # the first that is installed is taken
Maker = Callable[[bytes, int], Any]  # weights and threads to an Interpreter


def runtime() -> tuple[str, Maker]:
    """Name of the runtime, and what makes an interpreter of weights and a number of threads.

    Raises RuntimeMissingError where none is installed, or not the one that VITALKEEP_TFLITE names.
    """
    named = os.environ.get(VARIABLE, "")
    if named and named not in RUNTIMES:
        raise RuntimeMissingError(f"{VARIABLE}={named[:40]}: {' or '.join(RUNTIMES)} expected")
    for name in (named,) if named else RUNTIMES:
        maker = _maker(name)
        if maker is not None:
            return name, maker
    if named:
        raise RuntimeMissingError(f"{VARIABLE}={named}: it is not installed: pip install {named}")
    raise RuntimeMissingError(
        "no TFLite runtime is installed: ai-edge-litert (comes with vitalkeep) or tflite-runtime expected"
    )


def _maker(name: str) -> Maker | None:
    """None where it cannot be imported."""
    try:
        if name == "ai-edge-litert":
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        else:
            from tflite_runtime.interpreter import Interpreter, OpResolverType
    except ImportError:
        return None

    def made(weights: bytes, threads: int) -> Any:
        return Interpreter(
            model_content=weights,
            num_threads=threads,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )

    return made
