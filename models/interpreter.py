"""Weights are read whole, held to the hash on their card, and only then given to the TFLite runtime."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.errors import CardMismatchError, ModelError
from models.held_weights import FLOAT_STEP
from models.in_service import supplied
from models.observer import is_observed, observed
from models.runtime import runtime
from models.variant_choice import chosen_file

Array = NDArray[Any]


class Net:
    """Weights of one card, ready to be called. Not for use by two threads at once."""

    def __init__(self, weights: bytes, card: ModelCard, threads: int = 1) -> None:
        """`weights`: those of `card`, or one of its variants.

        Raises CardMismatchError where they are neither, ModelError where they cannot be run.
        """
        found = hashlib.sha256(weights).hexdigest()
        if found != card.sha256 and all(found != variant.sha256 for variant in card.variants):
            raise CardMismatchError(
                f"{card.name} {card.version}: weights {found[:12]}…, its card says {card.sha256[:12]}…"
            )
        self.card = card
        _, made = runtime()
        try:
            with _silent():
                self._net = made(weights, threads)
                self._net.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise ModelError(
                f"{card.name} {card.version}: the weights cannot be run ({type(problem).__name__})"
            ) from problem
        told = {spec.name: spec for spec in card.inputs}
        self._inputs: list[tuple[int, str, float, int, Any]] = []
        for detail in self._net.get_input_details():
            name = _short(detail["name"])
            spec = told.get(name)
            shape = tuple(int(n) for n in detail["shape"])
            if spec is None or (1, *spec.shape) != shape:
                raise CardMismatchError(
                    f"{card.name} {card.version}: input {name} {shape}, the card says {told.get(name)}"
                )
            scale, zero = detail["quantization"]
            self._inputs.append((detail["index"], name, float(scale), int(zero), detail["dtype"]))
        (out,) = self._net.get_output_details()
        self._output = out["index"]
        self._out_scale, self._out_zero = float(out["quantization"][0]), int(out["quantization"][1])

    @property
    def step(self) -> float:
        """The step in which the output is counted; next to nothing where the net is in floating point."""
        return self._out_scale + 1e-9 if self._out_scale else FLOAT_STEP

    def __call__(self, **inputs: Array) -> NDArray[np.float64]:
        """One call: each input in the shape of the card; the output as numbers, shape (labels,)."""
        for index, name, scale, zero, dtype in self._inputs:
            self._net.set_tensor(index, self._told(inputs[name][None], scale, zero, dtype))
        self._net.invoke()
        out: NDArray[np.float64] = self._net.get_tensor(self._output)[0].astype(np.float64)
        if self._out_scale:
            out = (out - self._out_zero) * self._out_scale
        observed(self.card, inputs, out)
        return out

    def rows(self, **inputs: Array) -> NDArray[np.float64]:
        """One call for each row, as `__call__` would make it, with less work around each: shape (n, labels)."""
        told = [
            (index, self._told(inputs[name], scale, zero, dtype)) for index, name, scale, zero, dtype in self._inputs
        ]
        net, output = self._net, self._output
        n = len(told[0][1])
        kept = []
        for k in range(n):
            for index, values in told:
                net.set_tensor(index, values[k : k + 1])
            net.invoke()
            kept.append(net.get_tensor(output)[0])
        out = np.array(kept, dtype=np.float64).reshape(n, -1)
        if self._out_scale:
            out = (out - self._out_zero) * self._out_scale
        if is_observed():
            for k in range(n):
                observed(self.card, {name: rows[k] for name, rows in inputs.items()}, out[k])
        return out

    @staticmethod
    def _told(value: Array, scale: float, zero: int, dtype: Any) -> Array:
        if scale:
            value = np.clip(np.round(value / scale) + zero, -128, 127)
        return np.ascontiguousarray(value, dtype=dtype)


def load(card_path: Path, threads: int = 1) -> Net:
    """The net in service for the card that came with the program at `card_path`: the one beside it, or another."""
    net = supplied(card_path, threads)
    return beside(card_path, threads) if net is None else net


def beside(card_path: Path, threads: int = 1) -> Net:
    """The net beside its card, in the precision that this device keeps."""
    card = ModelCard.read(card_path)
    return Net(card_path.with_name(chosen_file(card).weights).read_bytes(), card, threads)


@contextmanager
def _silent() -> Iterator[None]:
    """The runtime greets on file descriptor 2 past Python, with no setting to stop it; our standard error is ours."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _short(name: str) -> str:
    """serving_default_wave:0 is the input named wave."""
    return name.removeprefix("serving_default_").split(":")[0]
