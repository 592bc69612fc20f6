from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sensors.asking import ASKING, Asking, keep_asking
from sensors.profile import full_uuid
from sensors.registry import PROFILES


def test_who_is_asked_is_read_and_the_question_is_the_bytes_that_it_takes() -> None:
    by_uuid = {profile.characteristic: profile.name for profile in PROFILES}
    told = {by_uuid[uuid]: (a.write[:8], a.question, a.at_end) for uuid, a in ASKING.items()}
    assert told == {
        "movesense": ("34800001", b"\x01\x64/Meas/ECG/200", b"\x02\x64"),
        "o2ring": ("8b00ace7", bytes.fromhex("aa17e8000000001b"), None),
    }
    assert all(a.write == full_uuid(a.write) for a in ASKING.values())
    # one write of the smallest MTU holds each of them
    assert all(len(a.question) <= 20 for a in ASKING.values())


def test_one_question_is_put_once_and_another_again_and_again_until_the_link_fails() -> None:
    written: list[bytes] = []

    async def write(question: bytes) -> None:
        written.append(question)
        if len(written) == 5:
            raise OSError("gone")

    once = Asking(full_uuid("2a99"), b"once")
    asyncio.run(keep_asking(once, write))
    assert written == [b"once"]
    with pytest.raises(OSError, match="gone"):
        asyncio.run(keep_asking(replace(once, question=b"live", every_s=0.001), write))
    assert written == [b"once"] + [b"live"] * 4
