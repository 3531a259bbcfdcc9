"""What a page must never do while a journey goes on: complain, break its policy, call elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

# Who is not logged in asks who they are, and is told so.
USUAL = (r"api/v1/me .*401",)

VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
})
"""


@dataclass
class Watch:
    """Follows a page.

    Parameters
    ----------
    origin : `http://127.0.0.1:8420`; what goes elsewhere is remembered.
    """

    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=lambda: list(USUAL))

    def __post_init__(self) -> None:
        """Begin."""
        self.page.add_init_script(VIOLATIONS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        self.page.on("request", self._asked)

    def allow(self, pattern: str) -> None:
        """Let pass what this regular expression finds something in; for what a journey provokes."""
        self._allowed.append(pattern)

    def check(self) -> None:
        """Fail if anything was wrong."""
        allowed = re.compile("|".join(self._allowed))
        wrong = [one for one in self.wrong if not allowed.search(one)]
        assert wrong == [], "\n".join(wrong)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.location.get('url', '')} {message.text}")

    def _asked(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme in ("http", "https", "ws", "wss"):
            own = urlsplit(self.origin)
            if place.netloc != own.netloc:
                self.wrong.append(f"request to another origin: {request.url}")
