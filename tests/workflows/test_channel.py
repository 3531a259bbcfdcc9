"""Messages between the engine's process and the group's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from stepwell.workflows.channel import Channel, ChannelClosed


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = socket.socketpair()
    pair = Channel(one), Channel(other)
    yield pair
    for end in pair:
        end.close()


def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, Channel]) -> None:
    big = {"text": "ä" * 500_000}

    def send() -> None:
        ends[0].send({"n": 1})
        ends[0].send(big)

    thread = threading.Thread(target=send)
    thread.start()
    assert ends[1].receive() == {"n": 1}
    assert ends[1].receive() == big
    thread.join()


def test_a_timeout_loses_nothing(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(TimeoutError):
        ends[1].receive(0.01)
    ends[0].send({"n": 1})
    assert ends[1].receive(90.0) == {"n": 1}
    ends[0].send({"n": 2})
    assert ends[1].receive() == {"n": 2}


def test_what_is_there_already_is_received_without_any_time(ends: tuple[Channel, Channel]) -> None:
    ends[0].send({"n": 1})
    assert ends[1].receive(0.0) == {"n": 1}
    with pytest.raises(TimeoutError):
        ends[1].receive(0.0)


def test_a_closed_end_is_told(ends: tuple[Channel, Channel]) -> None:
    ends[0].close()
    with pytest.raises(ChannelClosed):
        ends[1].receive(90.0)
    with pytest.raises(ChannelClosed):
        ends[1].send({"n": 1})
