from __future__ import annotations

import pytest

from sync.clinic.app import make_app
from tests.rigs.clinic import ClinicRig
from tests.rigs.visitor import Visitor, employ


@pytest.fixture
def visitor(clinic: ClinicRig) -> Visitor:
    """Reception, signed in."""
    employ(clinic)
    visitor = Visitor(make_app(clinic.clinic, most_per_address=0))
    assert visitor.sign_in().status_code == 303
    return visitor
