"""Whichever runtime runs a net, the answers are the same: int8 at most one step of the output apart.

The other runtime lives in an environment of its own, with NumPy 1: `make tflite-runtime` makes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import RuntimeMissingError
from models.runtime import RUNTIMES, VARIABLE, runtime
from tests.models.answers import nets

ROOT = Path(__file__).resolve().parents[2]
OTHER = ROOT / ".venv-tflite" / "bin" / "python"
NAMES = [name for name, *_ in nets()]
Answers = dict[str, np.ndarray]


def _answers(python: Path, name: str, folder: Path) -> tuple[str, Answers]:
    """What `python` prints of its runtime and NumPy, and what its runtime `name` says."""
    path = folder / f"{name}.npz"
    done = subprocess.run(
        [python, "-m", "tests.models.answers", path],
        cwd=ROOT,
        env=os.environ | {VARIABLE: name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(path) as said:
        return done.stdout, dict(said)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, Answers]:
    if not OTHER.exists():
        pytest.skip("no environment with tflite-runtime: make tflite-runtime PYTHON=python3.11")
    folder = tmp_path_factory.mktemp("answers")
    first, ours = _answers(Path(sys.executable), RUNTIMES[0], folder)
    second, theirs = _answers(OTHER, RUNTIMES[1], folder)
    assert first.split()[0] == "ai-edge-litert"
    assert second.startswith("tflite-runtime 1.")
    assert ours.keys() == theirs.keys()
    return ours, theirs


@pytest.mark.parametrize("name", NAMES)
def test_both_runtimes_say_the_same_within_one_step(name: str, both: tuple[Answers, Answers]) -> None:
    ours, theirs = (said[name] for said in both)
    assert len(ours) > 60
    assert np.ptp(ours) > 0
    assert np.abs(ours - theirs).max() <= both[0][f"{name} step"]


def test_the_runtime_is_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    usual, _ = runtime()
    monkeypatch.setenv(VARIABLE, usual)
    assert runtime()[0] == usual
    monkeypatch.setenv(VARIABLE, "tensorflow")
    with pytest.raises(RuntimeMissingError, match="tensorflow: ai-edge-litert or tflite-runtime expected"):
        runtime()


@pytest.mark.parametrize("named", RUNTIMES)
def test_a_runtime_that_was_asked_for_and_is_missing_is_replaced_by_no_other(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ai_edge_litert", "tflite_runtime"):
        monkeypatch.setitem(sys.modules, f"{module}.interpreter", None)
    monkeypatch.setenv(VARIABLE, named)
    with pytest.raises(RuntimeMissingError, match=f"pip install {named}"):
        runtime()


def test_where_nothing_is_named_the_one_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interpreter:
        def __init__(self, model_content: bytes, num_threads: int, experimental_op_resolver_type: str) -> None:
            self.given = model_content, num_threads, experimental_op_resolver_type

    class OpResolverType:
        BUILTIN_WITHOUT_DEFAULT_DELEGATES = "its own kernels"

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    other = type(sys)("tflite_runtime.interpreter")
    other.Interpreter, other.OpResolverType = Interpreter, OpResolverType  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tflite_runtime", type(sys)("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", other)
    name, made = runtime()
    assert name == "tflite-runtime"
    assert made(b"net", 2).given == (b"net", 2, "its own kernels")
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(RuntimeMissingError, match="no TFLite runtime is installed"):
        runtime()
