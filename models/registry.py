"""The models there are; what stands here is enrolled in the laws of models."""

from __future__ import annotations

from models.model import Model

MODELS: tuple[Model, ...] = ()
