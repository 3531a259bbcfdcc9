"""`make demo ONCE=1`, as a newcomer types it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_leads_three_groups_the_whole_way() -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo.py", "--once", "--within", "400"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "discovered weather: 2 workflows",
        "+ The operation name-the-best is new",
        "release 2 of flaky is in force",
        "run weather/load-weather succeeded",
        "run digest/text-digest succeeded",
        "run flaky/rank-shares succeeded",
        "e-mail to reader@example.org",
        "load-weather/chart.png",
        "All went well",
    ):
        assert said in done.stdout
    assert re.search(r"unbroken +yes", done.stdout), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert (ROOT / ".demo" / "reports" / "weather" / "load-weather" / "chart.png").exists()
