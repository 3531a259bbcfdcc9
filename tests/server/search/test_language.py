"""The query language as text: what is read, and what is refused at which column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.server.search.language import QueryInvalid, parse, quoted, written


def read(text: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [(one.key, one.operator, one.values, one.negated) for one in parse(text)]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", []),
        ("  ", []),
        ("state:failed", [("state", ":", ("failed",), False)]),
        ("state:failed,cancelled", [("state", ":", ("failed", "cancelled"), False)]),
        ("-group:test", [("group", ":", ("test",), True)]),
        ("took>5m", [("took", ">", ("5m",), False)]),
        ("took<=1h30m", [("took", "<=", ("1h30m",), False)]),
        ("input.customer:acme", [("input.customer", ":", ("acme",), False)]),
        ("connection refused", [("", ":", (w,), False) for w in ("connection", "refused")]),
        ('"connection refused"', [("", ":", ("connection refused",), False)]),
        ('error:"a, b"', [("error", ":", ("a, b",), False)]),
        ('error:"a \\"b\\""', [("error", ":", ('a "b"',), False)]),
        ("image:sha256:4f", [("image", ":", ("sha256:4f",), False)]),
        ("Host:name", [("", ":", ("Host:name",), False)]),
        ("a,b", [("", ":", ("a,b",), False)]),
        ('"state:failed"', [("", ":", ("state:failed",), False)]),
        ("--x", [("", ":", ("-x",), True)]),
    ],
)
def test_words_are_qualifiers_and_text(text: str, clauses: list[object]) -> None:
    assert read(text) == clauses


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("state:", 7, "Nothing stands after state:"),
        ("group:x state: failed", 15, "Nothing stands after"),
        ('group:x "open', 9, "not closed"),
        ('error:"open', 7, "not closed"),
        ("group:x -", 10, "Nothing stands here"),
        ("x " * 21, 41, "more than 20 words"),
        ("state:" + "a," * 20 + "a", 7, "more than 20 values"),
        ("x" * 1001, 1001, "longer than 1000"),
    ],
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryInvalid) as caught:
        parse(text)
    assert caught.value.column == column
    assert says in caught.value.what
    assert caught.value.fix
    assert caught.value.as_dict()["problems"] == [{"column": column}]


def column_of_mistake(text: str) -> int | None:
    try:
        parse(text)
    except QueryInvalid as error:
        return error.column
    return None


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    column = column_of_mistake(text)
    assert column is None or 1 <= column <= len(text) + 1
    if column is None:
        again = parse(written(parse(text)))
        assert [one.values for one in again] == [one.values for one in parse(text)]


@given(st.text(min_size=1, max_size=30))
def test_a_quoted_value_is_read_as_it_is(value: str) -> None:
    (clause,) = parse(f"error:{quoted(value)}")
    assert clause.values == (value,)
