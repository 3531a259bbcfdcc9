"""Django's users and what they see: python django_shop.py ENGINE NAME [HOST USER] prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction

from stepwell import Engine, Registry, StepClient, StepQuery, new_step
from stepwell.errors import UniqueKeyTaken
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.protocol import Store
from stepwell.stores.sqlite import SQLiteStore

NAME = "v1/send-receipt"


class TakenBack(Exception):
    """Ends a block of Django's, so that it rolls back."""


class Shop:
    """What Django's users do, each in a method; what was seen is the answer."""

    def __init__(self, store: Store) -> None:
        self.steps = StepClient(store)

    def commits(self) -> Any:
        with transaction.atomic():
            order()
            self.steps.add(new_step(NAME), connection=connection)
            before = self.ready()
        return [before, self.ready(), orders()]

    def rolls_back(self) -> Any:
        try:
            with transaction.atomic():
                self.steps.add(new_step(NAME), connection=connection)
                order()
                raise TakenBack
        except TakenBack:
            return [self.ready(), orders()]

    def takes_a_savepoint_back(self) -> Any:
        with transaction.atomic():
            self.steps.add(new_step(NAME), connection=connection)
            try:
                with transaction.atomic():
                    self.steps.add(new_step(NAME), connection=connection)
                    raise TakenBack
            except TakenBack:
                order()
        return [self.ready(), orders()]

    def survives_a_taken_key(self) -> Any:
        self.steps.add(new_step(NAME, unique_key="k"))
        with transaction.atomic():
            try:
                clash = new_step(NAME, unique_key="k")
                self.steps.add_many([new_step(NAME), clash], connection=connection)
            except UniqueKeyTaken:
                order()
        return [self.ready(), orders()]

    def adds_if_none(self) -> Any:
        query = StepQuery(name=NAME)
        with transaction.atomic():
            added = [
                self.steps.add_if_none(new_step(NAME), query, connection=connection)
                for _ in range(2)
            ]
        return [one is not None for one in added]

    def commits_by_itself_outside_a_block(self) -> Any:
        self.steps.add(new_step(NAME), connection=connection)
        return self.ready()

    def takes_the_connection_by_its_alias(self) -> Any:
        with transaction.atomic():
            self.steps.add(new_step(NAME), connection=connections["default"])
        return self.ready()

    def connects_if_it_has_not(self) -> Any:
        connection.close()
        self.steps.add(new_step(NAME), connection=connection)
        return self.ready()

    def runs_what_was_committed(self) -> Any:
        seen: list[Any] = []

        def remember(state: Any) -> None:
            seen.append(state)

        registry = Registry()
        registry.handler(NAME)(remember)
        with transaction.atomic():
            self.steps.add(new_step(NAME, {"order": 1}), connection=connection)
        Engine(self.steps.store, registry).drain()
        return seen

    def lends_from_a_coroutine_by_a_thread(self) -> Any:
        asyncio.run(asyncio.to_thread(self.commits))
        return self.ready()

    def ready(self) -> int:
        return self.steps.count().ready


def order() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO orders VALUES (%s)", [1])


def orders() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        return int(cursor.fetchone()[0])


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS orders")
        cursor.execute("CREATE TABLE orders (id integer)")
        for table in ("ready", "done", "failed"):
            cursor.execute(f"DELETE FROM stepwell_{table}")


def main(engine: str, name: str, host: str = "", user: str = "") -> None:
    database = {"ENGINE": f"django.db.backends.{engine}", "NAME": name, "HOST": host, "USER": user}
    settings.configure(DATABASES={"default": database})
    url = f"postgresql://{user}:@/{name}?host={host}"
    store: Store = SQLiteStore(name) if engine == "sqlite3" else PostgresStore(url)
    shop, answers = Shop(store), {}
    deeds: dict[str, Callable[[Shop], Any]] = {
        name: deed for name, deed in vars(Shop).items() if name not in {"__init__", "ready"}
    }
    for deed_name, deed in deeds.items():
        if callable(deed):
            empty()
            answers[deed_name] = deed(shop)
    json.dump(answers, sys.stdout)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
