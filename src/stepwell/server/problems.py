"""Errors as problem documents (RFC 9457): status, code, what, why, fix, correlation id.

No caller ever sees a traceback; an error that nobody foresaw is logged with the
correlation id that its answer carries.
"""

from __future__ import annotations

import http
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StepwellError,
    StoreUnavailable,
    Unauthenticated,
    Unavailable,
)

_LOG = logging.getLogger("stepwell.server")
REFUSED_EVERY: Final = 10.0
"""Seconds between two lines of the log on requests that were refused alike."""

_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BodyTooLarge(InvalidInput):
    """The body of a request is larger than its route takes."""

    code = "body-too-large"


def too_large(limit: int) -> BodyTooLarge:
    """The error for a body over `limit` bytes."""
    return BodyTooLarge(
        f"The body of the request is larger than {limit // 1024} KiB.",
        why="It was refused before it was read.",
        fix="Send less; what is large belongs into a report or the state store.",
    )


STATUS: Final[tuple[tuple[type[StepwellError], int], ...]] = (
    (BodyTooLarge, 413),
    (Unauthenticated, 401),
    (Denied, 403),
    (NotFound, 404),
    (InvalidInput, 422),
    (Unavailable, 503),
    (Conflict, 409),
)
"""The first kind that fits decides; what fits none is 500 for `SetupError`, else 409."""

_HEADERS: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer"},
    503: {"Retry-After": "2"},
}


def status_of(error: StepwellError) -> int:
    """The HTTP status for an error: its own, if it has one, else by its kind."""
    own = getattr(error, "status", None)
    if isinstance(own, int):
        return own
    for kind, status in STATUS:
        if isinstance(error, kind):
            return status
    return 500 if error.code.startswith(("setup", "schema")) else 409


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem document."""
    app.add_exception_handler(StepwellError, _stepwell)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Correlated)


class Refusals:
    """While the database is away every request is refused alike: that is one line in the log per
    interval, and all answers name that one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, tuple[float, str, int]] = {}

    def log(self, error: StepwellError, correlation_id: str) -> str:
        """Log it, or count it; the correlation id of the line that tells of it."""
        with self._lock:
            now = time.monotonic()
            at, line, more = self._lines.get(error.what, (now - REFUSED_EVERY, "", 0))
            if now - at < REFUSED_EVERY:
                self._lines[error.what] = (at, line, more + 1)
                return line
            self._lines[error.what] = (now, correlation_id, 0)
        counted = f" Since the line before {more} more were refused alike." if more else ""
        _LOG.warning("%s Correlation id %s.%s", error, correlation_id, counted)
        return correlation_id


