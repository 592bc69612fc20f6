from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.rigs.browser import Browser, Visit, lacking
from tests.rigs.clinic_server import ClinicServer
from tests.rigs.clinic_story import events, people
from tests.sync.clinic.browser.pages import sign_in


# Not for the whole session: while Playwright runs, its event loop is the one of this thread, and tests of other folders
# have loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if why := lacking():
        pytest.skip(why)
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="package")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicServer]:
    """The whole year; no test changes it."""
    everybody = people()
    with ClinicServer(tmp_path_factory.mktemp("story") / "clinic", everybody, events(everybody)) as server:
        yield server


@pytest.fixture
def small(tmp_path: Path) -> Iterator[ClinicServer]:
    """Three people, for a test that changes something."""
    few = [person for person in people() if person.number in (4, 17, 100)]
    with ClinicServer(tmp_path / "clinic", few, events(few)) as server:
        yield server


@pytest.fixture(scope="package")
def cookies(browser: Browser, story: ClinicServer) -> list[Any]:
    """Of one who is signed in at `story`; there is one sign-in for all, since it takes its time."""
    with browser.visit(story.url) as visit:
        sign_in(visit)
        return list(visit.page.context.cookies())


class Visiting(Protocol):
    def __call__(self, **look: Any) -> AbstractContextManager[Visit]:
        """A visit at `story` by one who is signed in; `look`: as of Browser.visit."""


@pytest.fixture
def visiting(browser: Browser, story: ClinicServer, cookies: list[Any]) -> Visiting:
    def visit(**look: Any) -> AbstractContextManager[Visit]:
        return browser.visit(story.url, cookies=cookies, **look)

    return visit
