"""Keeps the server's groups as the files under a path are (R37, R42)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from stepwell.cli.client import Client
from stepwell.cli.exits import described
from stepwell.cli.groups import discovered, finder, reviewing, reviews
from stepwell.cli.groups.finder import Found
from stepwell.cli.render import Output
from stepwell.cli.waiting import good_discovery
from stepwell.errors import NotFound, StepwellError
from stepwell.launchers.images import digest_of_source


class GroupKeeper:
    """Registers and discovers what is new or has changed, and tells what came of it.

    Parameters
    ----------
    root : the path that is followed.
    environment : what the images get.
    approve : approve each discovery by itself.
    """

    def __init__(
        self,
        out: Output,
        api: Client,
        root: Path,
        environment: Mapping[str, str],
        *,
        approve: bool,
    ) -> None:
        self._out, self._api, self._root = out, api, root
        self._environment, self._approve = dict(environment), approve
        self._seen: dict[Found, str] = {}

    def refresh(self, asked: Event) -> None:
        """Discover each group whose files differ from the last look; stops early if asked to."""
        for found in finder.scan(self._root):
            if asked.is_set():
                return
            self._look(found)

    def _look(self, found: Found) -> None:
        try:
            digest = digest_of_source(found.path)
            if self._seen.get(found) != digest:
                self._seen[found] = digest
                self._take_up(found)
        except (StepwellError, OSError) as error:
            self._tell_broken(found, error)

    def _take_up(self, found: Found) -> None:
        again = self._registered(found)
        ended = good_discovery(self._api, self._begun(found, again))
        discovered.tell(self._out, ended)
        self._tell_review(ended["group_name"])

    def _registered(self, found: Found) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = self._api.get(f"/groups/{found.name}")
        except NotFound:
            return None
        return known

    def _begun(self, found: Found, known: dict[str, Any] | None) -> str:
        """Ask for a discovery; its id."""
        body = {"image": str(found.path), "environment": self._environment}
        if known is None:
            made = self._api.post("/groups", {"name": found.name, **body})
            return str(made["discovery_id"])
        if any(known[key] != value for key, value in body.items()):
            self._api.patch(f"/groups/{found.name}", body)
        return str(self._api.post(f"/groups/{found.name}/discoveries", {})["id"])

    def _tell_review(self, group: str) -> None:
        review = reviews.of_newest(self._api, group)
        if not review["pending"]:
            self._out.line("  it is what the release in force says")
        elif self._approve:
            applied = reviews.accept_all(self._api, review, "stepwell dev --approve")
            reviewing.tell_applied(self._out, group, applied)
        else:
            reviewing.tell(self._out, review)

    def _tell_broken(self, found: Found, error: StepwellError | OSError) -> None:
        self._out.line(f"{found.name} cannot be taken up as it is in {found.path}:")
        if isinstance(error, StepwellError):
            self._out.line(described(error, as_json=False))
        else:
            self._out.line(f"error: {error}")
        self._out.line("  the release in force, if there is one, goes on")
