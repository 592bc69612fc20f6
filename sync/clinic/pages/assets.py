"""What pages are drawn with: each file is read once, named by its hash, and served under no other path.

A hashed name never changes its bytes, so a browser may keep it for ever; the plain name is asked about again each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    hashed_name: str
    media_type: str
    etag: str
    data: bytes


class Assets:
    """Of one folder, without those beneath it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name: Mapping[str, Asset] = {path.name: _read(path) for path in sorted(folder.iterdir())}
        self._by_hashed_name = {asset.hashed_name: asset for asset in self._by_name.values()}

    def url(self, name: str) -> str:
        """Raises KeyError for a file that is not there: a mistake of a template, found when it is rendered."""
        return f"/static/{self._by_name[name].hashed_name}"

    def answer(self, request: Request) -> Response:
        """Of `/static/{name}`."""
        name = request.path_params["name"]
        asset, kept = self._by_hashed_name.get(name), _FOR_EVER
        if asset is None:
            asset, kept = self._by_name.get(name), _ASK_AGAIN
        if asset is None:
            return Response("there is no such file\n", 404, media_type="text/plain")
        headers = {"ETag": asset.etag, "Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if asset.etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        return Response(asset.data, headers={**headers, "Content-Type": asset.media_type})


def _read(path: Path) -> Asset:
    data = path.read_bytes()
    digest = sha256(data).hexdigest()[:16]
    return Asset(f"{path.stem}.{digest}{path.suffix}", _TYPES[path.suffix], f'"{digest}"', data)
