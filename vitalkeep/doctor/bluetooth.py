"""Adapter, switch, service and permission: everything between this program and the radio."""

from __future__ import annotations

from pathlib import Path

from vitalkeep.doctor.bus import BusAnswer
from vitalkeep.doctor.check import Check, ok, problem, warning

_DAEMONS = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd", "usr/sbin/bluetoothd")
_NO_ADAPTER = (
    "plug one in; on a Raspberry Pi take dtoverlay=disable-bt out of /boot/firmware/config.txt and run"
    " sudo systemctl enable --now hciuart"
)


def check_adapter(root: Path, bus: BusAnswer) -> Check:
    """`root`: of the file system, so that another one can be looked at. A container may have the bus and not sysfs."""
    folder = root / "sys/class/bluetooth"
    # hci0:64 is a connection of hci0
    names = sorted(p.name for p in folder.iterdir() if ":" not in p.name) if folder.is_dir() else []
    names = names or [adapter.name for adapter in bus.adapters]
    if not names:
        return problem("adapter", "no Bluetooth adapter", _NO_ADAPTER)
    return ok("adapter", ", ".join(names))


def check_switch(root: Path) -> Check | None:
    """The kernel's own switch of the radio; None where there is none."""
    found = []
    for switch in sorted((root / "sys/class/rfkill").glob("rfkill*")):
        if _read(switch / "type") == "bluetooth":
            name = _read(switch / "name") or switch.name
            if _read(switch / "hard") == "1":
                return problem("switch", f"{name} is off by a switch or key of this machine", "turn that switch on")
            if _read(switch / "soft") == "1":
                return problem("switch", f"{name} is blocked", "sudo rfkill unblock bluetooth")
            found.append(name)
    return ok("switch", f"{', '.join(found)} not blocked") if found else None


def check_service(root: Path, bus: BusAnswer) -> Check:
    if bus.bluetoothd:
        return ok("bluetoothd", "running")
    if not any((root / path).exists() for path in _DAEMONS):
        return problem("bluetoothd", "not installed", "sudo apt install bluez")
    if bus.absent is not None and _is_running(root, "bluetoothd"):
        return ok("bluetoothd", "running")
    return problem("bluetoothd", "not running", "sudo systemctl enable --now bluetooth")


def check_bus(bus: BusAnswer) -> Check:
    if bus.absent == "dbus-fast is not installed":
        return problem("message bus", "cannot be asked: dbus-fast is not installed", "pip install bleak")
    if bus.absent is not None:
        return problem("message bus", f"cannot be reached: {bus.absent}", "sudo systemctl start dbus")
    return ok("message bus", "answers")


def check_permission(bus: BusAnswer) -> Check | None:
    """None where there is nobody to ask."""
    if bus.denied:
        return problem(
            "permission",
            "this user may not speak to bluetoothd",
            "sudo usermod -aG bluetooth $USER, then log out and in again",
        )
    return ok("permission", "this user may speak to bluetoothd") if bus.bluetoothd else None


def check_power(bus: BusAnswer) -> Check | None:
    """None where bluetoothd could not be asked, or knows no adapter, which another check tells."""
    if not bus.adapters:
        return None
    able = [adapter for adapter in bus.adapters if adapter.central]
    if not able:
        return problem("power", "no adapter can connect to a sensor (role central)", "plug in another adapter")
    on = [adapter.name for adapter in able if adapter.powered]
    if not on:
        return problem("power", f"{able[0].name} is off", "bluetoothctl power on")
    if len(on) > 1:
        return warning(
            "power", f"{', '.join(on)} are on; the first is used", f"name another one with --adapter, such as {on[1]}"
        )
    return ok("power", f"{on[0]} is on")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _is_running(root: Path, command: str) -> bool:
    return any(_read(path) == command for path in (root / "proc").glob("[0-9]*/comm"))
