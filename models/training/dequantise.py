"""A net in whole numbers again as one in floating point: python -m models.training.dequantise IN.tflite OUT.tflite

For nets whose floating-point weights are no longer at hand: every weight becomes scale x (number - zero point), every
sum and activation is then one of floats. What rounding took from the weights stays taken; the rounding in between goes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def dequantised(made: bytes) -> bytes:
    """Needs TensorFlow. Raises ValueError for a tensor that is neither int8, nor int32 with a scale, nor plain."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    net = flatbuffer_utils.convert_bytearray_to_object(bytearray(made))
    for graph in net.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            told = tensor.quantization
            if told is None or told.scale is None or not len(told.scale):
                continue
            if tensor.type not in (schema.TensorType.INT8, schema.TensorType.INT32):
                raise ValueError(f"tensor {number} of type {tensor.type}, int8 or int32 expected")
            buffer = net.buffers[tensor.buffer]
            if buffer.data is not None and len(buffer.data):
                whole = np.int8 if tensor.type == schema.TensorType.INT8 else np.int32
                data = np.asarray(buffer.data, dtype=np.uint8).view(whole).reshape(tuple(tensor.shape))
                buffer.data = _numbers(data, told).view(np.uint8).ravel()
            tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
        _depthwise(net, graph, schema)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(net))


def _numbers(data: NDArray[Any], told: Any) -> NDArray[np.float32]:
    scale, zero = np.asarray(told.scale, dtype=np.float64), np.asarray(told.zeroPoint, dtype=np.float64)
    if len(scale) > 1:
        along = [1] * data.ndim
        along[told.quantizedDimension] = len(scale)
        scale, zero = scale.reshape(along), zero.reshape(along)
    return np.ascontiguousarray((data - zero) * scale, dtype=np.float32)


def _depthwise(net: Any, graph: Any, schema: Any) -> None:
    """Grouped convolutions of one channel each become depthwise ones: in floats they say the same, and sooner."""
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in net.operatorCodes]
    conv, depthwise = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D
    turned = set()
    for operator in graph.operators:
        if codes[operator.opcodeIndex] != conv:
            continue
        inside, weights = graph.tensors[operator.inputs[0]], graph.tensors[operator.inputs[1]]
        if weights.shape[3] != 1 or inside.shape[3] == 1 or operator.inputs[1] in turned:
            continue
        if depthwise not in codes:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = depthwise
            code.version = 1
            net.operatorCodes.append(code)
            codes.append(depthwise)
        was, options = operator.builtinOptions, schema.DepthwiseConv2DOptionsT()
        options.padding, options.strideW, options.strideH = was.padding, was.strideW, was.strideH
        options.dilationWFactor, options.dilationHFactor = was.dilationWFactor, was.dilationHFactor
        options.fusedActivationFunction, options.depthMultiplier = was.fusedActivationFunction, 1
        operator.opcodeIndex = codes.index(depthwise)
        operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.DepthwiseConv2DOptions, options
        data = np.asarray(net.buffers[weights.buffer].data, dtype=np.uint8).view(np.float32)
        held = np.ascontiguousarray(data.reshape(tuple(weights.shape)).transpose(3, 1, 2, 0))
        net.buffers[weights.buffer].data = held.view(np.uint8).ravel()
        weights.shape = np.array(held.shape, dtype=np.int32)
        turned.add(operator.inputs[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    made = dequantised(asked.file.read_bytes())
    asked.out.write_bytes(made)
    print(f"{asked.out.name}: {len(made)} bytes")


if __name__ == "__main__":
    main()
