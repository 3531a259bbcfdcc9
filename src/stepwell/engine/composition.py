"""What an engine is made of, checked before it looks for work that it would never find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepwell import given
from stepwell.errors import InvalidInput
from stepwell.registry import Registry


def check_composition(
    store: Any,
    registry: Any,
    queues: Any,
    workers: int | None,
    min_workers: int | None,
    processes: int | None,
    flow_id: Any,
) -> None:
    """Raise `InvalidInput` for what could run nothing, or not what was meant."""
    check_store_object(store)
    given.of_type("The registry", registry, Registry, "Give the Registry with your handlers.")
    check_queues(queues)
    _check_number("workers", workers, least=1)
    _check_number("min_workers", min_workers, least=0)
    _check_number("processes", processes, least=1)
    if flow_id is not None:
        given.identity("flow_id", flow_id)


def check_store_object(store: Any) -> None:
    """An address is no store yet."""
    if isinstance(store, str) or not hasattr(store, "transaction"):
        raise InvalidInput(
            f"{store!r} is no store, but a {type(store).__name__}.",
            fix="Open it first: stepwell.stores.open_store(address).",
        )


def check_codecs(*codecs: Any) -> None:
    """The name of a format is no codec."""
    for one in codecs:
        if not all(callable(getattr(one, verb, None)) for verb in ("encode", "decode")):
            raise InvalidInput(
                f"{one!r} is no codec, but a {type(one).__name__}.",
                fix="Give an object with format, encode and decode; codecs= takes several.",
            )


def check_queues(queues: Any) -> None:
    """One string is none, and neither are no names at all."""
    if isinstance(queues, str):
        raise InvalidInput(
            f"queues={queues!r} is one string, which Python takes for its letters.",
            fix=f"Give a tuple: queues=({queues!r},).",
        )
    given.of_type("queues", queues, Iterable, "Give a tuple of names.")
    for queue in queues:
        given.text("One of the queues", queue)
    if not any(queues):
        raise InvalidInput(
            "An engine without a queue would never run anything.",
            fix="Name the queues that it serves, or leave queues= out for 'default'.",
        )


def _check_number(name: str, number: int | None, *, least: int) -> None:
    if number is None:
        return
    fix = f"Give a whole number, at least {least}."
    given.of_type(name, number, int, fix)
    if number < least:
        raise InvalidInput(f"With {name}={number} nothing would ever run.", fix=fix)
