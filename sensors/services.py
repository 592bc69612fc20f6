"""What a GATT service gives, by its UUID: to find a device's own worth in what it advertises, before connecting to it.

Assigned Numbers (Bluetooth SIG), 3.4; the vendors' own as they advertise them.
"""

from __future__ import annotations

from sensors.profile import full_uuid

SERVICES: dict[str, str] = {
    full_uuid("180d"): "heart rate, RR intervals",
    full_uuid("1822"): "oxygen saturation, pulse rate",
    full_uuid("1809"): "temperature",
    full_uuid("1810"): "blood pressure",
    full_uuid("1808"): "blood glucose",
    full_uuid("181f"): "continuous glucose",
    full_uuid("180f"): "battery",
    full_uuid("feee"): "Polar sensor: ECG or PPG, acceleration",
    full_uuid("fb005c80-02e7-f387-1cad-8acd2d8df0c8"): "Polar streams: ECG or PPG, acceleration",
    full_uuid("34802252-7185-4d5d-b431-630e7050e8f0"): "Movesense: ECG, acceleration",
    full_uuid("6e400001-b5a3-f393-e0a9-e50e24dcca9e"): "serial port of an oximeter, or of something else",
    full_uuid("14839ac4-7d7e-415c-9a42-167340cf2339"): "oxygen saturation, pulse rate, motion",
    full_uuid("49535343-fe7d-4ae5-8fa9-9fafd205e455"): "serial port of an oximeter, or of something else",
    full_uuid("cdeacb80-5235-4c07-8846-93a37ee6b86d"): "oxygen saturation, pulse rate",
    full_uuid("46a970e0-0d5f-11e2-8b5e-0002a5d5c51b"): "oxygen saturation, pulse rate",
}


def gives(services: tuple[str, ...]) -> tuple[str, ...]:
    """What a device with these services can give, in words; empty where we know none of them."""
    known = {service.lower() for service in services}
    return tuple(words for uuid, words in SERVICES.items() if uuid in known)
