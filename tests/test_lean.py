"""What is not needed is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", ["", "import httpx; "])
def test_the_client_brings_no_command_line_of_others(first: str) -> None:
    """Unless somebody has it already."""
    code = (
        f"{first}import stepwell.client, sys;"
        "print('httpx._main' in sys.modules, 'click' in sys.modules, 'rich' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout.split() == 3 * [str(bool(first))]
