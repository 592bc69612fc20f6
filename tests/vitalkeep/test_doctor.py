"""doctor looks at everything a sensor needs, says what to do where it is missing, and never fails itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from device_pipeline.clock import ManualClock
from device_pipeline.store.store import open_store
from tests.vitalkeep.command import vitalkeep
from vitalkeep.cli import doctor as doctor_command
from vitalkeep.cli.app import app
from vitalkeep.cli.doctor import examine
from vitalkeep.doctor import bluetooth, machine
from vitalkeep.doctor.bus import Adapter, BusAnswer, ask_bus
from vitalkeep.doctor.check import Check, State

HCI0 = Adapter("hci0", "00:11:22:33:44:55", powered=True, central=True)
FINE = BusAnswer(bluetoothd=True, adapters=(HCI0,))
ABSENT = BusAnswer(absent="No such file or directory")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system of a machine on which all is well."""
    root = tmp_path / "root"
    (root / "sys/class/bluetooth/hci0").mkdir(parents=True)
    (root / "sys/class/bluetooth/hci0:64").mkdir()
    for number, kind in (("0", "wlan"), ("1", "bluetooth")):
        switch = root / f"sys/class/rfkill/rfkill{number}"
        switch.mkdir(parents=True)
        for name, value in (("type", kind), ("name", f"radio{number}"), ("soft", "0"), ("hard", "0")):
            (switch / name).write_text(value + "\n")
    (root / "usr/libexec/bluetooth").mkdir(parents=True)
    (root / "usr/libexec/bluetooth/bluetoothd").touch()
    (root / "proc/42").mkdir(parents=True)
    (root / "proc/42/comm").write_text("systemd\n")
    return root


def by_name(checks: list[Check]) -> dict[str, Check]:
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_a_machine_on_which_all_is_well(root: Path, tmp_path: Path) -> None:
    checks = examine(root, FINE, ManualClock(), tmp_path / "store")
    assert {check.state for check in checks} == {State.OK}
    assert by_name(checks)["adapter"].text == "hci0"
    assert list(by_name(checks)) == [
        "python",
        "libraries",
        "radio libraries",
        "adapter",
        "switch",
        "message bus",
        "bluetoothd",
        "permission",
        "power",
        "clock",
        "disk",
        "store",
    ]
    assert not (tmp_path / "store").exists()


