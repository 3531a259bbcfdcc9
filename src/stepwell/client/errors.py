"""What a call raises: the server's errors by their kind and code, and three of its own."""

from __future__ import annotations

from typing import Any, Final

from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StepwellError,
    Unauthenticated,
    Unavailable,
    catalogue,
)
from stepwell.lean import httpx


class Unreachable(Unavailable):
    """No server answers at the address."""

    code = "server-unreachable"


class UnexpectedAnswer(StepwellError):
    """The server answered with something that is no answer of Stepwell's."""

    code = "unexpected-answer"


class TookTooLong(Unavailable):
    """It goes on, but nobody waits any more."""

    code = "took-too-long"


_BY_STATUS: Final[dict[int, type[StepwellError]]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    405: InvalidInput,
    409: Conflict,
    412: Conflict,
    413: InvalidInput,
    422: InvalidInput,
    429: Unavailable,
    500: UnexpectedAnswer,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def refusal(answer: httpx.Response) -> StepwellError:
    """The error in a problem+json answer, of the kind that its status means.

    Where the class of its code is loaded in this process it is that class; `code` is the
    server's in any case. `problems` lists the parts of it, where the server named some.
    """
    problem = content(answer)
    if not isinstance(problem, dict):
        problem = {}
    kind = _BY_STATUS.get(answer.status_code, UnexpectedAnswer)
    code = str(problem.get("code") or kind.code)
    told = {
        "what": problem.get("what") or problem.get("title") or f"HTTP {answer.status_code}.",
        "why": problem["why"] if "why" in problem else _detail(problem.get("detail")),
        "fix": problem.get("fix") or "",
    }
    known = catalogue().get(code, kind)
    error = (known if issubclass(known, kind) else kind).from_dict(told)
    error.code = code
    error.problems = list(problem.get("problems") or problem.get("errors") or ())  # type: ignore[attr-defined]
    return error


def content(answer: httpx.Response) -> Any:
    """The answer's JSON; raises `UnexpectedAnswer`."""
    try:
        return answer.json()
    except ValueError as error:
        raise UnexpectedAnswer(
            f"{answer.request.url} gave HTTP {answer.status_code} and no JSON.",
            why="It begins with: " + " ".join(answer.text[:120].split()),
            fix="Check that --url is the address of a Stepwell server.",
        ) from error


def _detail(detail: Any) -> str:
    if isinstance(detail, list):
        return "; ".join(str(one.get("msg", one)) for one in detail if isinstance(one, dict))
    return str(detail or "")
