"""What the pages give people to copy works: a line of Python names what a context has."""

from __future__ import annotations

import re
from pathlib import Path

from stepwell.workflows.context import State
from stepwell.workflows.reports import Reports

STRINGS = Path(__file__).parents[2] / "web/src/strings"
CALLED = re.compile(r"context\.(state|report)\.(\w+)\(")
OF = {"state": State, "report": Reports}


def test_a_sample_calls_what_a_context_has() -> None:
    """An empty page shows how a workflow fills it, to people who have never written one."""
    called = {
        (where, name)
        for path in STRINGS.glob("*.ts")
        for where, name in CALLED.findall(path.read_text())
    }
    assert {"state", "report"} == {where for where, _ in called}
    assert [one for one in sorted(called) if not hasattr(OF[one[0]], one[1])] == []
