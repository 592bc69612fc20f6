"""What the kernel tells of heat and battery is read as it is, and what cannot be is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_pipeline.governor.machine import Machine, read_machine


def put(sys: Path, name: str, **files: str) -> Path:
    folder = sys / "class" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text + "\n")
    return folder


def test_a_raspberry_pi_tells_its_temperature_and_has_no_battery(tmp_path: Path) -> None:
    put(tmp_path, "thermal/thermal_zone0", type="cpu-thermal", temp="56478", trip_point_0_type="critical",
        trip_point_0_temp="110000", trip_point_1_type="active", trip_point_1_temp="50000")  # fmt: skip
    assert read_machine(tmp_path) == Machine(temperature_c=56.478, trip_c=110.0)


def test_of_several_zones_the_one_nearest_to_its_own_limit_counts(tmp_path: Path) -> None:
    put(tmp_path, "thermal/thermal_zone0", temp="70000", trip_point_0_type="passive", trip_point_0_temp="100000")
    put(tmp_path, "thermal/thermal_zone1", temp="60000", trip_point_0_type="passive", trip_point_0_temp="65000",
        trip_point_1_type="critical", trip_point_1_temp="90000")  # fmt: skip
    assert read_machine(tmp_path) == Machine(temperature_c=60.0, trip_c=65.0)


@pytest.mark.parametrize("temp", ["-1", "0", "-273200", "200000", "", "warm", "4294967295"])
def test_a_temperature_that_cannot_be_is_none(temp: str, tmp_path: Path) -> None:
    put(tmp_path, "thermal/thermal_zone0", temp=temp)
    assert read_machine(tmp_path) == Machine()


@pytest.mark.parametrize("trip", ["-274000", "0", "500000", "none"])
def test_a_trip_point_that_cannot_be_is_none(trip: str, tmp_path: Path) -> None:
    put(tmp_path, "thermal/thermal_zone0", temp="50000", trip_point_0_type="hot", trip_point_0_temp=trip)
    assert read_machine(tmp_path) == Machine(temperature_c=50.0)


@pytest.mark.parametrize(
    ("files", "pct", "discharging"),
    [
        ({"capacity": "40", "status": "Discharging"}, 40.0, True),
        ({"capacity": "40", "status": "Charging"}, 40.0, False),
        ({"capacity": "100", "status": "Full"}, 100.0, False),
        ({"capacity": "103", "status": "Not charging"}, 100.0, False),
        ({"energy_now": "12000000", "energy_full": "48000000", "status": "Discharging"}, 25.0, True),
        ({"charge_now": "300", "charge_full": "1000", "status": "Discharging"}, 30.0, True),
        ({"capacity": "-1", "status": "Discharging"}, None, None),
        ({"capacity": "255", "status": "Unknown"}, None, None),
        ({"capacity": "40", "status": "Discharging", "present": "0"}, None, None),
        ({"capacity": "40", "status": "Discharging", "scope": "Device"}, None, None),
        ({"charge_now": "300", "charge_full": "0", "status": "Discharging"}, None, None),
        ({"status": "Discharging"}, None, None),
    ],
)
def test_a_battery_is_read_or_absent(
    files: dict[str, str], pct: float | None, discharging: bool | None, tmp_path: Path
) -> None:
    put(tmp_path, "power_supply/BAT0", type="Battery", **files)
    assert read_machine(tmp_path) == Machine(battery_pct=pct, is_discharging=discharging)


@pytest.mark.parametrize(("online", "discharging"), [("1", False), ("0", True)])
def test_where_the_battery_does_not_say_the_mains_do(online: str, discharging: bool, tmp_path: Path) -> None:
    put(tmp_path, "power_supply/BAT0", type="Battery", capacity="15", status="Unknown")
    put(tmp_path, "power_supply/AC", type="Mains", online=online)
    assert read_machine(tmp_path) == Machine(battery_pct=15.0, is_discharging=discharging)


def test_mains_alone_are_no_battery_and_no_folder_is_no_failure(tmp_path: Path) -> None:
    put(tmp_path, "power_supply/AC", type="Mains", online="1")
    assert read_machine(tmp_path) == Machine()
    assert read_machine(tmp_path / "none") == Machine()
    (tmp_path / "class" / "thermal" / "thermal_zone0" / "temp").mkdir(parents=True)  # a read that is refused
    assert read_machine(tmp_path) == Machine()


def test_the_machine_of_these_tests_is_read_without_an_error() -> None:
    read_machine()
