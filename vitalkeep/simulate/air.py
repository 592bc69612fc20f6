"""Devices within one process that hear each other, and the door through which this machine's Bluetooth joins them."""

from __future__ import annotations

from bumble.controller import Controller
from bumble.device import Device
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, Transport


class Air:
    """Nothing leaves it but through a transport that was let in."""

    def __init__(self) -> None:
        self._link = LocalLink()  # type: ignore[no-untyped-call]

    def device(self, name: str, address: str) -> Device:
        """A device with a virtual radio of its own. `address`: a static random one, whose first digit is C to F."""
        controller = Controller(name, link=self._link)
        host = Host(controller, AsyncPipeSink(controller))
        return Device(name=name, address=Address(address), host=host)

    def let_in(self, transport: Transport) -> None:
        """Whoever is at the other end (a kernel behind vhci, a test behind a socket) gets a radio here."""
        Controller("outside", host_source=transport.source, host_sink=transport.sink, link=self._link)
