"""Devices that send what they have ready, in a process of their own: `python -m benchmarks.upload_devices`.

Standard input: `PORT AT_ONCE`, then for each device its messages in order, in hexadecimal, then an empty line, and `go`
when it shall begin. Standard output: `ready`, then for each message its receipt in hexadecimal and how often it had to
be sent again. Each message has a connection of its own, as with real devices; receipts are checked by who reads them.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sync.receipt import RECEIPT_BYTES
from sync.release import ENVELOPE_BYTES

RETRY_S = 0.05
PATIENCE_S = 30.0
_HEAD = (
    "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/octet-stream\r\nConnection: close\r\n"
    f"Content-Type: application/octet-stream\r\nContent-Length: {ENVELOPE_BYTES}\r\n\r\n"
).encode("ascii")
_OK = b"HTTP/1.1 200 "


def receipt_of(port: int, message: bytes) -> bytes | None:
    """None: no receipt has come, and the message must be sent again."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(_HEAD + message)
        while part := connection.recv(4096):
            answer += part
        receipt = answer.partition(b"\r\n\r\n")[2]
        if answer.startswith(_OK) and len(receipt) == RECEIPT_BYTES:
            return receipt
    return None


def main() -> None:
    port, at_once = (int(word) for word in sys.stdin.readline().split())
    devices: list[list[bytes]] = []
    while line := sys.stdin.readline().strip():
        devices.append([bytes.fromhex(message) for message in line.split()])
    print("ready", flush=True)
    sys.stdin.readline()
    one_line = threading.Lock()

    def send(messages: list[bytes]) -> None:
        for message in messages:
            again = 0
            while (receipt := receipt_of(port, message)) is None:
                again += 1
                time.sleep(RETRY_S)
            with one_line:
                print(receipt.hex(), again, flush=True)

    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(send, messages) for messages in devices]:
            done.result()


if __name__ == "__main__":
    main()
