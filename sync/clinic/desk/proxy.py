"""Sign-in by a proxy: who it says somebody is counts from the proxy's own address alone, and a forged name is refused.

Its address is that of the connection, never one that a header tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from sync.clinic.desk.peer import Network, peer_of
from sync.clinic.errors import ClinicError, StaffNameError
from sync.clinic.tables.staff import staff_name


class ForgedNameError(ClinicError):
    """The header came from elsewhere, or is no name."""


@dataclass(frozen=True, slots=True)
class ProxySignIn:
    """`header`: where the name stands; `networks`: of the proxy."""

    header: str
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, header: str, networks: Sequence[Network]) -> ProxySignIn:
        """Raises ClinicError."""
        if re.fullmatch(r"[A-Za-z0-9-]{1,64}", header) is None:
            raise ClinicError("the name of a header has letters, digits and - alone")
        if not networks:
            raise ClinicError(f"where does {header} come from? --proxy-address")
        return cls(header, tuple(networks))

    def name(self, request: Request) -> str | None:
        """Whom the proxy has signed in; None: it says nobody. Raises ForgedNameError."""
        # a proxy that knows nobody on a path may still send the header, with nothing in it
        values = [value for value in request.headers.getlist(self.header) if value.strip()]
        if not values:
            return None
        peer = peer_of(request.scope)
        if peer is None or not any(peer in each for each in self.networks) or len(values) > 1:
            raise ForgedNameError(f"{self.header} is believed once, and from the proxy alone")
        try:
            return staff_name(values[0])
        except StaffNameError:
            raise ForgedNameError(f"{self.header} has no name of staff in it") from None
