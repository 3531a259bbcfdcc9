"""Handlers that run in processes of their own: another process must be able to import them."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepwell import FailStep, Outcome, Registry, RetryPolicy, Step, done, new_step, rerun

registry = Registry()
ONCE = RetryPolicy(attempts=1)


@dataclass
class Picture:
    """A state of a type of its own."""

    width: int
    path: str = ""


class Stubborn(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")


@registry.handler("v1/render", process=True)
def render(state: Picture, step: Step, activation: dict[str, int] | None) -> Outcome:
    """Say who has run it, and with what."""
    return done(
        {"pid": os.getpid(), "width": state.width, "step": step.name, "args": activation},
        next=new_step("v1/rendered", state),
    )


@registry.handler("v1/rerun", process=True)
def again(state: int) -> Outcome:
    """Come back once, with another state."""
    return rerun(state=1) if state == 0 else done("back")


@registry.handler("v1/value-error", process=True, retry=RetryPolicy(on=(KeyError,)))
def wrong(state: Any) -> None:
    """Raise what is not retried."""
    raise ValueError("not this one")


@registry.handler("v1/stubborn", process=True, retry=RetryPolicy(delays=(3600,), on=(Stubborn,)))
def stubborn() -> None:
    """Raise what cannot be pickled."""
    raise Stubborn(code=7)


@registry.handler("v1/fail-step", process=True)
def give_up() -> None:
    """Fail for good, with a step that follows."""
    raise FailStep("the picture is black", next=[new_step("v1/rendered")])


@registry.handler("v1/exit", process=True, retry=ONCE)
def leave(state: int) -> None:
    """Die as a process."""
    os._exit(state)


@registry.handler("v1/crash", process=True, retry=ONCE)
def crash() -> None:
    """Die of a segmentation fault, as a bug in C would have it."""
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


@registry.handler("v1/unsendable", process=True, retry=ONCE)
def unsendable() -> Outcome:
    """Return what no process can send."""
    return done(threading.Lock())


@registry.handler("v1/spin", process=True)
def spin(state: str) -> None:
    """Go on for ever, after having told who does so."""
    Path(state).write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)


@registry.handler("v1/spin-3s", process=True, timeout=3, retry=ONCE)
def spin_for_a_while(state: str) -> None:
    """The same, with an end."""
    spin(state)
