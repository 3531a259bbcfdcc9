"""How values look on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from rich.text import Text

from stepwell.cli import render
from stepwell.cli.exits import described
from stepwell.cli.retention import _prospect
from stepwell.cli.runs import logs
from stepwell.cli.session import Session
from stepwell.cli.state.commands import short
from stepwell.cli.terminal import coloured
from stepwell.errors import Conflict


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.012, "12 ms"), (3.44, "3.4 s"), (310, "5 min 10 s"), (7500, "2 h 5 min")],
)
def test_durations_are_in_the_unit_that_suits_them(amount: float, said: str) -> None:
    assert render.seconds(amount) == said


def test_an_instant_of_today_says_how_far_away_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr("stepwell.cli.render.now", lambda: noon)
    soon = noon + timedelta(seconds=90)
    assert render.instant(soon.isoformat()) == "12:01:30Z (in 1 min 30 s)"
    assert render.instant((noon - timedelta(seconds=9)).isoformat()) == "11:59:51Z (9 s ago)"


def test_an_instant_of_another_day_is_only_an_instant() -> None:
    assert render.instant("2020-01-31T08:00:00+01:00") == "2020-01-31 07:00:00Z"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ({"matches": 1, "complete": True}, "1 line matches"),
        ({"matches": 1, "complete": False}, "1 or more lines match"),
        ({"matches": 0, "complete": True}, "0 lines match"),
        ({"matches": 1200, "complete": True}, "1,200 lines match"),
    ],
)
def test_how_many_lines_of_a_log_match(
    page: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs._tell(Session(None, None, as_json=False), page)
    assert capsys.readouterr().err.strip() == said


def test_text_from_outside_is_not_read_as_markup() -> None:
    assert render.cell("description", "[red]no[/red]").plain == "[red]no[/red]"


EVIL = "a\x1b[2K\x1b[1A\x1b]52;c;aGk=\x07\x1bc\x9b2J\x7f z"
"""Takes a line back, goes up, fills the clipboard, resets the terminal, clears the screen."""


@pytest.mark.parametrize(
    "show",
    [
        lambda out: out.line(EVIL),
        lambda out: out.line(Text.from_ansi(EVIL)),
        lambda out: out.note(EVIL),
        lambda _: print(described(Conflict(EVIL), as_json=False)),
        lambda out: out.rows([{"reason": EVIL}], {EVIL: "reason"}, "none"),
        lambda out: out.record({"reason": EVIL}, {"reason": "reason"}),
        lambda out: out.console.print(render.table([{"at": EVIL}], {"at": "at"})),
    ],
)
def test_text_from_outside_is_no_command_to_the_terminal(
    show: Callable[[render.Output], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """An image's descriptions and failures stand in what a reviewer reads before approving it."""
    show(render.Output())
    shown = "".join(capsys.readouterr())
    assert " z" in shown
    assert not [one for one in shown if (one < " " and one != "\n") or "\x7f" <= one < "\xa0"]


def test_what_a_program_wrote_keeps_its_colours_and_nothing_else() -> None:
    assert coloured("\x1b[1;31mred\x1b[0m\r\n\x1b[2Jb\tc") == (
        "\x1b[1;31mred\x1b[0m\n\u241b[2Jb\tc"
    )


def test_a_missing_value_is_a_dash_and_a_rate_a_percentage() -> None:
    assert render.cell("reason", None).plain == "-"
    assert render.cell("success_rate", 0.5).plain == "50 %"


def test_dotted_keys_reach_into_nested_values() -> None:
    assert render.lookup({"duration": {"p95": 2}}, "duration.p95") == 2
    assert render.lookup({"duration": None}, "duration.p95") is None


def test_a_value_of_state_is_shown_as_the_json_that_it_is() -> None:
    assert short({"done": True, "at": None}) == '{"done": true, "at": null}'
    assert (short("42"), short(42)) == ('"42"', "42")
    assert len(short("x" * 100)) == 60


def test_a_prospect_of_retention_is_shown_to_the_second() -> None:
    row = {"kind": "runs", "before": "2026-01-31T06:00:00.123456Z", "count": 3, "more": True}
    shown = _prospect(row)
    assert (shown["until"], shown["shown"]) == ("2026-01-31 06:00:00Z", "3+")
    assert _prospect({**row, "before": None})["until"] is None
