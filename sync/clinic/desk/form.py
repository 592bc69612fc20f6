"""A form as a browser sends it, read whole within bounds: at most 64 KiB, within ten seconds, each field once.

Raises HTTPException alone: 400, 408, 413, 415.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 64 * 1024
MOST_FIELDS = 200
WITHIN_S = 10.0
_MEDIA_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    if not _is_form(request):
        raise HTTPException(415)
    try:
        async with asyncio.timeout(WITHIN_S):
            body = await _body(request)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None  # to nobody
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise HTTPException(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or any("\0" in each for pair in pairs for each in pair):
        raise HTTPException(400)
    return fields


def _is_form(request: Request) -> bool:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != _MEDIA_TYPE:
        return False
    return parameters.strip().lower().replace(" ", "") in ("", "charset=utf-8")


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise HTTPException(400)
    if len(announced) > 9 or int(announced) > MOST_BYTES:
        raise HTTPException(413)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return bytes(body)
