"""What `stepwell ui --store` does, once it is known that the packages are there."""

from __future__ import annotations

import logging
import sys
import webbrowser
from typing import Final

from stepwell.cli.render import Output
from stepwell.cli.serving.developing import HOST
from stepwell.cli.serving.listener import Listener, bound, bound_near
from stepwell.cli.serving.stopping import until_asked_to_stop, wait_for
from stepwell.cli.serving.worker import LOG_FORMAT
from stepwell.server.bare import BarePages, label

PORT: Final = 8421


def look_in(out: Output, url: str, port: int | None, *, actions: bool, open_it: bool) -> None:
    """Serve the pages over a store until a signal asks to stop.

    Raises
    ------
    PortTaken, SetupError, StoreOfServer : before anything is served.
    """
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    socket = bound_near(HOST, PORT) if port is None else bound(HOST, port)
    pages = BarePages(url, port=socket.getsockname()[1], actions=actions)
    with until_asked_to_stop() as asked, pages:
        listener = Listener(pages.app, socket).start()
        link = pages.link()
        may = "steps can be changed" if actions else "read only: --actions lets steps be changed"
        out.note(f"the steps of {label(url)}; {may}")
        out.note("Open, once, within the hour; Ctrl-C stops:")
        out.answer({"url": link}, link)
        sys.stdout.flush()  # whoever has started this waits for it
        if open_it:
            webbrowser.open(link)
        wait_for(asked)
        listener.stop()
