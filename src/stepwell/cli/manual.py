"""The reference of the command line, docs/reference/cli.md, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from stepwell.cli.app import app
from stepwell.cli.exits import MEANING
from stepwell.cli.session import REMOTE
from stepwell.cli.usage import called

_HEAD = """# The command line

Made from the commands themselves by `make docs`; `stepwell COMMAND --help` says the same.

Answers go to stdout, remarks and errors to stderr. An error says what happened, why, how to fix it,
and its code ([all codes](errors.md)). With `--json` answers and errors are JSON.

A command that speaks to a server finds it, and the token to show, in this order: the options
`--url` and `--token`; the environment variables `STEPWELL_URL` and `STEPWELL_TOKEN`; the profile
`.stepwell/client.json` in this folder or the nearest one above it, which `stepwell dev` writes.
The token of a profile is shown to the profile's own server only.

A command that reads a store of steps takes `--store URL`, else `STEPWELL_STORE`:
`sqlite:///file` or `postgresql://user@host/database`. `stepwell steps` reads that where it is
named, unless `--url` names a server, and the server's steps otherwise.

## Exit codes

| code | meaning |
| --- | --- |
"""


def page() -> str:
    """The whole page, as Markdown."""
    codes = [f"| {code.value} | {meaning} |" for code, meaning in MEANING.items()]
    sections = [_section(words, one) for words, one in _commands(("stepwell",), get_command(app))]
    return _HEAD + "\n".join(codes) + "\n\n## Commands\n\n" + "\n\n".join(sections) + "\n"


def _commands(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that does something, with the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name, one in below.items():
        yield from _commands((*words, name), one)


def _section(words: tuple[str, ...], command: Any) -> str:
    seen = [one for one in command.params if not getattr(one, "hidden", False)]
    own = [one for one in seen if one.name not in REMOTE]
    shared = [one for one in seen if one.name in REMOTE]
    arguments = [called(one) for one in own if one.param_type_name == "argument"]
    lines = [f"### `{' '.join([*words, *arguments])}`", "", inspect.cleandoc(command.help or "")]
    rows = [_row(one) for one in own]
    if rows:
        lines += ["", "| argument or option | meaning |", "| --- | --- |", *rows]
    names = ", ".join(f"`{one.opts[0]}`" for one in shared)
    return "\n".join([*lines, "", f"Also: {names}."])


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        named = called(parameter)
    else:
        named = ", ".join([*parameter.opts, *parameter.secondary_opts])
    meaning = parameter.help or ""
    default = parameter.default
    if isinstance(default, (str, int)) and not isinstance(default, bool) and default != "":
        meaning = f"{meaning} Default: `{default}`.".strip()
    return f"| `{named}` | {meaning} |"
