"""Who is at the other end: the address of the connection, and what a proxy at a known address says lies behind it.

X-Forwarded-For, -Proto and -Host are read from loopback and from the addresses that were named, and nowhere else. What
cannot be a host, or comes with two lengths, is turned away here, before anything is made of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from sync.clinic.errors import ClinicError
from sync.clinic.rate_limit import Address, plain

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# h11 bounds a head only while it is not whole
MOST_HEADER_BYTES = 32 * 1024
_PEER = "vitalkeep.peer"
_NAMED_HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?")
_NUMBERED_HOST = re.compile(rb"\[([0-9A-Fa-f:.]{2,45})\](:[0-9]{1,5})?")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Forwarded:
    """Around the whole app. `networks`: of proxies, besides loopback."""

    def __init__(self, app: ASGIApp, networks: Sequence[Network] = ()) -> None:
        self._app = app
        self._networks = (*LOOPBACK, *networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._behind_proxy(scope)
        await self._app(scope, receive, send)

    def _behind_proxy(self, scope: Scope) -> None:
        client = scope.get("client")
        peer = _address(client[0]) if client else None
        scope[_PEER] = peer
        if client and peer is not None:
            scope["client"] = (str(peer), client[1])
        if peer is None or not self._is_proxy(peer):
            return
        for text in reversed(_values(scope, b"x-forwarded-for")):
            behind = _forwarded(text)
            if behind is None:
                break
            scope["client"] = (str(behind), 0)
            if not self._is_proxy(behind):
                break
        schemes = _values(scope, b"x-forwarded-proto")
        if schemes and schemes[-1].lower() in ("http", "https"):
            scope["scheme"] = schemes[-1].lower()
        hosts = _values(scope, b"x-forwarded-host")
        if hosts:
            others = [each for each in scope["headers"] if each[0] != b"host"]
            scope["headers"] = [(b"host", hosts[-1].encode("latin-1")), *others]

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def network(address: str) -> Network:
    """Of an address or a network. Raises ClinicError."""
    try:
        found = ipaddress.ip_network(address)
        mapped = getattr(found.network_address, "ipv4_mapped", None)
        return ipaddress.ip_network((mapped, found.prefixlen - 96)) if mapped and found.prefixlen >= 96 else found
    except ValueError:
        raise ClinicError("an address of a proxy is one like 127.0.0.1, or a network like 10.0.0.0/30") from None


def peer_of(scope: Scope) -> Address | None:
    """The address of the connection itself."""
    peer: Address | None = scope.get(_PEER)
    return peer


def is_malformed(scope: Scope) -> bool:
    """Whether nothing should be made of it: floods, a host that can be none, control characters, two lengths."""
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
        return True
    names = [name for name, _ in scope["headers"]]
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not _is_host(hosts[0]):
        return True
    if b"transfer-encoding" in names and b"content-length" in names:
        return True
    if _CONTROL.search(scope["path"].encode("utf-8", "surrogatepass")) is not None:
        return True
    return _CONTROL.search(unquote_to_bytes(scope["query_string"])) is not None


def _is_host(value: bytes) -> bool:
    if _NAMED_HOST.fullmatch(value) is not None:
        return True
    numbered = _NUMBERED_HOST.fullmatch(value)
    return numbered is not None and _address(numbered[1].decode("ascii")) is not None


def _values(scope: Scope, name: bytes) -> list[str]:
    """Of all headers of this name, as one list."""
    joined = ",".join(value.decode("latin-1") for each, value in scope["headers"] if each == name)
    return [each.strip() for each in joined.split(",") if each.strip()]


def _forwarded(text: str) -> Address | None:
    """As proxies write it: also in quotes, in brackets, and with a port."""
    text = text.strip('"')
    read = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    return _address(text if read is None else read[1])


def _address(text: str) -> Address | None:
    try:
        return plain(ipaddress.ip_address(text))
    except ValueError:
        return None
