"""What import-linter and ruff cannot see: computed imports, ways out that hang on an event loop, parts of urllib."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.house import PACKAGES, ROOT

COMPUTED = {"__import__", "eval", "exec", "compile", "import_module"}
TO_A_NETWORK = {
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "open_connection",
    "sock_connect",
    "start_server",
    "urllib",
    "urllib.error",
    "urllib.request",
    "urllib.response",
    "urllib.robotparser",
}
MAY_USE_A_NETWORK = ("sync/uplink/", "sync/clinic/", "vitalkeep/web/")


def offences(path: str, source: str) -> list[str]:
    """Names in `source`, called as it stands at `path`, that no module there may use."""
    named = COMPUTED if path.startswith(MAY_USE_A_NETWORK) else COMPUTED | TO_A_NETWORK
    found = []
    for node in ast.walk(ast.parse(source)):
        name = None
        if isinstance(node, ast.Name):
            name = node.id
        elif isinstance(node, ast.ImportFrom) and node.module == "urllib":
            name = next((f"urllib.{alias.name}" for alias in node.names if alias.name != "parse"), None)
        elif isinstance(node, ast.ImportFrom):
            name = node.module
        elif isinstance(node, ast.Import):
            name = next((alias.name for alias in node.names if alias.name in named), None)
        elif isinstance(node, ast.Attribute) and node.attr in named - {"compile"}:  # re.compile computes no import
            name = node.attr
        if name in named:
            found.append(f"{path}:{getattr(node, 'lineno', 0)}: {name}")
    return found


@pytest.mark.parametrize(
    "code",
    [
        "__import__('socket')",
        "exec('import socket')",
        "eval('1')",
        "import importlib as i\ni.import_module('socket')",
        "async def f(loop): await loop.create_connection(print, 'localhost', 1)",
        "async def f(loop): await loop.sock_connect(1, 2)",
        "async def f(loop): await loop.create_datagram_endpoint(print)",
        "import asyncio as a\na.start_server(print)",
        "import urllib",
        "import urllib.request",
        "import json, urllib.request as r",
        "from urllib import parse, request",
        "from urllib.request import urlopen",
    ],
)
def test_a_planted_name_is_found(code: str) -> None:
    assert offences("device_pipeline/planted.py", code)


def test_a_path_may_be_quoted() -> None:
    assert not offences(
        "device_pipeline/store/connection.py", "from urllib.parse import quote\nfrom urllib import parse"
    )


def test_the_uplink_may_connect_but_not_compute_imports() -> None:
    assert not offences("sync/uplink/https.py", "async def f(loop): await loop.create_connection(print)")
    assert offences("sync/uplink/https.py", "__import__('sqlite3')")


def test_no_module_uses_such_a_name() -> None:
    found = []
    for package in PACKAGES:
        for path in sorted(Path(ROOT, package).rglob("*.py")):
            found += offences(path.relative_to(ROOT).as_posix(), path.read_text())
    assert found == []
