"""A client of `bare_asgi`: the requests of `ingest`, written once."""

from __future__ import annotations

import threading
import time

from benchmarks.subject import serve
from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.stores.http import ServerLink

THREADS = 8


def _work(url: str, at_once: str, seconds: str) -> float:
    one = {"claim": {"step_id": str(new_id()), "claim_no": 1}, "ended_as": "done"}
    one |= {"result": '{"rows":1}', "execution_started_at": now().isoformat()}
    body = {"engine_id": str(new_id()), "settlements": [one] * int(at_once)}
    link, until, done = ServerLink(url, "token"), time.monotonic() + float(seconds), []

    def ask() -> None:
        count = 0
        while time.monotonic() < until:
            link.post("/", body)
            count += 1
        done.append(count)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) * int(at_once) / float(seconds)


if __name__ == "__main__":
    serve(_work)
