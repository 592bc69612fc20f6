"""Each contract of .importlinter holds, and breaks when its violation is planted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.architecture.house import PACKAGES, banned, copy_house, plant, verdicts

CONTRACTS = {
    "floors",
    "indoors",
    "apart",
    "blind",
    "mute",
    "one radio",
    "one driver",
    "virtual",
    "drawn",
    "raw readers",
    "one file",
}

# The contract, the module, what is planted there.
VIOLATIONS = [
    ("floors", "sensors.registry", "import device_pipeline.stage"),
    ("floors", "sensors.registry", "from models.score import Score"),
    ("floors", "models.registry", "def late() -> None:\n    import sensors.samples"),
    ("floors", "device_pipeline.stage", "from vitalkeep import cli"),
    ("floors", "device_pipeline.stage", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sync.private"),
    ("floors", "sync.private.publish", "import vitalkeep.cli"),
    ("indoors", "device_pipeline.stage", "import sync.outbox"),
    ("indoors", "sensors.samples", "import sync.release"),
    ("apart", "vitalkeep.cli.planted", "import sync.uplink"),
    ("apart", "sync.private.publish", "import sync.clinic"),
    ("blind", "sync.uplink.drain", "import device_pipeline.beat"),
    ("blind", "sync.outbox", "from sensors.samples import Samples"),
    ("blind", "sync.release", "import sync.private"),
    ("blind", "sync.clinic.app", "import models.score"),
    ("blind", "sync.receipt", "import sync.private"),
    ("blind", "sync.sealing", "import device_pipeline.beat"),
    ("blind", "sync.pairing", "import vitalkeep.cli"),
    ("blind", "sync.outbox_key", "from device_pipeline.store import vault"),
    ("apart", "sync.receipt", "import sync.clinic.database.sqlite"),
    ("apart", "sync.pairing", "import sync.uplink.pair"),
    ("mute", "device_pipeline.stage", "import socket"),
    ("mute", "sensors.samples", "import urllib.request"),
    ("mute", "vitalkeep.cli.planted", "from http import client"),
    ("mute", "sync.private.publish", "import httpx"),
    ("mute", "sync.outbox", "def late() -> None:\n    import ssl"),
    ("mute", "models.score", "import starlette.applications"),
    ("one radio", "sensors.reader", "import bleak"),
    ("one radio", "vitalkeep.cli.planted", "from bleak.backends import device"),
    ("one driver", "sync.clinic.receiver", "import psycopg"),
    ("one driver", "sync.clinic.database.opened", "from psycopg_pool import ConnectionPool"),
    ("virtual", "vitalkeep.cli.planted", "from bumble.device import Device"),
    ("drawn", "vitalkeep.cli.planted", "from matplotlib.figure import Figure"),
    ("drawn", "device_pipeline.stage", "import matplotlib"),
    ("raw readers", "device_pipeline.metrics.planted", "import device_pipeline.store.raw"),
    ("raw readers", "vitalkeep.web.planted", "from device_pipeline.store import raw"),
    ("one file", "sync.uplink.drain", "import sqlite3"),
    ("one file", "sync.uplink.drain", "from sqlcipher3 import dbapi2"),
    ("one file", "sync.uplink.drain", "import sqlite_utils"),
    ("one file", "sync.uplink.drain", "import sync.sqlite_file"),
]

# What the contracts must let pass: the one room that may, and the one way that is open.
ALLOWED = [
    ("sync.uplink.https", "import http.client, socket, ssl, urllib.request"),
    ("sync.uplink", "import socket"),
    ("sync.clinic.app", "import starlette.applications"),
    ("vitalkeep.web.planted", "import uvicorn"),
    ("sensors.bleak_link", "import bleak"),
    ("vitalkeep.simulate.planted", "import bumble.device"),
    ("vitalkeep.plot.planted", "import matplotlib.figure"),
    ("sync.outbox", "import sqlite3"),
    ("sync.uplink.drain", "import sync.outbox, sync.release"),
    ("sync.private.publish", "import sync.outbox, sync.release"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_house(tmp_path_factory.mktemp("house"))


@pytest.fixture
def fresh(house: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(house, tmp_path / "house"))


def test_every_contract_is_kept(house: Path) -> None:
    assert verdicts(house) == dict.fromkeys(CONTRACTS, "KEPT")


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == CONTRACTS


@pytest.mark.parametrize(("contract", "module", "code"), VIOLATIONS, ids=lambda part: str(part).split("\n")[0])
def test_a_planted_violation_breaks_its_contract(fresh: Path, contract: str, module: str, code: str) -> None:
    plant(fresh, module, code)
    assert verdicts(fresh)[contract] == "BROKEN"


def test_what_is_allowed_breaks_nothing(fresh: Path) -> None:
    for module, code in ALLOWED:
        plant(fresh, module, code)
    assert verdicts(fresh) == dict.fromkeys(CONTRACTS, "KEPT")


@pytest.mark.parametrize(
    "code",
    [
        "import importlib\nimportlib.import_module('socket')",
        "from importlib import import_module",
        "import importlib\nimportlib.__import__('socket')",
        "import runpy",
        "import asyncio\nasyncio.open_connection('localhost', 1)",
        "from asyncio import open_connection",
        "import asyncio\nasyncio.start_server(print)",
        "import multiprocessing.connection",
        "from multiprocessing.managers import BaseManager",
        "import time\ntime.time()",
        "from time import time",
        "import time as t\nt.time_ns()",
        "import time\ntime.localtime()",
        "import time\ntime.gmtime()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "from datetime import datetime\ndatetime.today()",
        "from datetime import date\ndate.today()",
    ],
)
def test_a_banned_name_is_found(fresh: Path, code: str) -> None:
    assert banned(plant(fresh, "device_pipeline.stage", code))


def test_a_clock_may_tell_the_time(fresh: Path) -> None:
    assert not banned(plant(fresh, "sync.private.clock", "import time\ntime.time_ns()"))


def test_the_house_uses_no_banned_name(house: Path) -> None:
    for package in PACKAGES:
        assert banned(house / package) == []
