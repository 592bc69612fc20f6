"""A recording is the notifications themselves, as they came: one JSON array per line after a header line.

    {"format": "vitalkeep-recording", "version": 1, "device": {"name": "..."}, "started_ns": ...}
    [t_ns, "2a37", "hex"]
    [t_ns, "link", "down", "reason"]  or  [t_ns, "link", "up"]

Optional in the header: device.address, and rates_hz ({"acc": 200}) where frames cannot tell their rate. Reading needs
constant memory whatever the file holds. A file that ends within an entry is cut short, not wrong: all before it is
delivered, then a Truncated. Also read is the plain log of H10 frames: a 24-byte magic, then u32 length and frame.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from sensors.errors import DecodeError, FileFormatError
from sensors.link import Device, Event, LinkDown, LinkUp, Notification, Truncated
from sensors.profile import full_uuid, short_uuid
from sensors.profiles.polar_pmd import DATA, EPOCH_NS

FORMAT, VERSION = "vitalkeep-recording", 1
H10_LOG_MAGIC = b"H10 ECG v1.0 binary data"

_LONGEST_LINE = 65_536
_LONGEST_PAYLOAD = 512  # an attribute value, Bluetooth Core Vol 3 Part F 3.2.9
_LONGEST_PAUSE_NS = 31 * 86_400 * 10**9
_LAST_NS = 1 << 62  # the year 2116
_GZIP_MAGIC = b"\x1f\x8b"


class Recording:
    """A file of notifications. Opening reads the header; `events` reads the rest, once or again.

    Raises FileFormatError for what is no recording; the message names the file, the line or frame, and both sides.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.device = Device("Polar H10")
        self.started_ns = 0
        with self._open() as file:
            self.is_h10_log = self._peek(file, len(H10_LOG_MAGIC)) == H10_LOG_MAGIC
            if self.is_h10_log:
                for event in self._log_events(file):
                    self.started_ns = event.t_ns
                    break
            else:
                self._read_header(file)

    def events(self) -> Iterator[Event]:
        """In order of time; a Truncated comes last if at all. Raises FileFormatError where the file goes wrong."""
        with self._open() as file:
            if self.is_h10_log:
                yield from self._log_events(file)
            else:
                self._line(file)
                yield from self._line_events(file)

    def _open(self) -> io.BufferedReader:
        try:
            if self.path.is_dir():
                self._wrong("a directory, expected a recording")
            file = self.path.open("rb")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise FileFormatError(f"{self.path.name}: cannot be read ({why})") from None
        if file.peek(2)[:2] != _GZIP_MAGIC:
            return file
        return io.BufferedReader(_Unpacked(file))

    def _peek(self, file: io.BufferedReader, size: int) -> bytes:
        try:
            return file.peek(size)[:size]
        except (OSError, zlib.error, EOFError) as error:
            raise FileFormatError(f"{self.path.name}: compressed data is damaged ({error})") from None

    def _read_header(self, file: io.BufferedReader) -> None:
        try:
            line = self._line(file)
        except EOFError:
            line = b""
        if not line:
            self._wrong("empty file, expected a recording")
        try:
            header = _parse(line)
        except ValueError:
            header = None
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            self._wrong(f'line 1: no recording header, expected {{"format": "{FORMAT}", ...}}')
        version = header.get("version")
        if type(version) is not int or not 1 <= version <= VERSION:
            self._wrong(f"line 1: version {_short(version)}, expected 1 to {VERSION}")
        device = header.get("device")
        if not isinstance(device, dict) or not isinstance(device.get("name"), str):
            self._wrong('line 1: no device name, expected "device": {"name": "..."}')
        address = device.get("address")
        if address is not None and not isinstance(address, str):
            self._wrong(f"line 1: device address {_short(address)}, expected text")
        rates = header.get("rates_hz", {})
        if not isinstance(rates, dict) or not all(_is_rate(rate) for rate in rates.values()):
            self._wrong('line 1: rates_hz, expected {"channel": number above 0}')
        self.started_ns = self._time(header.get("started_ns"), "line 1: started_ns")
        self.device = Device(device["name"], address, tuple((name, float(rate)) for name, rate in rates.items()))

    def _line_events(self, file: io.BufferedReader) -> Iterator[Event]:
        last_ns, number = self.started_ns, 1
        while True:
            number += 1
            try:
                line = self._line(file, number)
                if not line:
                    return
                entry = _parse(line)
            except EOFError:
                yield Truncated(last_ns, f"{self.path.name}: compressed data ends within line {number}")
                return
            except ValueError as error:
                if not line.endswith(b"\n") or self._at_end(file):
                    yield Truncated(last_ns, f"{self.path.name}: ends within line {number}")
                    return
                self._wrong(f"line {number}: no JSON ({error}), expected [t_ns, characteristic, hex]")
            event = self._event(entry, number)
            self._advance(last_ns, event.t_ns, f"line {number}")
            last_ns = event.t_ns
            yield event

    def _event(self, entry: object, number: int) -> Event:
        if not isinstance(entry, list) or not 3 <= len(entry) <= 4:
            # not the entry itself: it may hold what the sensor measured
            what_it_is = f"{len(entry)} fields" if isinstance(entry, list) else "no list"
            self._wrong(f"line {number}: {what_it_is}, expected [t_ns, characteristic, hex]")
        t_ns = self._time(entry[0], f"line {number}: time")
        what, value = entry[1], entry[2]
        if not isinstance(what, str) or not isinstance(value, str):
            self._wrong(f"line {number}: expected texts after the time")
        if what == "link":
            reason = entry[3] if len(entry) == 4 else ""
            if value not in ("down", "up") or not isinstance(reason, str):
                self._wrong(f'line {number}: link {_short(value)}, expected "down" or "up" and a reason')
            return LinkDown(t_ns, reason) if value == "down" else LinkUp(t_ns)
        if len(entry) != 3:
            self._wrong(f"line {number}: 4 fields, expected 3 for a notification")
        try:
            uuid = full_uuid(what)
        except DecodeError as error:
            self._wrong(f"line {number}: {error}")
        if len(value) > 2 * _LONGEST_PAYLOAD:
            self._wrong(f"line {number}: {len(value) // 2} bytes of payload, expected at most {_LONGEST_PAYLOAD}")
        try:
            return Notification(t_ns, uuid, bytes.fromhex(value))
        except ValueError:
            self._wrong(f"line {number}: {len(value)} characters of payload, expected pairs of hexadecimal digits")

    def _log_events(self, file: io.BufferedReader) -> Iterator[Event]:
        file.read(len(H10_LOG_MAGIC))
        last_ns: int | None = None
        number = 0
        while True:
            number += 1
            try:
                head = file.read(4)
                size = int.from_bytes(head, "little")
                if len(head) == 4 and size > _LONGEST_PAYLOAD:
                    self._wrong(f"frame {number}: {size} bytes, expected at most {_LONGEST_PAYLOAD}")
                frame = file.read(size) if len(head) == 4 else b""
            except EOFError:
                yield Truncated(last_ns or 0, f"{self.path.name}: compressed data ends within frame {number}")
                return
            except (OSError, zlib.error) as error:
                self._wrong(f"frame {number}: cannot be read ({error})")
            if not head:
                return
            if len(head) < 4 or len(frame) < size:
                yield Truncated(last_ns or 0, f"{self.path.name}: ends within frame {number}")
                return
            # the log has no arrival times; the device's own clock stands in for them
            t_ns = int.from_bytes(frame[1:9], "little") + EPOCH_NS if len(frame) >= 9 else last_ns or 0
            t_ns = self._time(t_ns, f"frame {number}: time")
            if last_ns is not None:
                self._advance(last_ns, t_ns, f"frame {number}")
            last_ns = t_ns
            yield Notification(t_ns, DATA, frame)

    def _line(self, file: io.BufferedReader, number: int = 1) -> bytes:
        try:
            line = file.readline(_LONGEST_LINE + 1)
        except (OSError, zlib.error) as error:
            self._wrong(f"line {number}: cannot be read ({error})")
        if len(line) > _LONGEST_LINE:
            self._wrong(f"line {number}: longer than {_LONGEST_LINE} bytes, expected at most that")
        return line

    def _at_end(self, file: io.BufferedReader) -> bool:
        try:
            return not file.peek(1)
        except (OSError, zlib.error, EOFError):
            return True

    def _time(self, t_ns: object, where: str) -> int:
        if type(t_ns) is not int or not 0 <= t_ns < _LAST_NS:
            self._wrong(f"{where} {_short(t_ns)}, expected whole nanoseconds from 0 to {_LAST_NS}")
        return t_ns

    def _advance(self, last_ns: int, t_ns: int, where: str) -> None:
        if t_ns < last_ns:
            self._wrong(f"{where}: time {t_ns} goes backward, expected at least {last_ns}")
        if t_ns - last_ns > _LONGEST_PAUSE_NS:
            self._wrong(f"{where}: {(t_ns - last_ns) // 10**9} s after the entry before, expected at most 31 days")

    def _wrong(self, what: str) -> NoReturn:
        raise FileFormatError(f"{self.path.name}: {what}")


