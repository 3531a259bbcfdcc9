"""The workflow group of the contract of runs. It tells what it does by its state on the server,
so it may run anywhere; who tests it lets it go on in the same way."""

from __future__ import annotations

import os
import time
from uuid import uuid4

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("contract")


def note(ctx: Context, word: str) -> None:
    """Say that an operation has begun, once more."""
    ctx.state.save(f"{ctx.run_id}/{word}/{uuid4()}", os.getpid(), scope="group", now=True)


@group.workflow
class Walk:
    """Three operations; the second one stays until it may go on."""

    @operation
    def begin(self, ctx: Context) -> int:
        """Give a number."""
        note(ctx, "begin")
        print("the walk begins", flush=True)  # noqa: T201 - output is what is tested
        return 3

    @operation
    def stay(self, begin: int, ctx: Context) -> int:
        """Leave something behind, and wait."""
        ctx.state.save("stayed", begin)
        note(ctx, "stay")
        while ctx.state.get(f"go/{ctx.run_id}", scope="group") is None:
            time.sleep(0.1)
        return begin * 2

    @operation
    def end(self, stay: int, ctx: Context) -> list[str]:
        """The variables that a group's code can see."""
        note(ctx, f"end-{stay}")
        return sorted(os.environ)


@group.workflow
class Ask:
    """Waits for a person in between."""

    @operation
    def ask(self, ctx: Context) -> bool:
        """Wait for an approval, for longer than a container is kept waiting."""
        note(ctx, "ask")
        return ctx.wait_for_approval("May it?", within=3600) is not None
