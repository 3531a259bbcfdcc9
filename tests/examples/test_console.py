"""The console program of the README, as a reader would start it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "examples" / "console.py"


def start(folder: Path) -> str:
    ended = subprocess.run(
        [sys.executable, PROGRAM],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_orders_are_taken_receipts_survive_outages_and_the_report_ends(tmp_path: Path) -> None:
    printed = start(tmp_path)
    assert printed.count('execution 2: "sent to') == 2
    assert re.search(r"^5 done, 2 retried, \d+ run again$", printed, re.MULTILINE)


def test_a_second_start_goes_on_with_the_same_database(tmp_path: Path) -> None:
    start(tmp_path)
    assert start(tmp_path).count("v1/send-receipt done") == 4
