"""Whoever can see the wearer has no network: a process that called `install` can open none, until it ends.

An audit hook (PEP 578) refuses every socket whose family is not AF_UNIX, and every name lookup. It guards against our
own mistakes and those of libraries; native code that calls the system by itself passes by it, so in production the
service also has systemd's RestrictAddressFamilies=AF_UNIX. A hook cannot be taken out again. Forked processes inherit
it, spawned ones do not: whoever spawns a worker that sees the wearer makes `install` its initializer.
"""

from __future__ import annotations

import sys

# Not from the socket module, which this room may not import. The same on Linux, macOS and the BSDs.
_AF_UNIX = 1

_QUESTION = "device_pipeline.no_network"

_LOOKUPS = frozenset(
    {
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
    }
)
_ADDRESSED = frozenset({"socket.bind", "socket.connect", "socket.sendmsg", "socket.sendto"})


class NetworkRefusedError(RuntimeError):
    """Something in this process tried to reach a network. Our mistake, so nobody should catch it."""


class _InstalledError(Exception):
    """The answer to `_QUESTION`."""


def install() -> None:
    """Closes the network for this process. Calling it again changes nothing."""
    if not installed():
        sys.addaudithook(_refuse)


def installed() -> bool:
    """Whether the network of this process is closed; asks the hook itself."""
    try:
        sys.audit(_QUESTION)
    except _InstalledError:
        return True
    return False


def _refuse(event: str, args: tuple[object, ...]) -> None:
    # Called for every import, open and exec of the process: the common way out comes first.
    if not event.startswith(("socket.", _QUESTION)):
        return
    if event == "socket.__new__":
        # A socket made from a descriptor without naming its family arrives as -1: also refused.
        if args[1] != _AF_UNIX:
            raise NetworkRefusedError(f"a socket of family {args[1]} in a process that may open only AF_UNIX")
    elif event in _LOOKUPS:
        raise NetworkRefusedError(f"{event} in a process that may look up no names")
    elif event in _ADDRESSED:
        family = getattr(args[0], "family", None)
        if family != _AF_UNIX:
            raise NetworkRefusedError(f"{event} on family {family} in a process that may use only AF_UNIX")
    elif event == _QUESTION:
        raise _InstalledError
