"""What is told of a record that failed, by whichever command; the others go on, and no value of the wearer is in it."""

from __future__ import annotations

import os

from vitalkeep.cli import exit_codes


def foreseen(problem: Exception, record: str) -> str | None:
    """Why `record` failed, in words for its user; None for what nobody has foreseen."""
    from device_pipeline.errors import PipelineError
    from models.errors import ModelError
    from sensors.errors import SensorError

    match problem:
        case SensorError() | PipelineError() | ModelError():
            return str(problem)
        case OSError():
            return f"{problem.filename or record}: {problem.strerror or type(problem).__name__}"
        case MemoryError():
            return f"{record}: not enough memory"
        case _:
            return None


def failure(problem: Exception, record: str) -> tuple[str, int]:
    """Why `record` failed, and the exit code; under VITALKEEP_DEBUG what nobody has foreseen is raised again."""
    why = foreseen(problem, record)
    if why is not None:
        return why, exit_codes.FAILED
    if os.environ.get("VITALKEEP_DEBUG"):
        raise problem
    # The message may carry a value of the wearer's, so only the type is told.
    return f"{record}: internal error ({type(problem).__name__})", exit_codes.INTERNAL
