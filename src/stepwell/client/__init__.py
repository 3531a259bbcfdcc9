"""A Stepwell server from Python: `pip install stepwell[cli]`, then `Client(url, token)`.

from stepwell.client import Client

with Client("http://127.0.0.1:8420", token) as server:
    run = server.start("weather", "nightly", {"day": "2026-01-31"})
    print(server.wait(run.id).state)
"""

from stepwell.client.client import Client
from stepwell.client.errors import TookTooLong, UnexpectedAnswer, Unreachable
from stepwell.client.records import (
    Attempt,
    Bulk,
    BulkPreview,
    Cause,
    Count,
    Event,
    Group,
    Reason,
    Run,
    RunStep,
    Schedule,
    View,
    Why,
)

__all__ = [
    "Attempt",
    "Bulk",
    "BulkPreview",
    "Cause",
    "Client",
    "Count",
    "Event",
    "Group",
    "Reason",
    "Run",
    "RunStep",
    "Schedule",
    "TookTooLong",
    "UnexpectedAnswer",
    "Unreachable",
    "View",
    "Why",
]
