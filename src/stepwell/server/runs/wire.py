"""ASGI: the verbs of containers' stores, on a short way to the database.

They are most of what a busy server is asked. The route of `container_api` says the same to
people and to the description of the API, and answers whatever is not in order here.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stepwell.errors import StepwellError
from stepwell.server import problems
from stepwell.server.database.together import Together
from stepwell.server.runs import tokens
from stepwell.server.runs.asking import Question
from stepwell.server.runs.scoped import VERBS
from stepwell.server.runs.sharing import SharedSettlements
from stepwell.server.services import Services
from stepwell.stores.wire import signature

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH: Final = re.compile(f"/api/v1/runs/({_ID})/store/({'|'.join(sorted(VERBS))})")
_BEARER: Final = "Bearer "


class StoreWire:
    """Answers the verbs; everything else goes on to the app."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self.app, self._services = app, services
        self._together = Together(services.db, SharedSettlements(services.db))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a verb, or pass the request on."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            content = await request.body()
        except HTTPException as error:  # larger than what is admitted
            await problems.of_http(request, error)(scope, receive, send)
            return
        except ClientDisconnect:  # a container that was killed while it wrote: nobody to answer
            return
        body, token = _object(content), request.headers.get("authorization", "")
        if body is None or not token.startswith(_BEARER):
            await self.app(scope, _again(content), send)
            return
        answer = await self._answer(request, UUID(found[1]), found[2], body, token)
        await answer(scope, receive, send)

    async def _answer(
        self, request: Request, run_id: UUID, verb: str, body: dict[str, Any], token: str
    ) -> Response:
        try:
            key = self._services.settings.signing_key
            caller = tokens.holder(key, run_id, token.removeprefix(_BEARER))
            result = await self._together.write(Question(self._services, caller, verb, body))
        except StepwellError as error:
            return problems.of(request, error)
        told = signature(verb).result.dump_json(result)
        return Response(b'{"result":' + told + b"}", media_type="application/json")


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _again(content: bytes) -> Receive:
    """The body, for whoever reads it next."""

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive
