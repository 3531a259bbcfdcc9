"""What the tests with a played cluster share."""

from __future__ import annotations

import pytest
from tests.kubernetes.target import be_patient


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for some seconds is no cluster that is away."""
    be_patient(monkeypatch)
