"""`stepwell groups check`: whether an image keeps the protocol of workflow groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepwell.cli.exits import Exit
from stepwell.cli.groups.commands import Env, app, pairs, stated
from stepwell.cli.parameters import Params
from stepwell.cli.render import Output
from stepwell.cli.serving.serve import needs_server
from stepwell.cli.session import Session, command
from stepwell.launchers.images import check as check_image

if TYPE_CHECKING:
    from stepwell.cli.conformance.requirements import Finding


@command(app, "check", remote=False)
def check(
    session: Session,
    image: Annotated[str, typer.Argument(help="A file or folder (process launcher), or image.")],
    launcher: Annotated[str, typer.Option("--launcher", help="What starts the image.")] = "process",
    workflow: Annotated[
        str | None,
        typer.Option("--workflow", help="Which one is run; by default the one with most in it."),
    ] = None,
    param: Params = None,
    env: Env = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds for each discovery and each run.")
    ] = 60.0,
    discover_only: Annotated[
        bool, typer.Option("--discover-only", help="Run none of its operations.")
    ] = False,
) -> None:
    """See whether an image keeps the protocol, in a small server of its own.

    The image is discovered twice and a workflow of it is run four times, undisturbed and
    with interference: its operations really run. The exit code is 1 if a requirement is
    not met; docs/reference/protocol.md explains each.
    """
    needs_server("groups check")
    from stepwell.cli.conformance.playing import check as play  # noqa: PLC0415 - needs the server

    if launcher == "process":
        check_image(Path(image).absolute())
    found = play(
        stated(image, launcher),
        launcher=launcher,
        environment=pairs(env),
        workflow=workflow,
        parameters=param or [],
        patience=timeout,
        discover_only=discover_only,
        tell=session.out.note,
    )
    passed = not any(one.verdict == "failed" for one in found)
    if session.out.as_json:
        session.out.json(
            {"image": image, "passed": passed, "findings": [one.as_json() for one in found]}
        )
    else:
        _tell(session.out, found)
    if not passed:
        raise typer.Exit(Exit.FAILED)


def _tell(out: Output, found: list[Finding]) -> None:
    for one in found:
        told = one.as_json()
        out.line(f"{one.verdict:10}  {one.requirement}: {told['what']}")
        for part in ("why", "fix"):
            for line in told[part].splitlines():
                out.line(f"{'':12}{line}")
    counts = {word: sum(one.verdict == word for one in found) for word in _WORDS}
    out.line(", ".join(f"{count} {word}" for word, count in counts.items() if count))


_WORDS = ("passed", "failed", "not tested")
