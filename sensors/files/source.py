"""What every reader of a file gives: channels that are known at once, and items that stream in blocks.

A file has no wall clock of its own here: its first sample is at 0 ns. What the file itself marks as absent becomes a
Gap between blocks, never a number.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sensors.errors import FileFormatError
from sensors.files.annotation import AnnotatedBeat
from sensors.samples import Gap, GapReason, Kind, Reading, Samples

FileItem = Samples | Reading | Gap | AnnotatedBeat

_NAMES = {
    Kind.ECG: re.compile(
        r"^((ecg|ekg|lead).*|m[lv]i*\d?|mcl\d|(mod\.)?v[\dxyz]r?|i{1,3}|d[1-4]|av[rlf]|c[mc]\d)\b", re.IGNORECASE
    ),
    Kind.PPG: re.compile(r"^(ppg|pleth)", re.IGNORECASE),
    Kind.RESP: re.compile(r"^resp", re.IGNORECASE),
}
_OTHER_NAME = re.compile(
    r"^(abp|art|pap|cvp|bp|icp|eeg|emg|eog|eda|gsr|temp|spo2|sao2|hr|pulse|status|acc|event)", re.IGNORECASE
)
_BEYOND = 1e15
_MILLIVOLTS = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6, "v": 1e3}


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One channel of a file. `kind` None: we have no use for it, it is named but never read."""

    name: str
    kind: Kind | None
    fs_hz: float | None
    unit: str


class FileSource(Protocol):
    """One record of one file (or of the few files that make it up)."""

    @property
    def name(self) -> str:
        """The record's name: the file's stem."""

    @property
    def fs_hz(self) -> float | None:
        """The rate that sample numbers of this record count in; None where there is none."""

    @property
    def duration_s(self) -> float | None:
        """What the file says before it is read; None where only reading tells."""

    @property
    def channels(self) -> tuple[ChannelInfo, ...]: ...

    @property
    def started_ns(self) -> int:
        """Always 0 for a file without a date of use to us."""

    @property
    def notes(self) -> list[str]:
        """What was odd about the file; grows while it is read."""

    def items(self, channels: Collection[str] | None = None, block_s: float = 60.0) -> Iterator[FileItem]:
        """Streams the record, about `block_s` seconds of it in memory at a time.

        `channels` names the sampled channels wanted, None takes all that have a kind; readings always come. Raises
        FileFormatError for a name that the record does not have, and for what only shows while reading.
        """


def kinds_of(named: Sequence[tuple[str, str]]) -> list[Kind | None]:
    """What each (name, unit) of a record measures; None where we have no use for it.

    A voltage of unknown name is an ECG only in a record that calls none of its channels one: beside an ECG it is as
    likely an EEG.
    """
    kinds = [_kind_by_name(name.strip()) for name, _ in named]
    if Kind.ECG in kinds:
        return kinds
    return [
        Kind.ECG
        if kind is None and unit.strip().lower() in _MILLIVOLTS and not _OTHER_NAME.match(name.strip())
        else kind
        for kind, (name, unit) in zip(kinds, named, strict=True)
    ]


def _kind_by_name(name: str) -> Kind | None:
    for kind, pattern in _NAMES.items():
        if pattern.match(name):
            return kind
    return None


def to_millivolts(unit: str) -> float:
    """The factor from `unit` to mV; a unit that is not a voltage is taken for mV, as WFDB does for a missing one."""
    return _MILLIVOLTS.get(unit.strip().lower(), 1.0)


def unique_names(names: Iterable[str]) -> list[str]:
    """Names that tell channels apart: a repeated one gets its number, a missing one is called after its place."""
    seen: dict[str, int] = {}
    out = []
    for at, raw in enumerate(names):
        name = raw.strip() or f"channel_{at + 1}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return out


def require_known(record: str, channels: tuple[ChannelInfo, ...], wanted: Collection[str] | None) -> None:
    """Raises FileFormatError where a channel is wanted that is not there or has no use."""
    for name in wanted or ():
        match = next((c for c in channels if c.name == name), None)
        if match is None:
            have = ", ".join(c.name for c in channels) or "no sampled channel"
            raise FileFormatError(f"{record}: no channel {name!r}; the record has {have}")
        if match.kind is None:
            raise FileFormatError(f"{record}: channel {name!r} ({match.unit}) is none that can be analysed")


def wanted_channels(record: str, channels: tuple[ChannelInfo, ...], wanted: Collection[str] | None) -> list[int]:
    """Indices of the channels to read. Raises FileFormatError as `require_known` does."""
    require_known(record, channels, wanted)
    return [i for i, c in enumerate(channels) if c.kind is not None and (wanted is None or c.name in wanted)]


def require_usable(record: str, channels: tuple[ChannelInfo, ...]) -> None:
    """Raises FileFormatError where no channel has a kind."""
    if not channels:
        raise FileFormatError(f"{record}: the header names no channel, at least one is needed")
    if all(c.kind is None for c in channels):
        have = ", ".join(c.name for c in channels)
        raise FileFormatError(f"{record}: no ECG, PPG, acceleration or respiration channel; it has {have}")


def finite_stretches(
    info: ChannelInfo, *, fs_hz: float, step_ns: float, offset: int, values: NDArray[np.float64], anchor_ns: int = 0
) -> Iterator[Samples | Gap]:
    """Samples of the finite stretches of `values`, shape (n,) or (n, 3), and a MISSING gap for each of the others."""
    if info.kind is None:
        raise ValueError(f"channel {info.name} has no kind")
    # neither NaN, nor infinite, nor further than any sensor counts: such a number is a fault of the file
    finite = np.asarray((np.abs(values) < _BEYOND).reshape(len(values), -1).all(axis=1))
    whole = Samples(info.kind, info.name, fs_hz, anchor_ns, step_ns, offset, values)
    if finite.all():
        if len(values):
            yield whole
        return
    edges = np.flatnonzero(np.diff(finite)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    for start, stop in itertools.pairwise(bounds):
        if finite[start]:
            yield whole.cut(start, stop)
        else:
            yield Gap(info.name, whole.t_ns(start), whole.t_ns(stop), GapReason.MISSING)
