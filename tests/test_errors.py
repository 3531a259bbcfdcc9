"""Every error raised on purpose says what, why and how to fix it, under a stable code."""

from __future__ import annotations

import inspect
import pickle  # noqa: TID251 - what a process pool does with an error
import re
from uuid import UUID

import pytest

from stepwell import errors
from stepwell.errors import (
    AttemptRejected,
    Conflict,
    EngineBuried,
    InvalidInput,
    StepEnded,
    StepNotEnded,
    StepNotFound,
    StepwellError,
    UniqueKeyTaken,
    catalogue,
)
from stepwell.outcome import FailStep
from stepwell.step import new_step

OWN = {
    cls.__name__: cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, StepwellError)
}


def test_an_error_reads_as_what_why_and_fix() -> None:
    error = InvalidInput("No such colour.", why="There is red.", fix="Use red.")
    assert str(error) == "No such colour. There is red. Use red."


def test_an_error_is_data_for_the_api() -> None:
    assert InvalidInput("No.", fix="Use red.").as_dict() == {
        "code": "invalid-input",
        "what": "No.",
        "why": "",
        "fix": "Use red.",
    }


@pytest.mark.parametrize(
    "error",
    [
        StepNotFound(UUID(int=7)),
        StepEnded(UUID(int=7)),
        StepNotEnded(UUID(int=7)),
        UniqueKeyTaken("v1/x", "a"),
        EngineBuried(UUID(int=7)),
    ],
)
def test_an_error_with_its_own_words_names_the_thing_and_a_way_out(error: StepwellError) -> None:
    assert str(UUID(int=7)) in error.what or "'v1/x'" in error.what
    assert error.fix


@pytest.mark.parametrize("error", [StepEnded(UUID(int=7)), InvalidInput("a", why="b", fix="c")])
def test_an_error_crosses_a_process_border_whole(error: StepwellError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.as_dict()) == (type(error), error.as_dict())


def test_every_code_is_readable() -> None:
    assert [code for code in catalogue() if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_the_catalogue_has_the_branches_too() -> None:
    found = catalogue()
    assert found["conflict"] is Conflict
    assert found["attempt-rejected"] is AttemptRejected


def test_the_tree_at_the_top_of_the_file_is_the_real_one() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted([*drawn, "StepwellError"]) == sorted(OWN)


def test_the_tree_at_the_top_shows_each_error_under_its_parent() -> None:
    parents: dict[int, str] = {-1: "StepwellError"}
    for indent, name in re.findall(r"^    ([│ ]*)[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(indent) // 4
        parents[depth] = name
        assert OWN[parents[depth - 1]] in OWN[name].__bases__, name


def test_fail_step_is_no_error_of_the_tree() -> None:
    """It is how a handler says that its step has failed."""
    step = new_step("v1/next")
    raised = FailStep("no such customer", next=[step])
    assert not isinstance(raised, StepwellError)
    assert (raised.description, raised.next) == ("no such customer", (step,))
