"""One-use tokens of discoveries."""

from __future__ import annotations

import pytest

from stepwell.errors import Unauthenticated
from stepwell.ids import new_id
from stepwell.server.discoveries.tokens import check, made

KEY, DISCOVERY = b"a key", new_id()


def test_a_token_is_the_same_whenever_it_is_made() -> None:
    check(KEY, DISCOVERY, made(KEY, DISCOVERY))


@pytest.mark.parametrize(
    "token",
    ["", "swd_", "swd_\N{SNOWMAN}", made(KEY, new_id())],
    ids=["empty", "bare", "foreign letters", "another discovery's"],
)
def test_no_other_token_opens_the_discovery(token: str) -> None:
    with pytest.raises(Unauthenticated):
        check(KEY, DISCOVERY, token)
