"""Under VITALKEEP_CI a skip is a failure, wherever it is said; elsewhere it is a skip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.house import ROOT

SKIPS = {
    "inside": "import pytest\ndef test_it():\n    pytest.skip('no data')\n",
    "a mark": "import pytest\n@pytest.mark.skip(reason='no data')\ndef test_it():\n    pass\n",
    "a condition": "import pytest\n@pytest.mark.skipif(True, reason='no data')\ndef test_it():\n    pass\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef d():\n    pytest.skip('no data')\ndef test_it(d):\n    pass\n",
    "a module": "import pytest\npytest.skip('no data', allow_module_level=True)\n",
    "a missing library": "import pytest\npytest.importorskip('no_such_library', reason='no data')\n",
}


EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n"


def outcomes(folder: Path, environment: dict[str, str]) -> dict[str, int]:
    """What pytest counts over one module for each way to skip, and one test that is expected to fail."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    for at, code in enumerate((*SKIPS.values(), EXPECTED_FAILURE)):
        (folder / f"test_planted_{at}.py").write_text(code)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VITALKEEP_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", folder],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    counts = {name.rstrip("s"): int(n) for n, name in re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1])}
    assert (done.returncode == 0) == (not counts.keys() & {"failed", "error"})
    return counts


def test_a_skip_is_a_failure_under_ci(tmp_path: Path) -> None:
    counts = outcomes(tmp_path, {"VITALKEEP_CI": "1"})
    assert counts["failed"] + counts["error"] == len(SKIPS)
    assert counts["xfailed"] == 1
    assert "skipped" not in counts


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    counts = outcomes(tmp_path, {})
    assert counts["skipped"] == len(SKIPS)
    assert not counts.keys() & {"failed", "error"}
