"""What every command gets: the server's client when it asks, and where its words go."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import typer

from stepwell.cli.access.logins import with_login
from stepwell.cli.client import Client
from stepwell.cli.exits import described, exit_code
from stepwell.cli.profile import Profile
from stepwell.cli.render import Output
from stepwell.cli.usage import Command
from stepwell.errors import StepwellError

F = TypeVar("F", bound=Callable[..., Any])

Url = Annotated[
    str | None, typer.Option("--url", help="The server; else STEPWELL_URL, else the profile.")
]
Token = Annotated[
    str | None, typer.Option("--token", help="The API token; else STEPWELL_TOKEN, else as above.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Session:
    """One call of the command line.

    Parameters
    ----------
    url, token : as given by options, or None.
    as_json : print JSON instead of tables.
    """

    def __init__(self, url: str | None, token: str | None, as_json: bool) -> None:
        self._url, self._token = url, token
        self.out = Output(as_json=as_json)
        self._client: Client | None = None
        self._held = ExitStack()

    @property
    def names_server(self) -> bool:
        """Whether an option names a server; the environment and the profile may as well."""
        return self._url is not None

    @property
    def profile(self) -> Profile:
        """The server's address and the token, by option, environment, profile or login."""
        return with_login(self._url, self._token, os.environ, Path.cwd())

    @property
    def api(self) -> Client:
        """The server's client, made when first asked for."""
        if self._client is None:
            self._client = self._held.enter_context(Client(self.profile))
        return self._client

    def until_end(self, give_back: Callable[[], None]) -> None:
        """Call this when the command ends, however it ends."""
        self._held.callback(give_back)

    def close(self) -> None:
        """Give back what the command has opened."""
        self._held.close()


LOCAL: Final[dict[str, Any]] = {"as_json": Json}
REMOTE: Final[dict[str, Any]] = {"url": Url, "token": Token, "as_json": Json}


def command(
    app: typer.Typer, name: str, *, remote: bool = True, **settings: Any
) -> Callable[[F], F]:
    """Add a function to a typer app; its parameter `session` is filled, errors become words.

    Parameters
    ----------
    remote : the command speaks to a server, so it has --url and --token.
    settings : passed on to typer.
    """

    def register(function: F) -> F:
        app.command(name, cls=Command, **settings)(_guarded(function, REMOTE if remote else LOCAL))
        return function

    return register


def default(app: typer.Typer) -> Callable[[F], F]:
    """Make a function what a group of commands does when none of them is named.

    It takes `ctx: typer.Context` besides what a command takes, and returns at once where
    `ctx.invoked_subcommand` is one.
    """

    def register(function: F) -> F:
        app.callback(invoke_without_command=True)(_guarded(function, REMOTE))
        return function

    return register


def _guarded(function: Callable[..., Any], shared: dict[str, Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(**given: Any) -> None:
        options = {key: given.pop(key) for key in shared}
        session = Session(options.get("url"), options.get("token"), options["as_json"])
        try:
            function(session=session, **given)
        except StepwellError as error:
            print(described(error, as_json=options["as_json"]), file=sys.stderr)
            raise typer.Exit(exit_code(error)) from None
        finally:
            session.close()

    run.__signature__ = _signature(function, shared)  # type: ignore[attr-defined]
    run.__annotations__ = {
        p.name: p.annotation for p in _signature(function, shared).parameters.values()
    }
    return run


def _signature(function: Callable[..., Any], shared: dict[str, Any]) -> inspect.Signature:
    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name], kind=parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "session"
    ]
    more = [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=False if key == "as_json" else None,
        )
        for key, annotation in shared.items()
    ]
    return inspect.Signature([*own, *more])
