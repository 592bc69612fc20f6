"""The small net that ships, and the large ones that teach it. Both see the wave and the measured features."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from models.screen_input import FEATURES, POINTS


def student() -> Any:
    wave, told = _inputs()
    x = _conv(wave, 16, 15, 4)
    for width, stride in ((32, 2), (48, 2), (48, 1), (64, 2), (64, 1), (96, 2), (96, 1)):
        x = _separable(x, width, stride)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(0.3)(x)
    g = layers.Dropout(0.1)(layers.Dense(48, activation="relu")(told))
    g = layers.Dense(32, activation="relu")(g)
    x = layers.Dense(40, activation="relu")(layers.Concatenate()([x, g]))
    x = layers.Dropout(0.2)(x)
    return keras.Model([wave, told], layers.Dense(4, activation="softmax", name="label")(x))


def teacher() -> Any:
    wave, told = _inputs()
    x = _conv(wave, 48, 15, 2)
    for width in (64, 96, 128, 192, 256):
        short = layers.Conv1D(width, 1, strides=2, padding="same")(x)
        y = layers.Dropout(0.15)(_conv(x, width, 9, 2))
        y = layers.BatchNormalization()(layers.Conv1D(width, 9, padding="same", use_bias=False)(y))
        gate = layers.Dense(width // 8, activation="relu")(layers.GlobalAveragePooling1D()(y))
        gate = layers.Dense(width, activation="sigmoid")(gate)
        y = layers.Multiply()([y, layers.Reshape((1, width))(gate)])
        x = layers.ReLU()(layers.Add()([short, y]))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(0.5)(x)
    g = layers.Dropout(0.2)(layers.Dense(64, activation="relu")(told))
    g = layers.Dense(48, activation="relu")(g)
    x = layers.Dense(96, activation="relu")(layers.Concatenate()([x, g]))
    x = layers.Dropout(0.4)(x)
    return keras.Model([wave, told], layers.Dense(4, activation="softmax")(x))


def _inputs() -> tuple[Any, Any]:
    return keras.Input((POINTS, 1), name="wave"), keras.Input((len(FEATURES),), name="features")


def _conv(x: Any, width: int, reach: int, stride: int) -> Any:
    x = layers.Conv1D(width, reach, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _separable(x: Any, width: int, stride: int) -> Any:
    y = layers.DepthwiseConv1D(9, strides=stride, padding="same", use_bias=False)(x)
    y = layers.Conv1D(width, 1, use_bias=False)(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(y)
    if stride == 1 and x.shape[-1] == width:
        y = layers.Add()([x, y])
    return layers.ReLU()(y)
