"""A Keras model to a TFLite file in floating point, to stand beside the one in whole numbers."""

from __future__ import annotations

import tempfile
from typing import Any

from models.training.quantise import _stripped


def float32_tflite(model: Any) -> bytes:
    """Needs the TensorFlow backend."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        made: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    return _stripped(made)
