from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.browser import Browser, lacking


# Not for the whole session: while Playwright runs, its event loop is the one of this thread, and tests of other folders
# have loops of their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if why := lacking():
        pytest.skip(why)
    with Browser() as browser:
        yield browser
