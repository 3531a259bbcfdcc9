"""`stepwell launchers`: what starts images, and what it may do where it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from stepwell.cli.exits import Exit
from stepwell.cli.session import Session, command

app = typer.Typer(
    name="launchers",
    help="What starts images: list, and permissions in a cluster.",
    no_args_is_help=True,
)

COLUMNS: Final = {"name": "name", "enabled": "enabled", "starts": "sentence", "to have it": "fix"}
PERMISSIONS: Final = {
    "resource": "what",
    "namespace": "namespace",
    "verbs": "verbs",
    "missing": "missing",
    "what for": "why",
}


@command(app, "list")
def list_launchers(session: Session) -> None:
    """Every launcher that there is; those of the server first."""
    session.out.rows(session.api.get("/launchers")["items"], COLUMNS, "")


@command(app, "permissions")
def permissions(
    session: Session,
    name: Annotated[str, typer.Argument(help="The launcher.")] = "kubernetes",
) -> None:
    """What the server may do in its cluster, and the YAML that grants what is missing.

    The server asks its cluster, as itself; `stepwell doctor kubernetes` asks from here. The
    exit code is 1 if something is missing that is not optional.
    """
    found = session.api.get(f"/launchers/{name}/permissions")
    if session.out.as_json:
        session.out.json(found)
    else:
        session.out.rows([_row(one) for one in found["items"]], PERMISSIONS, "")
        if found["manifest"]:
            session.out.line(Text(found["manifest"]))
    if not found["well"]:
        raise typer.Exit(Exit.FAILED)


def _row(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """As people read it: `batch/jobs`, and words in place of lists."""
    optional = " (optional)" if one["optional"] and one["missing"] else ""
    return {
        **one,
        "what": f"{one['group']}/{one['resource']}".lstrip("/"),
        "namespace": one["namespace"] or "the cluster",
        "verbs": ", ".join(one["verbs"]),
        "missing": ", ".join(one["missing"]) + optional,
    }
