"""The command that runs a workflow on one's own machine, with the parameters of a run."""

from __future__ import annotations

import json
import shlex
from typing import Any, Final

from sqlalchemy import RowMapping

from stepwell.server.groups.records import Group

SOURCE: Final = "SOURCE.py"
"""What stands for the file, where the group is an image."""


def command(group: Group, run: RowMapping) -> str:
    """As it is typed into a shell; `SOURCE.py` where the group's image is no file here."""
    source = group.image if group.launcher == "process" else SOURCE
    words = ["stepwell", "run", source, run["workflow"]]
    for name, value in run["parameters"].items():
        words += ["--param", f"{name}={_text(value)}"]
    return shlex.join(words)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
