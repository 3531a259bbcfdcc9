"""How --param is read."""

from __future__ import annotations

import pytest

from stepwell.cli.parameters import ParameterUnreadable, did_you_mean, parsed

SCHEMA = {
    "properties": {
        "code": {"type": "string"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    }
}


def test_json_is_read_as_json_and_the_rest_as_text() -> None:
    given = ["n=3", "day=2026-01-31", "on=true", "list=[1, 2]", "text=a=b"]
    assert parsed(given) == {
        "n": 3,
        "day": "2026-01-31",
        "on": True,
        "list": [1, 2],
        "text": "a=b",
    }


def test_a_text_parameter_stays_text_though_it_looks_like_a_number() -> None:
    assert parsed(["code=007", "note=1.0"], SCHEMA) == {"code": "007", "note": "1.0"}
    assert parsed(["note=null"], SCHEMA) == {"note": None}


@pytest.mark.parametrize("given", [["day"], ["=1"], ["a=1", "a=2"]])
def test_what_is_no_parameter_is_refused(given: list[str]) -> None:
    with pytest.raises(ParameterUnreadable):
        parsed(given)


def test_a_mistyped_name_gets_its_neighbours() -> None:
    assert did_you_mean("wether", ["weather", "digest"]) == "Did you mean 'weather'?"
    assert did_you_mean("zzz", ["weather", "digest"]) == "There are: digest, weather."
    assert did_you_mean("zzz", []) == ""
