"""Devices within one process that hear each other, and the door through which this machine's Bluetooth joins them."""

from __future__ import annotations

import asyncio

from bumble.controller import Controller
from bumble.core import PhysicalTransport
from bumble.device import Device
from bumble.hci import Address, HCI_ErrorCode, HCI_Reset_Command, HCI_StatusReturnParameters, LeFeatureMask
from bumble.host import Host
from bumble.link import LocalLink
from bumble.ll import TerminateInd
from bumble.transport.common import AsyncPipeSink, Transport

_ADAPTER = "00:1B:DC:00:00:01"


class _Link(LocalLink):
    """bumble's own sends as if from the controller's random address, whichever it connected with (seen in 0.0.236): a
    kernel connects with its public one, and changes the random one at every scan."""

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            return  # the link is gone, and with it whatever was under way
        sender = connection.self_address
        asyncio.get_running_loop().call_soon(lambda: receiver.on_link_acl_data(sender, transport, data))


class _Door(Controller):
    """The radio of whoever is outside, with two things that Linux goes by and bumble's lacks (0.0.236).

    A reset ends its links. And it claims neither privacy in the link layer nor extended advertising: a kernel would
    wait 20 s at each connection for the event that goes with them, and meanwhile neither scan nor disconnect.
    """

    le_features = Controller.le_features & ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)

    def on_hci_reset_command(self, _command: HCI_Reset_Command) -> HCI_StatusReturnParameters:
        for connection in list(self.le_connections.values()):
            connection.send_ll_control_pdu(TerminateInd(HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
            del self.le_connections[connection.peer_address]
        self.pending_le_connection = None
        return super().on_hci_reset_command(_command)


class Air:
    """Nothing leaves it but through a transport that was let in."""

    def __init__(self) -> None:
        self._link = _Link()  # type: ignore[no-untyped-call]

    def device(self, name: str, address: str) -> Device:
        """A device with a virtual radio of its own. `address`: a static random one, whose first digit is C to F."""
        controller = Controller(name, link=self._link)
        host = Host(controller, AsyncPipeSink(controller))
        return Device(name=name, address=Address(address), host=host)

    def let_in(self, transport: Transport) -> None:
        """Whoever is at the other end (a kernel behind vhci, a test behind a socket) gets a radio here."""
        _Door(
            "outside",
            host_source=transport.source,
            host_sink=transport.sink,
            link=self._link,
            public_address=Address(_ADAPTER, Address.PUBLIC_DEVICE_ADDRESS),
        )