class Correlated:
    """ASGI: each request has a correlation id, and what nobody foresaw becomes a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self._refusals = app, Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; log and answer what it raises."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("X-Correlation-Id", "")
        request.state.correlation_id = given if _SANE.fullmatch(given) else uuid4().hex
        request.state.refusals = self._refusals
        sender = _Sender(send, request.state.correlation_id)
        try:
            await self.app(scope, receive, sender)
        except Exception:
            _LOG.exception("request failed, correlation id %s", request.state.correlation_id)
            if not sender.started:
                await _unforeseen(request)(scope, receive, sender)


class _Sender:
    """Adds the correlation id to the answer, and knows whether it has begun."""

    def __init__(self, send: Send, correlation_id: str) -> None:
        self.send, self.started = send, False
        self.header = (b"x-correlation-id", correlation_id.encode())

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message.get("headers", []), self.header]
        await self.send(message)


def problem(
    request: Request, status: int, error: Mapping[str, Any], errors: Sequence[Any] = ()
) -> JSONResponse:
    """The document for one error; `error` has code, what, why, fix."""
    detail = " ".join(error[key] for key in ("what", "why", "fix") if error[key])
    body = {
        "type": f"urn:stepwell:error:{error['code']}",
        "title": error["what"],
        "status": status,
        "detail": detail,
        **error,
        "correlation_id": getattr(request.state, "correlation_id", ""),
        **({"errors": list(errors)} if errors else {}),
    }
    kind, headers = "application/problem+json", _HEADERS.get(status)
    return JSONResponse(body, status, headers, media_type=kind)


def _stepwell(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StepwellError)
    return of(request, error)


def of(request: Request, error: StepwellError) -> JSONResponse:
    """The document for an error of ours, with what it says of trying again."""
    told = error.as_dict()
    if isinstance(error, StoreUnavailable) and error.why:  # addresses, and names of users
        line = request.state.refusals.log(error, request.state.correlation_id)
        told["why"] = f"The server's log has the details, under the correlation id {line}."
    answer = problem(request, status_of(error), told)
    after = getattr(error, "retry_after", None)
    if after is not None:
        answer.headers["Retry-After"] = str(after)
    return answer


def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [{"field": _field(one["loc"]), "message": _message(one)} for one in error.errors()]
    first = found[0]
    told = InvalidInput(
        f"{first['field']} cannot be used: {first['message']}.",
        why=f"{len(found)} fields do not fit." if len(found) > 1 else "",
        fix="Correct it and send the request again; nothing was changed.",
    )
    return problem(request, 422, told.as_dict(), found)


def _message(error: Mapping[str, Any]) -> str:
    """What does not fit, in words: people in a dialog read no patterns."""
    form = form_of(error.get("ctx", {}).get("pattern", ""))
    return str(error["msg"]) if form is None else form


_NAME: Final = re.compile(r"\^(env:)?\[([^\]]+)\]\[([^\]]+)\](?:\*|\{0,\d+\})\$")
_LETTERS: Final = {
    "a-zA-Z": "letters",
    "A-Za-z": "letters",
    "a-z": "small letters",
    "0-9": "digits",
}


def form_of(pattern: str) -> str | None:
    """What a pattern of a name asks for, in words; None of any other pattern."""
    found = _NAME.fullmatch(pattern)
    if found is None:
        return None
    prefix, first, rest = found.groups()
    asked = f"has only {_spelled(rest, 'and')}, and begins with {_spelled(first, 'or')}"
    return f"it {asked}" if prefix is None else f"it is {prefix}NAME, where NAME {asked}"


def _spelled(characters: str, joined: str) -> str:
    """`a-z0-9._` -> `small letters, digits, "." and "_"`."""
    words = []
    for letters, word in _LETTERS.items():
        if letters in characters:
            words.append(word)
            characters = characters.replace(letters, "")
    words += [f'"{one}"' for one in characters]
    return f" {joined} ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _field(location: Sequence[Any]) -> str:
    """`('body', 'image')` -> `image`; the body as a whole is `the body`."""
    parts = [str(part) for part in location[1:]]
    return ".".join(parts) or f"the {location[0]}"


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return of_http(request, error)


def of_http(request: Request, error: HTTPException) -> JSONResponse:
    """The answer to what the framework refuses."""
    if error.status_code == 413 and error.detail.isdecimal():
        return _stepwell(request, too_large(int(error.detail)))
    phrase = http.HTTPStatus(error.status_code).phrase
    told = {
        "code": phrase.lower().replace(" ", "-"),
        "what": f"{request.method} {request.url.path}: {phrase}.",
        "why": "" if error.detail == phrase else str(error.detail),
        "fix": "See /api/v1/openapi.json for what there is." if error.status_code == 404 else "",
    }
    answer = problem(request, error.status_code, told)
    answer.headers.update(error.headers or {})
    return answer


def _unforeseen(request: Request) -> JSONResponse:
    told = {
        "code": "internal-error",
        "what": "The server failed at this request.",
        "why": "It met an error that it does not foresee; its log has the details.",
        "fix": "Report it with the correlation id.",
    }
    return problem(request, 500, told)
