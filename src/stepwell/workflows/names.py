"""Python's names as step names: NightlyInvoices -> nightly-invoices, load_rows -> load-rows."""

from __future__ import annotations

import re
from typing import Final

PATTERN: Final = "[a-z][a-z0-9-]*"
LONGEST: Final = 60
"""Characters of a group, workflow or operation name: three of them fit a step's name."""

_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def kebab(name: str) -> str:
    """The step-name form of a class or method name."""
    return _EDGE.sub("-", name).replace("_", "-").strip("-").lower()


def is_valid(name: str) -> bool:
    """Whether a group, workflow or operation may be called so."""
    return len(name) <= LONGEST and re.fullmatch(PATTERN, name) is not None


def step_name(group: str, workflow: str, operation: str) -> str:
    """The name of an operation's steps."""
    return f"v1/{group}/{workflow}/{operation}"
