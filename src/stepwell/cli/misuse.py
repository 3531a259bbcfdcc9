"""Words that make no command: told as a person reads them, or as JSON where that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import typer
from typer.core import TyperGroup

from stepwell.cli.exits import Exit, described
from stepwell.errors import InvalidInput

_MISUSE: Final[tuple[type[Exception], ...]] = typer.BadParameter.__bases__
"""What is raised for an option that is not there, an argument that is missing, and the like; of
click, or of the copy of it that typer has."""


class Commands(TyperGroup):
    """The tree of commands; with --json its own errors are JSON, as those of commands are."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that the words name, and end the process with its exit code."""
        words = sys.argv[1:] if args is None else list(args)
        by_hand = standalone_mode and "--json" in words
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode and not by_hand, windows_expand_args
            )
        except _MISUSE as error:
            if not by_hand:
                raise
            print(described(_mistake(error), as_json=True), file=sys.stderr)
            sys.exit(Exit.MISTAKE)
        except typer.Abort:
            sys.exit(Exit.FAILED)
        if by_hand:
            sys.exit(code or Exit.OK)
        return code


def _mistake(error: Any) -> InvalidInput:
    command = error.ctx.command_path if error.ctx else "stepwell"
    return InvalidInput(error.format_message(), fix=f"`{command} --help` says what it takes.")
