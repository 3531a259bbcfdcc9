"""The group in the image of these tests. `wait` keeps the second operation busy, once a run, for
so many seconds or until it may go on."""

import time
from datetime import date

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("weather")


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
