"""How a command names its arguments: in its help, in its errors and in the documentation alike."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose arguments are named as in the documentation: `FILE [NAME]`."""

    def __init__(self, name: str | None, *, params: Any = None, **settings: Any) -> None:
        for one in params or ():
            if one.param_type_name == "argument":
                one.metavar = one.metavar or one.name.upper()
        super().__init__(name, params=params, **settings)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The options, and each argument by its name."""
        seen = [one for one in self.params if not getattr(one, "hidden", False)]
        arguments = [called(one) for one in seen if one.param_type_name == "argument"]
        return ["[OPTIONS]", *arguments]


def called(argument: Any) -> str:
    """An argument as a usage line has it: `FILE`, `[NAME]` where it may be left out, `ID...`."""
    name = str(argument.metavar or argument.name.upper())
    many = "..." if argument.nargs == -1 else ""
    return f"{name}{many}" if argument.required else f"[{name}]{many}"