def test_a_machine_on_which_nothing_is_there(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    checks = by_name(examine(empty, ABSENT, ManualClock(synchronised=False), tmp_path / "store"))
    assert {name for name, check in checks.items() if check.state is State.PROBLEM} == {
        "adapter",
        "message bus",
        "bluetoothd",
    }
    assert checks["clock"].state is State.WARNING
    assert checks["bluetoothd"].remedy == "sudo apt install bluez"
    assert {"switch", "permission", "power"}.isdisjoint(checks)


def test_everything_but_what_is_well_has_a_remedy(root: Path, tmp_path: Path) -> None:
    for bus in (FINE, ABSENT, BusAnswer(), BusAnswer(bluetoothd=True, denied=True)):
        for check in examine(root, bus, ManualClock(synchronised=False), tmp_path):
            assert (check.remedy is None) == (check.state is State.OK), check


def test_the_adapter_is_found_on_the_bus_where_there_is_no_sysfs(tmp_path: Path) -> None:
    assert bluetooth.check_adapter(tmp_path, FINE).state is State.OK
    assert bluetooth.check_adapter(tmp_path, BusAnswer(bluetoothd=True)).state is State.PROBLEM


@pytest.mark.parametrize(
    ("kind", "remedy"), [("soft", "sudo rfkill unblock bluetooth"), ("hard", "turn that switch on")]
)
def test_a_blocked_radio_says_how_to_unblock_it(kind: str, remedy: str, root: Path) -> None:
    (root / "sys/class/rfkill/rfkill0" / kind).write_text("1\n")  # that of the other radio
    assert bluetooth.check_switch(root) == Check("switch", State.OK, "radio1 not blocked")
    (root / "sys/class/rfkill/rfkill1" / kind).write_text("1\n")
    check = bluetooth.check_switch(root)
    assert check is not None and (check.state, check.remedy) == (State.PROBLEM, remedy)


def test_a_service_that_does_not_run_is_told_from_one_that_is_not_installed(root: Path) -> None:
    assert bluetooth.check_service(root, BusAnswer()).remedy == "sudo systemctl enable --now bluetooth"
    assert bluetooth.check_service(root, ABSENT).state is State.PROBLEM
    (root / "proc/42/comm").write_text("bluetoothd\n")
    assert bluetooth.check_service(root, ABSENT).state is State.OK
    assert bluetooth.check_service(root, BusAnswer()).state is State.PROBLEM  # it is there, but not on the bus


def test_a_refusal_names_the_group() -> None:
    check = bluetooth.check_permission(BusAnswer(bluetoothd=True, denied=True))
    assert check is not None and "usermod -aG bluetooth" in (check.remedy or "")


@pytest.mark.parametrize(
    ("adapters", "state"),
    [
        ((Adapter("hci0", "", False, True),), State.PROBLEM),
        ((Adapter("hci0", "", True, False),), State.PROBLEM),
        ((Adapter("hci0", "", False, True), Adapter("hci1", "", True, True)), State.OK),
        ((Adapter("hci0", "", True, True), Adapter("hci1", "", True, True)), State.WARNING),
    ],
)
def test_one_adapter_must_be_on_and_able(adapters: tuple[Adapter, ...], state: State) -> None:
    check = bluetooth.check_power(BusAnswer(bluetoothd=True, adapters=adapters))
    assert check is not None and check.state is state


@pytest.mark.parametrize(
    ("free", "state"), [(0, State.PROBLEM), (50_000_000, State.PROBLEM), (10**8, State.WARNING), (10**10, State.OK)]
)
def test_the_disk_is_told_in_days(free: int, state: State, tmp_path: Path) -> None:
    assert machine.check_disk(tmp_path / "not" / "there", free).state is state
    assert machine.check_disk(tmp_path).state in State


def test_a_store_open_to_others_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    open_store(folder).writer().close()
    assert machine.check_store(folder).state is State.OK
    folder.chmod(0o750)
    check = machine.check_store(folder)
    assert (check.state, check.remedy) == (State.PROBLEM, f"chmod 700 {folder}")


def test_a_store_without_its_key_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    open_store(folder).writer().close()
    (folder / "store.key").write_bytes(bytes(32))
    assert machine.check_store(folder).state is State.PROBLEM
    (folder / "store.key").unlink()
    assert machine.check_store(folder).state is State.PROBLEM
    file = tmp_path / "file"
    file.touch()
    assert machine.check_store(file).state is State.PROBLEM


def test_an_old_python_and_a_missing_library_are_problems() -> None:
    assert machine.check_python((3, 10, 9)).state is State.PROBLEM
    check = machine.check_libraries(("numpy", "no-such-library-of-ours"))
    assert (check.state, check.remedy) == (State.PROBLEM, "pip install no-such-library-of-ours")


# -- the bus


def test_no_bus_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (f"unix:path={tmp_path}/none", "nonsense", "unix:nothing=1", f"unix:path={tmp_path}"):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        answer = ask_bus()
        assert answer.absent
        assert not answer.bluetoothd


@pytest.mark.parametrize("greeting", [None, b"", b"ERROR\r\n", b"GARBAGE " * 100 + b"\r\n"])
def test_a_bus_that_says_nothing_or_nonsense_is_an_answer(
    greeting: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "bus")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        done = threading.Event()

        def serve() -> None:
            with server.accept()[0] as peer:
                if greeting is None:
                    done.wait(60)  # silent
                else:
                    peer.sendall(greeting)

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={path}")
        try:
            assert ask_bus(limit_s=1.0).absent
        finally:
            done.set()
            thread.join()


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A message bus of our own, in the place of the system's."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        pytest.skip("dbus-daemon is not installed")
    config = tmp_path / "bus.conf"
    config.write_text(
        f"<busconfig><type>system</type><listen>unix:path={tmp_path}/bus</listen>"
        '<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>'
        '<allow receive_sender="*"/></policy></busconfig>'
    )
    process = subprocess.Popen(
        [daemon, f"--config-file={config}", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address
    finally:
        process.kill()
        process.communicate()


def test_a_bus_without_bluetoothd(bus: str) -> None:
    assert ask_bus(60) == BusAnswer()


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (None, BusAnswer(bluetoothd=True, adapters=(HCI0, Adapter("hci1", "66:77", False, False)))),
        ("org.freedesktop.DBus.Error.AccessDenied", BusAnswer(bluetoothd=True, denied=True)),
        ("org.freedesktop.DBus.Error.Failed", BusAnswer(bluetoothd=True)),
    ],
)
def test_bluetoothd_tells_its_adapters(error: str | None, answer: BusAnswer, bus: str) -> None:
    from dbus_fast import BusType, Message, Variant
    from dbus_fast.aio import MessageBus

    objects = {
        "/org/bluez": {"org.bluez.AgentManager1": {}},
        "/org/bluez/hci0": {
            "org.bluez.Adapter1": {
                "Address": Variant("s", HCI0.address),
                "Powered": Variant("b", True),
                "Roles": Variant("as", ["central", "peripheral"]),
            }
        },
        "/org/bluez/hci1": {
            "org.bluez.Adapter1": {
                "Address": Variant("s", "66:77"),
                "Powered": Variant("b", False),
                "Roles": Variant("as", ["peripheral"]),
            }
        },
    }

    def handle(message: Message) -> Message | bool | None:
        if message.member != "GetManagedObjects":
            return None
        if error is not None:
            return Message.new_error(message, error, "no")
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])

    async def serve() -> BusAnswer:
        service = await MessageBus(bus_type=BusType.SYSTEM).connect()
        service.add_message_handler(handle)
        await service.request_name("org.bluez")
        try:
            return await asyncio.to_thread(ask_bus, 60)
        finally:
            service.disconnect()

    assert asyncio.run(serve()) == answer


# -- the command


def test_the_command_tells_every_check_and_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = [Check("adapter", State.OK, "hci0"), Check("clock", State.WARNING, "[not] so", "do it")]
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setattr(doctor_command, "examine", lambda *_: fine)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0
    assert "[not] so" in result.stdout and "-> do it" in result.stdout
    row = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert row["ok"] is True
    assert row["checks"][1] == {"name": "clock", "state": "warning", "text": "[not] so", "remedy": "do it"}
    fine.append(Check("power", State.PROBLEM, "off", "on"))
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


def test_without_a_bus_it_is_one_more_line_and_no_traceback(tmp_path: Path) -> None:
    bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    done = vitalkeep(tmp_path, "doctor", "--json", extra=bus)
    assert (done.code, done.err) == (1, "")
    (row,) = done.rows()
    assert row["schema"] == "vitalkeep.doctor/1"
    assert {check["name"]: check["state"] for check in row["checks"]}["message bus"] == "problem"
    text = vitalkeep(tmp_path, "doctor", extra=bus)
    assert (text.code, text.err) == (1, "")
    assert "message bus" in text.out
    assert not (tmp_path / "data").exists()
