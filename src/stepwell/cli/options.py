"""Options that several commands have, with one wording."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import typer

STORE_HELP: Final = "sqlite:///file or postgresql://...; else STEPWELL_STORE."
Store: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--store",
        "--database",
        metavar="URL",
        help="sqlite:///file or postgresql://...; else STEPWELL_STORE, else the server's API.",
    ),
]

OfGroup: TypeAlias = Annotated[str | None, typer.Option("--group", help="Only of this group.")]
OfWorkflow: TypeAlias = Annotated[
    str | None, typer.Option("--workflow", help="Only of this workflow.")
]
Limit: TypeAlias = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Labels: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="What to set.")
]
Unlabelled: TypeAlias = Annotated[
    list[str] | None, typer.Option("--remove", metavar="KEY", help="Repeatable.")
]
Reason: TypeAlias = Annotated[str | None, typer.Option("--reason", help="For the audit log.")]
