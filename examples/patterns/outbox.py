"""The outbox: an order and the mail that confirms it, both or neither."""

import sqlite3
from collections.abc import Callable
from uuid import UUID

from stepwell import Registry, Step, StepClient, new_step

TABLE = "create table if not exists orders (number integer primary key, customer text not null)"


def build(send: Callable[[UUID, str], object]) -> Registry:
    """The handlers. `send` takes a key with which the mail service tells a second try."""
    registry = Registry()

    @registry.handler("v1/confirm")
    def confirm(step: Step, state: dict[str, str]) -> None:
        send(step.id, state["customer"])

    return registry


def order(steps: StepClient, connection: sqlite3.Connection, number: int, customer: str) -> None:
    """In the caller's transaction: who commits has both, who rolls back has neither."""
    connection.execute("insert into orders values (?, ?)", (number, customer))
    steps.add(new_step("v1/confirm", {"customer": customer}), connection=connection)
