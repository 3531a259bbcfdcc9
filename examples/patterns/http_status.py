"""Limited retry by HTTP status: what may pass is tried again, what will not fails at once."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from stepwell import FailStep, Outcome, Registry, RetryPolicy, Step, done

MAY_PASS = {408, 425, 429, 500, 502, 503, 504}


class TryAgain(Exception):
    """An answer that another try may not get."""


POLICY = RetryPolicy(attempts=5, delays=(10, 60, 300), on=(TryAgain, URLError, TimeoutError))

registry = Registry()


@dataclass
class Post:
    url: str
    body: dict[str, Any]


@registry.handler("v1/post", retry=POLICY)
def post(step: Step, state: Post) -> Outcome:
    """One POST. The step's id stays the same in each try, so the other side can tell."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(step.id)}
    request = Request(state.url, json.dumps(state.body).encode(), headers)
    try:
        with urlopen(request, timeout=60) as answer:
            return done({"status": answer.status})
    except HTTPError as error:
        said = f"{error.code} {error.reason}"
        if error.code in MAY_PASS:
            raise TryAgain(said) from error
        raise FailStep(said) from error
