"""The event loop of one engine, in a thread of its own: no blocked loop of the user's program
holds up its handlers."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Final

from stepwell.events import emit

CLEAN_UP: Final = 5.0
"""Seconds that coroutines get to clean up when they were cancelled at the end of it all."""


class Looping:
    """A loop that runs until it is told to end.

    A handler's coroutine may stop it, or end it by a SystemExit in a task that nobody awaits; then
    it goes on, for all the others are awaited here too.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="stepwell-loop", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Its coroutines have cleaned up when this returns: a program may end right after it."""
        self._over = True
        with suppress(RuntimeError):  # a handler has closed it
            self.loop.call_soon_threadsafe(self.loop.stop)
        if self._thread is not threading.current_thread():
            self._thread.join(CLEAN_UP)

    def _run(self) -> None:
        while not (self._over or self.loop.is_closed()):
            try:
                self.loop.run_forever()
            except BaseException as error:
                emit("engine.loop_failed", error=repr(error))
        if self.loop.is_closed():
            return
        tasks = asyncio.all_tasks(self.loop)
        if tasks:  # they were cancelled, and may clean up
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=CLEAN_UP))
        self.loop.close()
