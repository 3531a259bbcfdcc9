"""Handlers that the user's container builds, and what lives as long as one execution."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from stepwell import Engine, Outcome, Registry, RetryPolicy, Step, done, new_step
from stepwell.errors import HandlerInvalid
from stepwell.injection import Resolver
from stepwell.stores.memory import MemoryStore

ONCE = RetryPolicy(attempts=1)


class Mailer:
    def send(self, to: str) -> str:
        return f"sent to {to}"


def _run(registry: Registry, name: str, state: Any = None) -> Step:
    engine = Engine(MemoryStore(), registry)
    step_id = engine.add(new_step(name, state))
    engine.drain()
    return engine.get(step_id)


class SendMail:
    def __init__(self, mailer: Mailer) -> None:
        self.mailer = mailer

    def __call__(self, state: str) -> Outcome:
        return done(self.mailer.send(state))


def test_a_class_is_made_by_the_container_for_each_execution() -> None:
    asked: list[tuple[str, Any]] = []

    def resolve(name: str, kind: Any) -> Any:
        asked.append((name, kind))
        return kind(Mailer())

    registry = Registry(resolve)
    assert registry.handler("v1/mail", "v2/mail")(SendMail) is SendMail
    assert _run(registry, "v1/mail", "ada").result == '"sent to ada"'
    assert _run(registry, "v2/mail", "bob").result == '"sent to bob"'
    assert asked == [("handler", SendMail)] * 2


@pytest.mark.parametrize("method", ["run", "handle"])
def test_its_method_may_have_another_name(method: str) -> None:
    kind = type("Job", (), {method: lambda self, state: done(state + 1)})
    registry = Registry()
    registry.add(kind, "v1/job")
    assert _run(registry, "v1/job", 1).result == "2"


def test_a_class_with_a_coroutine_runs_on_the_loop() -> None:
    class Job:
        async def handle(self, state: int, step: Step) -> Outcome:
            await asyncio.sleep(0)
            return done([state, step.name])

    registry = Registry()
    assert registry.add(Job, "v1/job").is_async
    assert _run(registry, "v1/job", 1).result == '[1,"v1/job"]'


def test_an_object_that_can_be_called_is_a_handler() -> None:
    registry = Registry()
    registry.add(SendMail(Mailer()), "v1/mail")
    assert _run(registry, "v1/mail", "ada").result == '"sent to ada"'


class Nothing:
    """No method to be called by."""


class TooMuch:
    def run(self) -> None: ...
    def handle(self) -> None: ...


@pytest.mark.parametrize(
    ("kind", "why"),
    [(Nothing, "no method"), (TooMuch, "run and handle"), (SendMail, "cannot be made")],
)
def test_a_class_that_cannot_be_a_handler_is_refused(kind: type, why: str) -> None:
    with pytest.raises(HandlerInvalid, match=why):
        Registry().add(kind, "v1/x")


class Scopes:
    """Counts what is open, and notes how each one ended."""

    def __init__(self) -> None:
        self.opened: list[Step] = []
        self.ended: list[str] = []

    @contextmanager
    def plain(self, step: Step) -> Iterator[Resolver]:
        self.opened.append(step)
        try:
            yield lambda name, kind: kind()
        except BaseException as error:
            self.ended.append(type(error).__name__)
            raise
        self.ended.append("well")

    @asynccontextmanager
    async def on_loop(self, step: Step) -> AsyncIterator[Resolver]:
        async def made(kind: Any) -> Any:
            await asyncio.sleep(0)
            return kind()

        with self.plain(step):
            yield lambda name, kind: made(kind)


@pytest.fixture
def scopes() -> Scopes:
    return Scopes()


def test_a_scope_is_open_for_one_execution(scopes: Scopes) -> None:
    registry = Registry(scope=scopes.plain)

    @registry.handler("v1/mail")
    def mail(state: str, mailer: Mailer) -> Outcome:
        assert len(scopes.opened) == len(scopes.ended) + 1
        return done(mailer.send(state))

    step = _run(registry, "v1/mail", "ada")
    assert step.result == '"sent to ada"'
    assert [one.id for one in scopes.opened] == [step.id]
    assert scopes.ended == ["well"]


def test_a_scope_sees_what_the_handler_raised(scopes: Scopes) -> None:
    registry = Registry(scope=scopes.plain)

    @registry.handler("v1/mail", retry=ONCE)
    def mail(mailer: Mailer) -> None:
        raise LookupError("no such address")

    assert _run(registry, "v1/mail").ended_as == "failed"
    assert scopes.ended == ["LookupError"]


def test_a_scope_that_cannot_be_closed_is_a_failed_attempt() -> None:
    @contextmanager
    def scope(step: Step) -> Iterator[Resolver]:
        yield lambda name, kind: kind()
        raise ConnectionError("lost at the end")

    registry = Registry(scope=scope)

    @registry.handler("v1/mail", retry=ONCE)
    def mail(mailer: Mailer) -> Outcome:
        return done("sent")

    step = _run(registry, "v1/mail")
    assert (step.ended_as, step.result) == ("failed", None)
    assert step.description is not None
    assert step.description.startswith("ConnectionError: lost at the end")


def test_no_scope_is_opened_for_whom_needs_nothing_from_it(scopes: Scopes) -> None:
    registry = Registry(scope=scopes.plain)
    registry.add(lambda state, step: None, "v1/plain")
    assert _run(registry, "v1/plain").ended_as == "done"
    assert scopes.opened == []


@pytest.mark.parametrize("kind", ["plain", "on_loop"])
def test_a_coroutine_gets_either_kind_of_scope(scopes: Scopes, kind: str) -> None:
    registry = (
        Registry(scope=scopes.plain) if kind == "plain" else Registry(async_scope=scopes.on_loop)
    )

    @registry.handler("v1/mail")
    async def mail(state: str, mailer: Mailer) -> Outcome:
        return done(mailer.send(state))

    assert _run(registry, "v1/mail", "ada").result == '"sent to ada"'
    assert scopes.ended == ["well"]


def test_a_class_is_made_within_the_scope_on_the_loop_too(scopes: Scopes) -> None:
    class Job:
        async def run(self, mailer: Mailer) -> Outcome:
            return done(mailer.send("ada"))

    registry = Registry(async_scope=scopes.on_loop)
    registry.add(Job, "v1/job")
    assert _run(registry, "v1/job").result == '"sent to ada"'


def test_a_plain_function_cannot_enter_a_scope_of_the_loop(scopes: Scopes) -> None:
    registry = Registry(async_scope=scopes.on_loop)

    def mail(mailer: Mailer) -> None: ...

    with pytest.raises(HandlerInvalid, match="nobody fills: mailer"):
        registry.add(mail, "v1/mail")
