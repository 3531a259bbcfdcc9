"""`stepwell doctor`: whether a store is well, and whether engines do its work."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from stepwell.cli.doctor import containers as container_check
from stepwell.cli.doctor import kubernetes as kubernetes_check
from stepwell.cli.doctor.checks import Facts, findings_of, offset_of, silent, unopened
from stepwell.cli.exits import Exit, exit_code
from stepwell.cli.profile import DATABASE, FOLDER
from stepwell.cli.serving.app_target import store_url
from stepwell.cli.session import Session, command
from stepwell.clock import now
from stepwell.errors import InvalidInput, SetupError, StepwellError
from stepwell.stores import Store, open_store
from stepwell.stores.inspecting import Finding, Inspectable, Inspection, Severity

BETWEEN: Final = 5.0
"""Seconds that an engine gets to beat once more: they beat each second."""
_LOOK: Final = 1.0
_SIGNS: Final = {
    Severity.NOTE: ("note", "cyan"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.PROBLEM: ("problem", "red"),
}


class NotInspectable(SetupError):
    """This kind of store cannot be looked at from here."""

    code = "not-inspectable"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    command(app, "doctor", remote=False)(doctor)


def doctor(
    session: Session,
    part: Annotated[
        str | None,
        typer.Argument(help="`kubernetes`: what this server may do in its cluster, and no store."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            "--database",
            metavar="URL",
            help="sqlite:///file or postgresql://...; else STEPWELL_STORE, "
            "STEPWELL_DATABASE_URL, or what a server or `stepwell dev` keeps in this folder.",
        ),
    ] = None,
) -> None:
    """Look whether a store is well and its steps are run: what is wrong, why, how to fix it.

    It changes nothing. The exit code is 0 if nothing wants attention, 8 for warnings,
    1 for a problem, and 3 or 7 if the store cannot be reached or is not set up.
    """
    if part is not None:
        return _part(session, part)
    url = store_url(store or os.environ.get("STEPWELL_STORE") or _of_server())
    made = open_store(url)
    with closing(made):
        try:
            findings, code = _findings(made)
            findings, code = _with_containers(findings, code)
        except StepwellError as error:
            findings, code = [unopened(error)], exit_code(error)
    _show(session, findings)
    if code is not Exit.OK:
        raise typer.Exit(code)
    return None


def _part(session: Session, part: str) -> None:
    if part != kubernetes_check.CHECK:
        raise InvalidInput(f"Doctor knows no {part!r}.", fix="Ask for `kubernetes`, or for all.")
    found, grants = kubernetes_check.findings(os.environ)
    _show(session, found)
    if grants and not session.out.as_json:
        session.out.line(Text(grants))
    if any(one.severity is Severity.PROBLEM for one in found):
        raise typer.Exit(Exit.FAILED)


def _of_server() -> str | None:
    return os.environ.get("STEPWELL_DATABASE_URL") or _of_data_folder()


def _of_data_folder() -> str | None:
    """The database that a server keeps where nobody names one; `.stepwell` may be above this."""
    named, here = os.environ.get("STEPWELL_DATA_DIR"), Path.cwd()
    folders = [Path(named)] if named else [one / FOLDER for one in (here, *here.parents)]
    databases = (folder.resolve() / DATABASE for folder in folders)
    return next((f"sqlite:///{one}" for one in databases if one.exists()), None)


def _findings(store: Store) -> tuple[list[Finding], Exit]:
    store.open()
    if not isinstance(store, Inspectable):
        raise NotInspectable(
            f"A {type(store).__name__} cannot be examined.",
            why="It does not tell counts, engines and its own condition.",
            fix="Look at it with `stepwell steps watch`, or at its server.",
        )
    found = findings_of(_facts(store))
    worst = max((one.severity for one in found), default=Severity.NOTE)
    codes = {Severity.PROBLEM: Exit.FAILED, Severity.WARNING: Exit.WARNED}
    return found, codes.get(worst, Exit.OK)


def _with_containers(findings: list[Finding], code: Exit) -> tuple[list[Finding], Exit]:
    more = container_check.findings(os.environ)
    if any(one.severity is Severity.PROBLEM for one in more):
        code = Exit.FAILED
    elif more and code is Exit.OK:
        code = Exit.WARNED
    return [*findings, *more], code


def _facts(store: Inspectable) -> Facts:
    asked = now()
    first = store.inspect()
    offset = offset_of(first.now, asked, now())
    overview = store.overview(first.now)
    second = None
    if first.engines:
        second = _looked_again(store, first)
    return Facts(overview=overview, first=first, second=second, offset=offset)


def _looked_again(store: Inspectable, first: Inspection) -> Inspection:
    """When each engine has beaten once more, or has had its time to."""
    end = time.monotonic() + BETWEEN
    while True:
        time.sleep(max(min(_LOOK, end - time.monotonic()), 0.0))
        second = store.inspect()
        if not silent(first, second) or time.monotonic() >= end:
            return second


def _show(session: Session, findings: list[Finding]) -> None:
    out = session.out
    if out.as_json:
        well = not any(one.severity is not Severity.NOTE for one in findings)
        out.json({"well": well, "findings": [_as_json(one) for one in findings]})
        return
    for one in findings:
        word, style = _SIGNS[one.severity]
        out.line(Text(f"{word}: ", style=f"bold {style}") + Text(one.what))
        for name, text in {"  why": one.why, "  fix": one.fix, "check": one.check}.items():
            if text:
                out.line(Text(f"  {name}: ", style="dim") + Text(text))
    if not findings:
        out.line("All is well.")


def _as_json(one: Finding) -> dict[str, Any]:
    return {
        "check": one.check,
        "severity": _SIGNS[one.severity][0],
        "what": one.what,
        "why": one.why,
        "fix": one.fix,
    }
