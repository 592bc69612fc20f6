"""The root file system of the machine with the true BlueZ: a cpio archive (kernel.org, initramfs buffer format), made
of what fetch.sh unpacked. Only what the daemons load and the modules that Bluetooth needs go in."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = (
    "bin/busybox",
    "usr/bin/btattach",
    "usr/bin/btmgmt",
    "usr/bin/btmon",
    "usr/bin/dbus-daemon",
    "usr/bin/socat",
    "usr/libexec/bluetooth/bluetoothd",
)
# The radio behind a serial line, the door to the bus, and what the kernel asks for when two devices pair.
MODULES = (
    "hci_uart",
    "virtio_pci",
    "virtio_net",
    "ecdh_generic",
    "cmac",
    "ecb",
    "aes_generic",
    "algif_hash",
    "algif_skcipher",
    "sha256_generic",
    "sha512_generic",
    "hmac",
    "ctr",
    "drbg",
    "jitterentropy_rng",
)
_LOADER = "lib64/ld-linux-x86-64.so.2"


class Cpio:
    """An archive in the "newc" format."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._names: set[str] = set()

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def folder(self, name: str, mode: int = 0o755) -> None:
        self._entry(name, stat.S_IFDIR | mode)

    def console(self) -> None:
        """The one device that the kernel wants before anything is mounted."""
        self._entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))

    def done(self) -> bytes:
        self._entry("TRAILER!!!", 0)
        return bytes(self._bytes)

    def _entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        folder = str(Path(name).parent)
        if name in self._names:
            return
        if folder != "." and name != "TRAILER!!!":
            self.folder(folder)
        self._names.add(name)
        fields = (len(self._names), mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name.encode()) + 1, 0)
        self._bytes += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        self._pad()
        self._bytes += content
        self._pad()

    def _pad(self) -> None:
        self._bytes += bytes(-len(self._bytes) % 4)


def build(unpacked: Path, files: dict[str, bytes]) -> bytes:
    """`unpacked`: as fetch.sh leaves it. `files`: what is ours, by its path; all of it may be executed."""
    root = unpacked / "root"
    archive = Cpio()
    for name in ("dev", "proc", "sys", "run/dbus", "tmp", "var/lib/bluetooth", "sbin"):
        archive.folder(name)
    archive.console()
    for program in PROGRAMS:
        archive.file(program, (root / program).read_bytes(), 0o755)
    archive.file(_LOADER, (root / _LOADER).read_bytes(), 0o755)
    for library in sorted({library for program in PROGRAMS for library in _libraries(root, program)}):
        archive.file(f"lib/{library.name}", library.read_bytes(), 0o755)
    archive.link("sbin/modprobe", "/bin/busybox")
    modules = next((root / "lib/modules").iterdir())
    for name in ("modules.alias", "modules.builtin", "modules.symbols"):
        archive.file(f"lib/modules/{modules.name}/{name}", (modules / name).read_bytes())
    needs = dict(_dependencies(modules))
    wanted = sorted(_with_needs(needs, MODULES))
    for path in wanted:
        archive.file(f"lib/modules/{modules.name}/{path}", (modules / path).read_bytes())
    lines = "".join(f"{path}: {' '.join(needs[path])}\n" for path in wanted)
    archive.file(f"lib/modules/{modules.name}/modules.dep", lines.encode())
    for name, content in files.items():
        archive.file(name, content, 0o755)
    return archive.done()


def kernel(unpacked: Path) -> Path:
    return next((unpacked / "root/boot").glob("vmlinuz-*"))


def _libraries(root: Path, program: str) -> Iterator[Path]:
    """Those that a program loads, from among what was unpacked."""
    places = [root / place for place in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")]
    command: list[str | Path] = [root / _LOADER, "--library-path", ":".join(map(str, places)), "--list", root / program]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    for line in listed.stdout.splitlines():
        words = line.split()
        if "not found" in line:
            raise FileNotFoundError(f"{program} needs {words[0]}, which fetch.sh did not unpack")
        if "=>" in words and words[2].startswith(str(root)):
            yield Path(words[2])


def _dependencies(modules: Path) -> Iterator[tuple[str, list[str]]]:
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, needs = line.partition(":")
        yield path, needs.split()


def _with_needs(needs: dict[str, list[str]], names: tuple[str, ...]) -> set[str]:
    by_name = {Path(path).name.split(".")[0].replace("-", "_"): path for path in needs}
    found: set[str] = set()
    for name in names:
        if name in by_name:  # else it is part of the kernel itself
            path = by_name[name]
            found |= {path, *needs[path]}
    return found
