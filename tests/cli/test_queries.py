"""Commands that ask about many runs: queries, causes, actions on many, views, the first page."""

from __future__ import annotations

from tests.cli.shell import Shell


def test_runs_are_found_counted_and_explained(served: Shell) -> None:
    begun = served.good("runs", "start", "weather", "load-weather", "--wait", "--json").json
    run = begun["id"]
    found = served.good("runs", "list", f"id:{run}", "--json").json
    assert [one["id"] for one in found] == [run]
    assert served.good("runs", "count", "state:succeeded since:1h").out.strip() != "0"
    assert "Without `by:nobody`" in served.good("runs", "list", "by:nobody").out
    mistake = served.type("runs", "list", "stat:failed")
    assert mistake.code == 2
    assert "Column 1" in mistake.err
    assert "The run has succeeded" in served.good("why", run).out
    assert served.good("why", run, "--json").json["waiting"] is False
    assert served.type("why", run, "nothing").code == 5


def test_many_runs_are_acted_on_after_a_look(served: Shell) -> None:
    shown = served.good("bulk", "start", "cancel", "state:waiting by:nobody", "--reason", "x").out
    assert "would be done with 0 runs" in shown
    made = served.good(
        "bulk", "start", "cancel", "state:waiting by:nobody", "--reason", "x", "--yes", "--json"
    ).json
    assert made["total"] == 0
    assert made["id"] in served.good("bulk", "list", "--json").out
    assert served.good("bulk", "show", made["id"], "--json").json["action"] == "cancel"


def test_causes_views_and_the_first_page_are_shown(served: Shell) -> None:
    assert isinstance(served.good("causes", "list", "--json").json, list)
    assert served.type("causes", "mute", "f00", "--reason", "x").code == 5
    made = served.good("views", "save", "Mine too", "by:me", "--json").json
    assert made["id"] in served.good("views", "list", "--json").out
    served.good("views", "choose", "failing")
    served.good("views", "remove", made["id"])
    assert served.good("summary").out.strip()
    schedule = served.good("schedules", "show", "weather/load-weather", "--json").json
    assert "Paused" in served.good("why", schedule["id"], "--schedule").out


def test_what_many_runs_are_to_be_done_with_is_typed_as_options(served: Shell) -> None:
    nobody = ("by:nobody", "--reason", "x", "--json")
    shown = served.good("bulk", "start", "reexecute", "--from-start", "--current", *nobody).json
    assert "--param 'mode=from start' --param release=current" in shown["command"]
    shown = served.good("bulk", "start", "label", "--label", "team=data", *nobody).json
    assert '--param \'labels={"team":"data"}\'' in shown["command"]
    assert served.type("bulk", "start", "cancel", "--from-start", *nobody).code == 2
