"""A net in whole numbers whose answers are the same in every runtime: depthwise convolutions become grouped ones.

The kernels of DEPTHWISE_CONV_2D round otherwise in LiteRT than in tflite-runtime 2.14, and over some layers one step
grows to nine. A CONV_2D with as many groups as channels is the same sum of the same weights, and is counted alike.

    python -m models.training.grouped FILE.tflite   writes the file again
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np


def grouped(net: Any) -> int:
    """Changes the flatbuffer object `net` in place; how many operators it changed. Needs TensorFlow."""
    from tensorflow.lite.python import schema_py_generated as schema

    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in net.operatorCodes]
    old, new = schema.BuiltinOperator.DEPTHWISE_CONV_2D, schema.BuiltinOperator.CONV_2D
    if old not in codes:
        return 0
    changed = 0
    for graph in net.subgraphs:
        for operator in graph.operators:
            if codes[operator.opcodeIndex] != old:
                continue
            if new not in codes:
                codes.append(new)
                net.operatorCodes.append(_code(schema, new))
            was = operator.builtinOptions
            if was.depthMultiplier != 1:
                raise ValueError(f"depth multiplier {was.depthMultiplier}, 1 expected")
            options = schema.Conv2DOptionsT()
            for name in (
                "padding",
                "strideW",
                "strideH",
                "dilationWFactor",
                "dilationHFactor",
                "fusedActivationFunction",
            ):
                setattr(options, name, getattr(was, name))
            operator.opcodeIndex = codes.index(new)
            operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Conv2DOptions, options
            _turn(net, graph.tensors[operator.inputs[1]], schema)
            changed += 1
    return changed


def _turn(net: Any, weights: Any, schema: Any) -> None:
    """(1, height, width, channels) to (channels, height, width, 1)."""
    kinds = {schema.TensorType.INT8: np.int8, schema.TensorType.FLOAT32: np.float32}
    data = np.asarray(net.buffers[weights.buffer].data, dtype=np.uint8).view(kinds[weights.type])
    turned = np.ascontiguousarray(data.reshape(tuple(weights.shape)).transpose(3, 1, 2, 0))
    net.buffers[weights.buffer].data = turned.view(np.uint8).ravel()
    weights.shape = np.array(turned.shape, dtype=np.int32)
    if weights.quantization is not None:
        weights.quantization.quantizedDimension = 0


def _code(schema: Any, number: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = number
    code.version = 3  # with scales per channel
    return code


def main() -> None:
    from tensorflow.lite.tools import flatbuffer_utils

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    net = flatbuffer_utils.read_model(str(path))
    print(f"{path.name}: {grouped(net)} depthwise convolutions made grouped ones")
    flatbuffer_utils.write_model(net, str(path))


if __name__ == "__main__":
    main()
