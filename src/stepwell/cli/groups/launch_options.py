"""Launch options of a group, from a file of JSON or YAML."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from stepwell.errors import InvalidInput

LaunchOptions = Annotated[
    str | None,
    typer.Option(
        "--launch-options",
        metavar="FILE",
        help="What the group asks of its launcher, as JSON or YAML; - is standard input.",
    ),
]


class OptionsUnreadable(InvalidInput):
    """A file that holds no launch options."""

    code = "launch-options-unreadable"


def read(path: str) -> dict[str, Any]:
    """The options in a file; raises `OptionsUnreadable`."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        found = _parsed(text)
    except (OSError, ValueError) as error:
        raise OptionsUnreadable(
            f"{path} cannot be read as launch options.",
            why=str(error),
            fix="Write an object as JSON; YAML needs `pip install 'stepwell[kubernetes]'`.",
        ) from error
    if not isinstance(found, dict):
        raise OptionsUnreadable(f"{path} holds no object.", fix="Write {...}, or name: value.")
    return found


def _parsed(text: str) -> Any:
    if find_spec("yaml") is None:
        return json.loads(text)
    import yaml  # noqa: PLC0415 - as just looked for; JSON is YAML, too

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
