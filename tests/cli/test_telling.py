"""`stepwell metrics`, `targets` and `notifications`, against a server in a process of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli.shell import Shell

pytestmark = pytest.mark.slow


def as_json(served: Shell, *words: str) -> Any:
    return json.loads(served.good(*words, "--json").out)


def test_metrics_have_totals_and_what_is_below_them(served: Shell) -> None:
    assert "totals" in as_json(served, "metrics")
    for below in ("query", "ranking", "causes", "regressions"):
        assert "as_of" in as_json(served, "metrics", below)
    csv = served.good("metrics", "query", "--group", "weather", "--csv").out
    assert csv.startswith("at,succeeded,failed,other,retried,judged,success_rate")


def test_targets_are_set_and_dropped(served: Shell) -> None:
    name = "weather/load-weather"
    served.good("targets", "set", name, "--success", "0.9", "--p95", "60", "--reason", "tests")
    (found,) = as_json(served, "targets", "list")
    assert (found["origin"], found["spec"]["p95"]) == ("operator", 60.0)
    assert name in served.good("targets", "list").out
    served.good("targets", "drop", name)
    assert as_json(served, "targets", "list") == []


def test_a_target_is_added_tested_and_removed(served: Shell) -> None:
    """Nothing listens there, so the delivery waits to be sent again."""
    told = ("notifications", "targets")
    secret = served.good(*told, "add", "ops", "--to-url", "http://127.0.0.1:9/hook").out.strip()
    assert secret.startswith("whsec_")
    assert served.good(*told, "renew-secret", "ops").out.strip() != secret
    rule = as_json(served, "notifications", "rules", "add", "ops", "--kind", "failure")
    assert rule["kinds"] == ["failure"]
    sent = as_json(served, "notifications", "test", "ops")
    assert sent["state"] == "waiting"
    assert "not sent to" in sent["answer"]
    assert "ops" in served.good("notifications", "deliveries", "--target", "ops").out
    served.good(*told, "remove", "ops", "--reason", "tests")
    assert as_json(served, "notifications", "rules", "list") == []


def test_a_target_whose_variable_is_not_there_is_added_with_a_word(served: Shell) -> None:
    told = ("notifications", "targets")
    chat = served.good(*told, "add", "chat", "--kind", "slack", "--url-ref", "env:NOT_THERE")
    assert "no environment variable NOT_THERE" in chat.err
    assert "NOT_THERE" in served.good(*told, "list").out
    served.good(*told, "remove", "chat")


def test_a_cause_is_muted_for_a_while(served: Shell) -> None:
    about = ("--until", "2999-01-01T00:00:00Z", "--reason", "known")
    served.good("notifications", "mutes", "add", "abc", *about)
    assert "known" in served.good("notifications", "mutes", "list").out
    served.good("notifications", "mutes", "remove", "abc")
    assert as_json(served, "notifications", "mutes", "list") == []
