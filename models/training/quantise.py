"""A Keras model to a TFLite file in whole numbers: through a SavedModel, calibrated on examples, stripped of names.

Only operators that every runtime counts alike go into it (models/training/grouped.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.grouped import grouped

Example = dict[str, NDArray[np.float32]]


def int8_tflite(model: Any, examples: Iterator[Example]) -> bytes:
    """Inputs and output int8; `examples` give each input by name with a batch of one. Needs the TensorFlow backend."""
    import tensorflow as tf

    held = list(examples)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(held)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        made: bytes = converter.convert()
    return _stripped(made)


def _stripped(made: bytes) -> bytes:
    """Without the names of what lies between inputs and output, which weigh a fifth of so small a net."""
    from tensorflow.lite.tools import flatbuffer_utils

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.tflite"
        path.write_bytes(made)
        net = flatbuffer_utils.read_model(str(path))
        for graph in net.subgraphs:
            graph.name = None
            for number, tensor in enumerate(graph.tensors):
                if number in set(graph.inputs):
                    tensor.name = tensor.name.removeprefix(b"serving_default_").split(b":")[0]
                else:
                    tensor.name = b"label" if number in set(graph.outputs) else b""
        grouped(net)
        net.description, net.metadata, net.metadataBuffer, net.signatureDefs = None, [], None, None
        flatbuffer_utils.write_model(net, str(path))
        return path.read_bytes()