class RecordingWriter:
    """Appends events to a new recording; compressed where the name ends in .gz. An existing file is never overwritten.

    `flush` gives what was written to the operating system, so that a crash of ours loses nothing before it.
    """

    def __init__(self, path: Path, device: Device, started_ns: int) -> None:
        plain = path.open("xb")
        # no name and no time in the gzip header: the same events give the same bytes
        self._plain = plain
        self._file: gzip.GzipFile | io.BufferedWriter = (
            gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) if path.name.endswith(".gz") else plain
        )
        about: dict[str, Any] = {"name": device.name}
        if device.address is not None:
            about["address"] = device.address
        header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "device": about, "started_ns": started_ns}
        if device.rates_hz:
            header["rates_hz"] = dict(device.rates_hz)
        self._put(header)

    def write(self, event: Event) -> None:
        match event:
            case Notification():
                self._put([event.t_ns, short_uuid(event.characteristic), event.payload.hex()])
            case LinkDown():
                self._put([event.t_ns, "link", "down", event.reason])
            case LinkUp():
                self._put([event.t_ns, "link", "up"])
            case Truncated():
                pass  # the copy ends there as well

    def flush(self) -> None:
        self._file.flush()
        self._plain.flush()

    def close(self) -> None:
        self._file.close()
        self._plain.close()

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, entry: object) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")


class _Unpacked(io.RawIOBase):
    """A gzip stream that closes the file under it."""

    def __init__(self, packed: io.BufferedReader) -> None:
        self._packed = packed
        self._stream = gzip.GzipFile(fileobj=packed, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read1(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()


def _parse(line: bytes) -> object:
    """Strict JSON. Raises ValueError, for text that is not UTF-8, nesting and endless digits as well."""
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _is_rate(value: object) -> bool:
    return type(value) in (int, float) and 0 < value <= 100_000  # type: ignore[operator]


def _short(value: object) -> str:
    # a number of thousands of digits may not even be turned into text
    if type(value) is int and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
