"""The group in the image of these tests. `wait` keeps the second operation busy, once a run, for
so many seconds or until it may go on. The step beside it belongs to no group."""

import time
from datetime import date
from typing import Any

from stepwell import Outcome, Registry, done
from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("weather")
registry = Registry()


@registry.handler("shop/resize")
def resize(state: dict[str, Any]) -> Outcome:
    """It stays for so many seconds, so that its pod can be lost meanwhile."""
    print("resizing", flush=True)
    time.sleep(state["wait"])
    return done({"width": state["width"] // 2})


@group.workflow
class Nightly:
    day: date
    wait: float = 0.0

    @operation
    def fetch(self) -> int:
        return 3

    @operation
    def load(self, fetch: int, ctx: Context) -> int:
        seen = f"seen/{ctx.run_id}"
        if self.wait and ctx.state.get(seen) is None:
            ctx.state.save(seen, True, now=True)
            print("waiting", flush=True)
            self.stay(ctx)
        return fetch * 2

    def stay(self, ctx: Context) -> None:
        end = time.monotonic() + self.wait
        while time.monotonic() < end and ctx.state.get(f"go/{ctx.run_id}", scope="group") is None:
            time.sleep(0.1)

    @operation
    def report(self, load: int, ctx: Context) -> None:
        ctx.report.json("sum", {"total": load})
