"""Run tokens and the permutation of engine ids (R35)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import Unauthenticated
from stepwell.ids import new_id
from stepwell.server.runs.tokens import EngineIds, holder, issue

KEY = b"a key"
RUN = new_id()


def test_a_token_is_the_same_whenever_it_is_made() -> None:
    """So a server that crashed can make it again (R35)."""
    assert issue(KEY, RUN, 1) == issue(KEY, RUN, 1)
    assert (holder(KEY, RUN, issue(KEY, RUN, 3)).attempt) == 3


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "swr_1_",
        "swr_1",
        "sw_x",
        "swr_one_x",
        "swr_²_x",
        f"swr_{'1' * 5000}_x",
        "swr_1_\N{SNOWMAN}",
        issue(KEY, RUN, 1).replace("swr_1_", "swr_2_"),
        issue(b"another key", RUN, 1),
        issue(KEY, new_id(), 1),
        issue(KEY, RUN, 1) + "x",
    ],
    ids=str.split(
        "none empty no-signature no-attempt api-token words superscript long foreign-letters"
        " another-attempt another-key another-run longer"
    ),
)
def test_no_other_token_opens_the_run(token: str | None) -> None:
    with pytest.raises(Unauthenticated):
        holder(KEY, RUN, token)


@given(st.uuids())
def test_engine_ids_come_back_as_they_went_in(engine_id) -> None:  # type: ignore[no-untyped-def]
    ids = EngineIds(KEY, holder(KEY, RUN, issue(KEY, RUN, 1)))
    assert ids.outside(ids.inside(engine_id)) == engine_id
    assert ids.inside(engine_id) != engine_id


def test_each_attempt_has_ids_of_its_own() -> None:
    one, two = (EngineIds(KEY, holder(KEY, RUN, issue(KEY, RUN, n))) for n in (1, 2))
    engine_id = new_id()
    assert one.inside(engine_id) != two.inside(engine_id)
