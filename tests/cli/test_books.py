"""What `stepwell steps` reads of a store of one's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from stepwell import StepClient, new_step
from stepwell.cli.steps.books import StoreBook
from stepwell.clock import now
from stepwell.stores import open_store


def test_arguments_in_another_format_than_the_state_are_shown_as_they_are(tmp_path: Path) -> None:
    """An engine with a codec of its own activates a step whose state is JSON."""
    url = f"sqlite:///{tmp_path / 'mine.db'}"
    store = open_store(url)
    store.migrate()
    later = now() + timedelta(hours=1)
    step = StepClient(store).add(new_step("v1/order", {"n": 1}, schedule_time=later))
    with store.transaction() as tx:
        tx.activate(step, "eyJnbyI6MX0=", None)
    store.close()

    book = StoreBook(url)
    (found,) = book.search({}, 1)
    book.close()
    assert (found["state"], found["activation_args"]) == ({"n": 1}, "eyJnbyI6MX0=")
