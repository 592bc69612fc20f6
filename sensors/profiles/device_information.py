"""Device Information Service 1.2: who made the device (PnP ID 0x2A50, System ID 0x2A23 and the strings 0x2A24 to
0x2A29). Nothing in it is about the wearer, and nothing of it is observed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.errors import DecodeError
from sensors.profile import Observation, full_uuid
from sensors.wire import Cursor, Writer


@dataclass(frozen=True, slots=True)
class PnpId:
    """`source` of the vendor number: 1 Bluetooth SIG, 2 USB Implementers' Forum."""

    source: int
    vendor: int
    product: int
    version: int


class PnpIdProfile:
    name = "pnp_id"
    characteristic = full_uuid("2a50")
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> PnpId:
        cursor = Cursor(payload)
        value = PnpId(cursor.u8(), cursor.u16(), cursor.u16(), cursor.u16())
        cursor.done()
        return value

    def encode(self, value: PnpId) -> bytes:
        return Writer().u8(value.source).u16(value.vendor).u16(value.product).u16(value.version).getvalue()

    def observe(self, value: PnpId) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: PnpId) -> dict[str, object]:
        return {
            "source": value.source,
            "vendor": value.vendor,
            "product": value.product,
            "version": value.version,
        }


@dataclass(frozen=True, slots=True)
class SystemId:
    """Both as they are sent: the five bytes the manufacturer chose, the three bytes of its registered number."""

    manufacturer: bytes
    oui: bytes


class SystemIdProfile:
    name = "system_id"
    characteristic = full_uuid("2a23")
    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def decode(self, payload: bytes) -> SystemId:
        cursor = Cursor(payload)
        value = SystemId(cursor.take(5), cursor.take(3))
        cursor.done()
        return value

    def encode(self, value: SystemId) -> bytes:
        if (len(value.manufacturer), len(value.oui)) != (5, 3):
            raise ValueError(f"{len(value.manufacturer)} and {len(value.oui)} bytes, expected 5 and 3")
        return value.manufacturer + value.oui

    def observe(self, value: SystemId) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: SystemId) -> dict[str, object]:
        return {"manufacturer": value.manufacturer.hex(), "oui": value.oui.hex()}


@dataclass(frozen=True, slots=True)
class InformationText:
    text: str


class InformationTextProfile:
    """One of the strings. Many devices end it with zero bytes, which are no part of it."""

    channels: tuple[str, ...] = ()
    silent_after_s: float | None = None

    def __init__(self, name: str, number: str) -> None:
        self.name = name
        self.characteristic = full_uuid(number)

    def decode(self, payload: bytes) -> InformationText:
        try:
            return InformationText(payload.rstrip(b"\0").decode())
        except UnicodeDecodeError as problem:
            raise DecodeError(f"byte {problem.start} of {len(payload)} is no UTF-8, expected text") from None

    def encode(self, value: InformationText) -> bytes:
        if value.text.endswith("\0"):
            raise ValueError("a text that ends with a zero")
        return value.text.encode()

    def observe(self, value: InformationText) -> tuple[Observation, ...]:
        return ()

    def fields(self, value: InformationText) -> dict[str, object]:
        return {"text": value.text}


TEXTS = (
    InformationTextProfile("model_number", "2a24"),
    InformationTextProfile("serial_number", "2a25"),
    InformationTextProfile("firmware_revision", "2a26"),
    InformationTextProfile("hardware_revision", "2a27"),
    InformationTextProfile("software_revision", "2a28"),
    InformationTextProfile("manufacturer_name", "2a29"),
)
