"""What `stepwell.launchers.template` imports before it forks an image: all that an image needs, and
what it makes of that at its start. One that is started alone, `cold`, makes what it uses.
"""

from __future__ import annotations

import os

from stepwell.stores.wire import signature
from stepwell.workflows.forking import go_on, read

for _verb in ("join_and_claim", "settle_and_claim", "claim", "search", "beat", "leave"):
    signature(_verb)  # made once, and not by each launch


def begin(environment: int, secrets: int) -> int:
    """Run the image that the environment names; its exit code.

    Parameters
    ----------
    environment, secrets : pipes, each with variables as JSON.
    """
    os.environ.clear()
    os.environ.update(read(environment))
    return go_on(secrets)
