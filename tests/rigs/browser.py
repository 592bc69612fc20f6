"""Debian's Chromium, without a screen: it reaches the servers that a test names, and tells all it complains of.

Whatever else it asks for is refused and counted, in two ways: pages' requests before they leave the browser, and what
the browser itself might want at a proxy that stands for all the world. Errors on the console (a broken content security
policy is one), of scripts and of requests fail the test that looked at the page.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, Route, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 10_000
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # What the browser asks its maker about accounts and forms goes to the port that discards.
    "--gaia-url=http://127.0.0.1:9",
    "--autofill-server-url=http://127.0.0.1:9",
    "--font-render-hinting=none",
)

# Another version may ask its maker for more: refused too, and no fault of a page, whose requests `Visit` sees.
_MAKERS_OWN = re.compile(r" (https?://)?([a-z0-9-]+\.)+(google|googleapis|gstatic|gvt1)\.com(:443|/)")


def lacking() -> str | None:
    """Why there is no browser here."""
    return None if CHROMIUM.exists() else f"{CHROMIUM} is missing (Debian: apt install chromium)"


class World:
    """Where all that is not this machine would be: notes who is asked for, and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._refuse, name="world", daemon=True)
        self._thread.start()

    def _refuse(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1.0)
                try:
                    first = connection.recv(4096).split(b"\r\n", 1)[0]
                except OSError:
                    first = b""
                if first:  # else a connection that the browser wanted at hand, and asked nothing on
                    self.asked.append(first.decode("latin-1"))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(timeout=5)


@dataclass
class Visit:
    """One visitor with an empty profile. `complaints` and `refused` must be empty in the end, or be taken."""

    url: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, path: str, status: int = 200) -> Page:
        """A page that has to be answered with `status`; that one complaint of the browser's about it is dropped."""
        response = self.page.goto(f"{self.url}{path}")
        assert response is not None
        assert response.status == status, f"{path}: {response.status}, expected {status}"
        if status >= 400:
            self.drop_status(status)
        return self.page

    def drop_status(self, status: int) -> None:
        said = [each for each in self.complaints if f"the server responded with a status of {status} " in each]
        assert said, f"no complaint about {status} in {self.complaints}"
        self.complaints.remove(said[0])

    def taken(self) -> list[str]:
        """The complaints so far, which were expected."""
        taken, self.complaints = self.complaints, []
        return taken

    def require_quiet(self) -> None:
        assert not self.refused, f"asked for what is not the server's: {self.refused}"
        assert not self.complaints, f"the browser complained: {self.complaints}"


class Browser:
    """One Chromium; each visit has a profile of its own."""

    def __init__(self, fonts: Path | None = None) -> None:
        """`fonts`: a configuration of fontconfig's, where it matters which font a page is drawn with."""
        self._world = World()
        self._playwright: Playwright = sync_playwright().start()
        try:
            root = os.geteuid() == 0
            environment: dict[str, str | float | bool] = {**os.environ}
            if fonts is not None:
                environment["FONTCONFIG_FILE"] = str(fonts)
            self._chromium: Chromium = self._playwright.chromium.launch(
                executable_path=CHROMIUM,
                chromium_sandbox=not root,
                # As a flag, not as Playwright's option: that would send loopback there too.
                env=environment,
                args=[*_FLAGS, f"--proxy-server=http://{self._world.address}"],
            )
        except BaseException:
            self._playwright.stop()
            self._world.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._chromium.close()
        self._playwright.stop()
        self._world.close()
        pages = [asked for asked in self._world.asked if not _MAKERS_OWN.search(asked)]
        assert not pages, f"asked for what is not of this machine: {pages}"

    @contextmanager
    def visit(
        self,
        url: str,
        *also: str,
        width: int = 1280,
        height: int = 900,
        scale: float = 1.0,
        dark: bool = False,
        forced_colors: bool = False,
        phone: bool = False,
        cookies: list[Any] | None = None,
    ) -> Iterator[Visit]:
        """`url`: the server; `also`: others that may be asked; `cookies`: of one who is signed in."""
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme=scheme,
            forced_colors="active" if forced_colors else "none",
            reduced_motion="reduce",
            is_mobile=phone,
            has_touch=phone,
            locale="en-GB",
            timezone_id="UTC",
            service_workers="block",
        )
        context.set_default_timeout(WAIT_MS)
        try:
            if cookies:
                context.add_cookies(cookies)
            visit = Visit(url, context.new_page())
            _watch(context, visit, {urlsplit(each).netloc for each in (url, *also)})
            yield visit
            visit.require_quiet()
        finally:
            context.close()


def _watch(context: BrowserContext, visit: Visit, allowed: set[str]) -> None:
    def asked(route: Route) -> None:
        where = route.request.url
        if urlsplit(where).netloc in allowed:
            visit.requests.append(where)
            route.continue_()
        else:
            visit.refused.append(where)
            route.abort()

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            where = urlsplit(message.location["url"]).path if message.location else ""
            visit.complaints.append(f"{message.type}: {message.text} ({where})")

    context.route("**/*", asked)
    context.on("console", said)
    context.on("weberror", lambda error: visit.complaints.append(f"script: {error.error}"))
