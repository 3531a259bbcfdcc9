"""What is not installed says how it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("absent", "line", "extra"),
    [
        ("cronsim", "from stepwell.schedules import Timetable", "schedules"),
        ("prometheus_client", "import stepwell.telemetry.prometheus", "prometheus"),
        ("opentelemetry", "import stepwell.telemetry.opentelemetry", "otel"),
        ("httpx", "from stepwell.client import Client", "cli"),
    ],
)
def test_an_import_that_needs_an_extra_names_it(absent: str, line: str, extra: str) -> None:
    code = f"import sys; sys.modules[{absent!r}] = None\n{line}"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert f"pip install 'stepwell[{extra}]'" in said.stderr.splitlines()[-1]
