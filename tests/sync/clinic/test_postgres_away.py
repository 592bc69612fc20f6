"""`vitalkeep-clinic serve` while its PostgreSQL is away: it says so in a line, loses nothing, and goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from sync.clinic.__main__ import app
from sync.clinic.database.opened import URL_NAME, open_database, remember
from sync.clinic.errors import ClinicError
from sync.receipt import Receipt, Status
from sync.release import Release
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, worn_days
from tests.rigs.clinic_process import ClinicProcess
from tests.rigs.postgres import PostgresServer

WITHIN_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with closing(PostgresServer(durable=True)) as server:
        yield server


@pytest.fixture
def device(tmp_path: Path, server: PostgresServer) -> Iterator[FakeDevice]:
    """Of a clinic in `tmp_path / "clinic"`."""
    with ClinicRig(tmp_path / "clinic", server.new_database()) as rig:
        enrolled = rig.enrolled("Patient 17")
    yield enrolled
    server.start_again()


def _ask(process: ClinicProcess, release: Release) -> httpx.Response:
    return httpx.post(f"{process.url}/v1/messages", content=release.encode(), timeout=WITHIN_S, trust_env=False)


@pytest.mark.parametrize("away", ["stop", "kill"])
def test_messages_come_again_until_the_database_is_back(
    tmp_path: Path, server: PostgresServer, device: FakeDevice, away: str
) -> None:
    errors = tmp_path / "errors"
    release, other = device.release(af_days()), device.release(worn_days())
    with ClinicProcess(tmp_path / "clinic", errors=errors) as process:
        assert Receipt.decode(_ask(process, release).content).status is Status.STORED
        getattr(server, away)()
        began_s = time.monotonic()
        for _ in range(10):
            answer = _ask(process, other)
            assert (answer.status_code, answer.json()["error"]) == (503, "not_now")
        assert time.monotonic() - began_s < WITHIN_S / 2
        assert httpx.get(f"{process.url}/v1/clinic", trust_env=False).status_code == 200
        for page in ("/", "/patients", "/sign-in"):
            shown = httpx.get(process.url + page, trust_env=False)
            assert shown.status_code in (200, 303, 503), page
        server.start()
        assert Receipt.decode(_ask(process, other).content).status is Status.STORED
        assert Receipt.decode(_ask(process, release).content).status is Status.DUPLICATE
    told = errors.read_text()
    assert told.count("\n") <= 4, told
    assert "messages cannot be stored: PostgreSQL database clinic_" in told
    assert told.endswith("messages are stored again\n")
    assert "Traceback" not in told and "Patient" not in told


def test_without_its_database_it_does_not_start_and_says_why(
    tmp_path: Path, server: PostgresServer, device: FakeDevice
) -> None:
    server.stop()
    for command in (["serve", "--port", "0"], ["patients"], ["pair", "new", "--url", "https://clinic.example"]):
        done = CliRunner().invoke(app, [*command, "--data", str(tmp_path / "clinic")])
        assert done.exit_code == 3
        (line,) = done.stderr.splitlines()
        assert line.startswith("PostgreSQL database clinic_")
        assert str(server.folder) in line
    server.start()
    assert CliRunner().invoke(app, ["patients", "--data", str(tmp_path / "clinic")]).exit_code == 0


def test_without_a_server_at_its_address_it_does_not_start(tmp_path: Path, device: FakeDevice) -> None:
    elsewhere = ["--database", "postgresql://clinic@127.0.0.1:1/clinic"]
    done = CliRunner().invoke(app, ["serve", "--data", str(tmp_path / "clinic"), "--port", "0", *elsewhere])
    assert done.exit_code == 3
    assert "PostgreSQL database clinic on 127.0.0.1: " in done.stderr
    assert "refused" in done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:pa/ss@host/db",
        "postgresql://user:pa@ss@nohost/db",
        "postgresql://user:pa/ss",
        "postgresql://user:1/ss@host/db",
        "postgresql:///db?host=pa%40ss",
        "postgresql:///db?port=ss",
    ],
)
def test_no_part_of_a_password_is_taken_for_a_host_and_told(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClinicError) as told:
        open_database(tmp_path, address)
    assert "%40" in str(told.value)
    assert "ss" not in str(told.value).replace("address", "").replace("password", "")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:pass@host/db",
        "postgresql://user:pa/ss@host/db",
        "postgresql://user:pa@ss@nohost/db",
        "postgresql://user:pa?ss@host/db",
        "postgresql://user:pa#ss@host/db",
        "postgresql://user:pa/ss",
        "postgresql://user@/db?a=1#&password=pass",
        "postgresql://user@/db?p%61ssword=pass",
    ],
)
def test_an_address_with_a_password_in_it_is_not_written_down(address: str, tmp_path: Path) -> None:
    with pytest.raises(ClinicError):
        remember(tmp_path, address)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "postgresql:///db",
        "postgresql://user@host:5432/db",
        "postgresql://user@[2001:db8::1]:5432,other/db?sslmode=verify-full",
        "postgresql://%2Fvar%2Frun:5432/db?user=me%40here",
    ],
)
def test_an_address_without_one_is_written_down(address: str, tmp_path: Path) -> None:
    remember(tmp_path, address)
    assert (tmp_path / URL_NAME).read_text() == f"{address}\n"
