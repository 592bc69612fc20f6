"""The argument that names a model. Known by the cards that lie among the weights, so that nothing heavy is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

_F = Callable[..., Any]


class ModelName(click.ParamType[str]):
    name = "model"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if str(value) not in model_names():
            self.fail(f"{str(value)[:40]!r} is no model: expected one of {', '.join(model_names())}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in model_names() if name.startswith(incomplete)]


def model_names() -> list[str]:
    import models

    return sorted(path.stem for path in Path(str(models.__file__)).with_name("weights").glob("*.json"))
