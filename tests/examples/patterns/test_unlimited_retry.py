"""Unlimited retry: an outage of days costs nothing but the wait."""

from __future__ import annotations

from patterns.unlimited_retry import QUEUE, build, enqueue

from stepwell.testing.virtual import VirtualEngine


def test_what_is_in_the_queue_is_delivered_when_the_other_side_is_back() -> None:
    delivered: list[str] = []
    away = True

    def deliver(message: str) -> None:
        if away:
            raise ConnectionError("no route to host")
        delivered.append(message)

    engine = VirtualEngine(build(deliver), queues=(QUEUE,))
    first, second = enqueue(engine, "one"), enqueue(engine, "two")
    engine.advance(days=3)
    assert delivered == []
    assert engine.get(first).failure_count == 50
    assert "the last one failed: ConnectionError: no route to host" in engine.explain(second)

    away = False
    engine.advance(hours=2)
    assert sorted(delivered) == ["one", "two"]


def test_a_message_that_is_refused_holds_up_no_other() -> None:
    delivered: list[str] = []

    def deliver(message: str) -> None:
        if message == "poison":
            raise ValueError("cannot be read")
        delivered.append(message)

    engine = VirtualEngine(build(deliver), queues=(QUEUE,))
    for message in ("poison", "one", "two"):
        enqueue(engine, message)
    engine.drain()
    assert delivered == ["one", "two"]
