"""What a container asks: a verb of its store, in whatever transaction it is given."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping

from stepwell.errors import InvalidInput
from stepwell.server.runs import queries
from stepwell.server.runs.records import Container, RunState
from stepwell.server.runs.scoped import ScopedStore
from stepwell.server.runs.tokens import EngineIds, RunTokenRevoked
from stepwell.server.services import Services
from stepwell.stores.protocol import Transaction
from stepwell.stores.wire import Signature, signature

_OPEN: Final = (RunState.WAITING, RunState.STARTING, RunState.RUNNING)


class Question:
    """A verb with its arguments, which are checked before a transaction opens.

    Parameters
    ----------
    body : the arguments as they came over the wire.

    Raises
    ------
    InvalidInput : they do not fit.
    """

    def __init__(
        self, services: Services, caller: Container, verb: str, body: dict[str, Any]
    ) -> None:
        self.db, self.caller, self.verb = services.db, caller, verb
        self.arguments = _arguments(signature(verb), verb, body)
        self.most_steps = services.settings.steps_per_run
        self.ids = EngineIds(services.settings.signing_key, caller)

    def __call__(self, conn: Connection) -> Any:
        """The answer.

        Raises
        ------
        RunTokenRevoked : see `admit`.
        """
        run, attempt = admit(conn, self.caller, queries.lock(conn, self.caller.run_id))
        steps = self.db.steps(conn, survives=False)  # an error takes back all
        return getattr(self.scoped(conn, steps, run, attempt), self.verb)(**self.arguments)

    def scoped(
        self, conn: Connection, steps: Transaction, run: RowMapping, attempt: RowMapping
    ) -> ScopedStore:
        """The store as its container sees it; the run's header is locked."""
        return ScopedStore(conn, steps, run, attempt, self.ids, self.most_steps)


def admit(
    conn: Connection, caller: Container, run: RowMapping | None
) -> tuple[RowMapping, RowMapping]:
    """The header, which is locked, and how the attempt stands.

    The attempt is asked for after the lock of the header, in a statement of its own: one that
    has waited for a lock sees other tables as they were before.

    Raises
    ------
    RunTokenRevoked : the run has ended or is being cancelled, or the attempt is over.
    """
    if run is not None and may_go_on(run, caller):
        attempt = queries.standing(conn, caller.run_id, caller.attempt)
        if attempt is not None and attempt["revoked_at"] is None:
            return run, attempt
    raise RunTokenRevoked(
        f"The token of attempt {caller.attempt} of the run {caller.run_id} is not valid any more.",
        why="The run has ended, was cancelled, or goes on in a newer attempt.",
        fix="Nothing: this container has no more to do.",
    )


def may_go_on(run: RowMapping, caller: Container) -> bool:
    """Whether the run is open, and the caller's attempt its newest."""
    return run["state"] in _OPEN and run["attempt"] == caller.attempt


def _arguments(wire: Signature, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    unfit = (wire.required - body.keys()) | (body.keys() - wire.arguments.keys())
    try:
        if unfit:
            raise KeyError(", ".join(sorted(unfit)))
        return wire.read_arguments(body)
    except (ValidationError, KeyError) as error:
        raise InvalidInput(
            f"The arguments of {verb!r} do not fit.",
            why=f"{error}.",
            fix="Use the same version of Stepwell on both sides.",
        ) from error
