"""`stepwell sources` and `stepwell groups rediscover`, typed against a server."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import Shell
from tests.cli.test_changes import SOURCE

from stepwell.cli.exits import Exit


def test_a_folder_is_added_what_is_found_is_accepted_or_dismissed_and_it_is_removed(
    served: Shell, tmp_path: Path
) -> None:
    for name in ("found-one", "found-two"):
        (tmp_path / f"{name}.py").write_text(SOURCE.format(name=name))
    added = served.good("sources", "add", "local", "--folder", tmp_path, "--json").json
    assert (added["scanning"], added["waiting"]) == (False, 2)
    assert "found-one.py" in served.good("sources", "show", "local").out
    assert "2 images" in served.good("sources", "test", "local").out
    accepted = served.good("sources", "accept", "local", "found-one.py", "--json").json
    assert accepted["group"] == "found-one"
    no = served.good("sources", "dismiss", "local", "found-two", "--reason", "a sketch")
    assert "not offered any more" in no.out
    scanned = served.good("sources", "scan", "local", "--json").json
    states = {one["stated_name"]: one["state"] for one in scanned["found"]}
    assert states == {"found-one": "registered", "found-two": "dismissed"}
    changed = served.good("sources", "change", "local", "--every", "600", "--json").json
    assert changed["scan_every"] == 600
    assert "local" in served.good("sources", "list").out
    served.good("sources", "remove", "local", "--reason", "over")
    gone = served.type("sources", "show", "local")
    assert (gone.code, "no source 'local'" in gone.err) == (Exit.NOT_FOUND, True)


def test_a_test_that_fails_says_what_why_and_how_to_mend_it(served: Shell, tmp_path: Path) -> None:
    served.good("sources", "add", "nowhere", "--folder", tmp_path / "missing")
    answer = served.type("sources", "test", "nowhere")
    assert answer.code == Exit.UNREACHABLE
    assert "cannot be read" in answer.err
    served.good("sources", "remove", "nowhere")


def test_credentials_are_references_and_come_in_pairs(served: Shell) -> None:
    words = ("sources", "add", "hub", "--registry", "https://registry.example.org")
    assert served.type(*words, "--username", "env:U").code == Exit.MISTAKE
    plain = served.type(*words, "--username", "me", "--password", "secret")
    assert plain.code == Exit.MISTAKE
    assert served.type("sources", "add", "hub").code == Exit.MISTAKE


def test_a_group_is_rediscovered_by_schedule_or_digest_until_never(served: Shell) -> None:
    words = ("groups", "rediscover", "weather")
    made = served.good(*words, "--cron", "0 6 * * *", "--timezone", "Europe/Oslo", "--json").json
    assert made["rediscover"]["expression"] == "0 6 * * *"
    assert made["next_discovery_at"]
    watched = served.good(*words, "--watch", "3600", "--json").json
    assert (watched["watch_every"], watched["rediscover"]["kind"]) == (3600, "cron")
    ended = served.good(*words, "--never", "--json").json
    assert (ended["rediscover"], ended["watch_every"]) == (None, None)
    assert served.type(*words).code == Exit.MISTAKE
