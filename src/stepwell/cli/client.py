"""The client of the command line: the server that the profile names, each call made once."""

from __future__ import annotations

from stepwell.cli.profile import Profile
from stepwell.client import client
from stepwell.client.errors import Unreachable
from stepwell.client.transport import ALL
from stepwell.lean import httpx

__all__ = ["ALL", "Client"]


class Client(client.Client):
    """One server, spoken to with one token.

    Parameters
    ----------
    profile : address and token.
    transport : for tests; by default the network.
    timeout : seconds to wait for an answer.
    """

    def __init__(
        self,
        profile: Profile,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 30.0,
    ) -> None:
        options = {"transport": transport, "timeout": timeout, "tries": 1}
        super().__init__(profile.url, profile.token, **options)  # type: ignore[arg-type]
        self.profile = profile

    def unreachable(self, error: httpx.HTTPError) -> Unreachable:
        """The error for a call that nobody answered; it says where the address is from."""
        source = f" (from {self.profile.source})" if self.profile.source else ""
        return Unreachable(
            f"No answer from {self.profile.url}{source}.",
            why=str(error) or type(error).__name__,
            fix="Start it with `stepwell dev PATH` or `stepwell serve`, or give another --url.",
        )
