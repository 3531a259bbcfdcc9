"""A program that ends without closing its store."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import atexit, os, sys, threading

atexit.register(lambda: print(sorted(one.name for one in threading.enumerate())))  # runs last

from stepwell.stores.postgres import PostgresStore

store = PostgresStore(sys.argv[1])
store.open()
with store._pool._pool.connection() as connection:
    pass
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    connection.execute("SELECT 1")
    print("still there")
"""


def test_a_program_that_never_closes_its_store_leaves_no_thread_to_wait_for(
    postgres_steps: str,
) -> None:
    """Python 3.13 waited 15 s for those of a pool. A forked child that ends closes nothing."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, postgres_steps],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["['MainThread']", "still there", "['MainThread']"]
