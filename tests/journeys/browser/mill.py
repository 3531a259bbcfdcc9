"""A server whose one workflow has succeeded three times and failed once: for lists and figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.cli.shell import wait
from tests.journeys.browser.site import Site, serving

SOURCE = '''
"""Some go well, and some do not."""

from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("mill")


@group.workflow()
class Grind:
    sacks: int = 1

    @operation
    def grind(self, sacks: int) -> int:
        """Grind them."""
        if sacks == 0:
            raise ValueError("there is nothing to grind")
        return sacks
'''


@contextmanager
def milling(folder: Path) -> Iterator[Site]:
    """The site, when its four runs have ended and were measured."""
    with serving(folder) as site:
        file = site.shell.folder / "mill.py"
        file.write_text(SOURCE)
        site.shell.good("groups", "register", file)
        site.shell.good("groups", "approve", "mill", "--reason", "first release")
        for sacks in (1, 2, 3, 0):
            site.api.post("/workflows/mill/grind/runs", {"parameters": {"sacks": sacks}})
        wait(partial(_measured, site), site.shell.log("serve"))
        yield site


def _measured(site: Site) -> bool:
    """Whether all four are counted."""
    return bool(site.api.get("/metrics/query")["total"]["judged"] == 4)
