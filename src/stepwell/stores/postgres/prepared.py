"""Our statements on a connection of our own: prepared once, sent and read through libpq alone.

The driver's cursors ask before each statement what only those of others need to be asked; where
nothing is warm, as before a step that comes alone, this takes them a fifth of a millisecond. And
what is sent here goes when the first answer is needed: a transaction begins with its first
statement, in one journey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property, partial
from itertools import count
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute, fetch_many, send
from psycopg.pq import ExecStatus, Format, PipelineStatus
from psycopg.pq.abc import PGconn, PGresult

from stepwell.stores.postgres.arrays import Packed, literal, quoted, uuid_text
from stepwell.stores.postgres.queries import Call, Row

NEVER: Final = 2**31
"""A threshold at which the driver prepares nothing itself: after a ROLLBACK it would take back
all that is prepared."""

_BEGIN: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_COMMIT: Final = b"COMMIT"
_DONE: Final = frozenset((ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK))

Sender: TypeAlias = Callable[[], None]


class Own(psycopg.Connection[Any]):
    """A connection of our own; without a threshold for it no statement keeps a name there."""

    @cached_property
    def prepared(self) -> Prepared:
        """What runs our statements."""
        return Prepared(self)


class Prepared:
    """The statements of one connection. All types of values are those that the statement says.

    Methods raise what the driver would.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection, self._server = connection, connection.pgconn
        self._names: dict[bytes, bytes] = {}
        self._unsure: list[bytes] = []
        self._numbers = count(1)
        self._reader = Transformer(connection)
        self._answered: list[PGresult] = []
        self._early: Call | None = None
        self._by_one = not psycopg.Pipeline.is_supported()

    def begin(self) -> bool:
        """Begin a transaction with what is sent next; False if it has begun with what was asked
        early."""
        begins = self._early is None
        if begins:
            self._send(self._unnamed(_BEGIN))
        return begins

    def ask_early(self, call: Call) -> bool:
        """Begin a transaction and ask this, for whoever uses the connection next; False if the
        library would wait for the answer."""
        if self._by_one:
            return False
        self.begin()
        self._send(self._bound(call))
        self._server.pipeline_sync()
        self._early = call
        return True

    def asked_early(self, call: Call) -> list[Row] | None:
        """The rows that this gives, if it was asked early and nothing has been asked since."""
        if self._early != call:
            return None
        answers = self._answers()
        _check(answers)
        return self._read(answers[-1])

    def finish(self) -> None:
        """Take the answers to what is under way."""
        if self._answered or self._server.pipeline_status != PipelineStatus.OFF:
            _check(self._answers())

    def rows(self, *calls: Call) -> list[list[Row]]:
        """The rows that each statement gives."""
        for sender in [self._bound(call) for call in calls]:
            self._send(sender)
        answers = self._answers()
        _check(answers)
        return [self._read(answer) for answer in answers[-len(calls) :]]

    def commit(self, *calls: Call, after: Call | None = None) -> tuple[list[list[Row]], bool]:
        """Run these, commit, and run what comes after it in a transaction of its own.

        Returns
        -------
        The rows of each of `calls`, and whether the last has succeeded.
        """
        last = () if after is None else (after,)
        senders = [self._bound(call) for call in (*calls, *last)]
        senders.insert(len(calls), self._unnamed(_COMMIT))
        for sender in senders:
            self._send(sender)
        answers = self._answers()
        _check(answers[: len(answers) - len(last)])
        rows = [self._read(answer) for answer in answers[-len(senders) :][: len(calls)]]
        return rows, after is not None and answers[-1].status in _DONE

    def _bound(self, call: Call) -> Sender:
        """The statement with its values; all that can be refused on this side was."""
        statement, values = call
        written = [None if one is None else _written(one) for one in statement.values(values)]
        formats = [isinstance(one, Packed) for one in written]
        text = statement.typed
        if self._connection.prepare_threshold is None:
            return self._unnamed(text, written, None, formats, Format.BINARY)
        name = self._names.get(text) or self._prepare(text)
        return partial(self._server.send_query_prepared, name, written, formats, Format.BINARY)

    def _unnamed(self, text: bytes, *values: Any) -> Sender:
        return partial(self._server.send_query_params, text, *(values or (None,)))

    def _prepare(self, text: bytes) -> bytes:
        name = b"stepwell_%d" % next(self._numbers)
        self._send(partial(self._server.send_prepare, name, text))
        self._unsure.append(text)
        self._names[text] = name
        return name

    def _send(self, sender: Sender) -> None:
        """With what is sent next, or now if the library cannot do that."""
        if self._early is not None:  # whoever uses the connection has something else to ask
            _check(self._answers())
        if self._by_one:
            failed = [one for one in self._answered if one.status not in _DONE]
            self._answered += failed[:1] or self._at_once(sender)
            return
        if self._server.pipeline_status == PipelineStatus.OFF:
            self._server.enter_pipeline_mode()
        sender()

    def _at_once(self, sender: Sender) -> list[PGresult]:
        sender()
        return self._wait(execute(self._server))

    def _answers(self) -> list[PGresult]:
        """The answer to each of those that were sent."""
        answers, self._answered = self._answered, []
        if not self._by_one:
            early, self._early = self._early, None
            if early is None:
                self._server.pipeline_sync()
            answers = self._wait(_up_to_now(self._server))
            self._server.exit_pipeline_mode()
        if any(one.status not in _DONE for one in answers):
            for text in self._unsure:
                del self._names[text]
        self._unsure.clear()
        return answers

    def _wait(self, answers: PQGen[list[PGresult]]) -> list[PGresult]:
        try:
            return self._connection.wait(answers)
        except BaseException:
            self._connection.close()  # nobody knows what has come, and what has not
            raise

    def _read(self, answer: PGresult) -> list[Row]:
        if not answer.ntuples:
            return []
        self._reader.set_pgresult(answer)
        return self._reader.load_rows(0, answer.ntuples, tuple)


def _up_to_now(server: PGconn) -> PQGen[list[PGresult]]:
    """The answers up to where the pipeline is in step."""
    yield from send(server)
    answers: list[PGresult] = []
    while not answers or answers[-1].status != ExecStatus.PIPELINE_SYNC:
        answers += yield from fetch_many(server)
    return answers[:-1]


def _check(answers: Iterable[PGresult]) -> None:
    for answer in answers:
        if answer.status not in _DONE:
            raise error_from_result(answer)


def _written(value: Any) -> bytes:
    """The value in the text form of its type; what is packed stays as it is."""
    return _WRITERS[type(value)](value)


def _text(value: str) -> bytes:
    written = value.encode()
    if b"\0" in written:  # libpq would end it there
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes.")
    return written


def _list(values: Iterable[Any]) -> bytes:
    elements = ["NULL" if one is None else quoted(_written(one).decode()) for one in values]
    return literal(elements).encode()


class _Writers(dict[type, Callable[[Any], bytes]]):
    """By type; an enumeration is written as what its members are."""

    def __missing__(self, kind: type) -> Callable[[Any], bytes]:
        self[kind] = next(self[base] for base in kind.__mro__[1:] if base in self)
        return self[kind]


_WRITERS: Final = _Writers(
    {
        str: _text,
        int: lambda value: b"%d" % value,
        float: lambda value: repr(value).encode(),
        bool: lambda value: b"t" if value else b"f",
        UUID: lambda value: uuid_text(value).encode(),
        datetime: lambda value: value.isoformat().encode(),
        list: _list,
        Packed: lambda value: value,
    }
)
