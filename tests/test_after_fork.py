"""What may be half done in the child of a fork keeps the fork waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from stepwell.after_fork import Turnstile

PATIENCE = 60


def test_a_fork_waits_until_no_other_thread_is_inside() -> None:
    turnstile, inside, over = Turnstile(), threading.Event(), threading.Event()

    def stay() -> None:
        with turnstile:
            inside.set()
            assert over.wait(PATIENCE)

    with ThreadPoolExecutor(1) as threads:
        staying = threads.submit(stay)
        assert inside.wait(PATIENCE)
        assert not turnstile.acquire(0.01)
        over.set()
        staying.result(PATIENCE)
        assert turnstile.acquire(PATIENCE)
        turnstile.release()


def test_a_thread_that_forks_inside_does_not_wait_for_itself() -> None:
    turnstile = Turnstile()
    with turnstile, turnstile:
        assert turnstile.acquire(0.0)
        turnstile.release()


def test_nobody_goes_in_during_a_fork_but_who_is_inside_goes_on() -> None:
    turnstile, inside, nested = Turnstile(), threading.Event(), threading.Event()
    came = threading.Event()

    def go_on() -> None:
        with turnstile:
            inside.set()
            assert nested.wait(PATIENCE)
            with turnstile:  # or it would wait for the fork, and the fork for it
                pass

    def come() -> None:
        with turnstile:
            came.set()

    with ThreadPoolExecutor(2) as threads:
        going_on = threads.submit(go_on)
        assert inside.wait(PATIENCE)
        threading.Timer(0.05, nested.set).start()
        assert turnstile.acquire(PATIENCE)
        coming = threads.submit(come)
        assert not came.wait(0.05)
        turnstile.release()
        going_on.result(PATIENCE)
        coming.result(PATIENCE)
        assert came.is_set()
