"""What the doctor finds, from facts alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stepwell.cli.doctor.checks import CHECKS, Facts, findings_of, offset_of
from stepwell.ids import new_id
from stepwell.stores.inspecting import Finding, Inspection, Line, Overview, Parked, Severity
from stepwell.stores.postgres import inspecting as postgres
from stepwell.stores.protocol import EngineInfo

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def engine(beat: int = 1, **fields: Any) -> EngineInfo:
    told = {"name": "host:1", "version": "1", "handles": ("v1/mail",), "queues": ("default",)}
    return EngineInfo(id=new_id(), beat=beat, **{**told, **fields})


def facts(*engines: EngineInfo, lines: tuple[Line, ...] = (), beats: int = 3, **more: Any) -> Facts:
    """What is seen of a store whose engines beat, unless `beats` is 0."""
    offset = more.pop("offset", timedelta(0))
    first = Inspection(now=NOW, engines=engines, **more)
    later = tuple(replace(one, beat=one.beat + beats) for one in engines)
    return Facts(
        overview=Overview(lines),
        first=first,
        second=replace(first, engines=later) if engines else None,
        offset=offset,
    )


def due(minutes: float, queue: str = "default", count: int = 2) -> Line:
    return Line(queue, "due", count, NOW - timedelta(minutes=minutes))


def one(facts: Facts) -> Finding:
    (found,) = findings_of(facts)
    return found


def test_a_store_whose_engines_keep_up_is_well() -> None:
    assert findings_of(facts(engine(), lines=(due(0.5), Line("default", "later", 9, NOW)))) == []


def test_steps_that_nobody_claims_are_a_problem() -> None:
    found = one(facts(lines=(due(2),)))
    assert (found.check, found.severity) == ("due", Severity.PROBLEM)
    assert "2 steps of the queue 'default' are due, for up to 2 min" in found.what
    assert "stepwell work" in found.fix


def test_a_queue_that_no_live_engine_serves_gets_its_neighbour_named() -> None:
    found = one(facts(engine(queues=("mails",)), lines=(due(2, "mail"),)))
    assert "Did you mean 'mails'?" in found.why


def test_a_queue_that_is_behind_is_a_warning() -> None:
    found = one(facts(engine(), lines=(due(7),)))
    assert (found.check, found.severity) == ("due", Severity.WARNING)


def test_a_store_at_rest_without_engines_is_no_more_than_a_note() -> None:
    assert one(facts()).severity is Severity.NOTE


def test_steps_are_due_for_a_moment_without_engines_and_the_note_says_so() -> None:
    found = one(facts(lines=(due(0.5),)))
    assert (found.check, found.severity) == ("due", Severity.NOTE)
    assert found.what == "No engine is alive, and 2 steps are due."


def test_an_engine_that_does_not_beat_is_told_and_serves_nobody() -> None:
    found = findings_of(facts(engine(), beats=0, lines=(due(2),)))
    assert [one.check for one in found] == ["due", "engines"], "the worst first"
    assert "does not beat" in found[1].what


def test_an_engine_that_has_just_come_is_alive() -> None:
    made = facts(engine())
    assert made.second is not None
    grown = replace(made.second, engines=(*made.second.engines, engine()))
    assert len(replace(made, second=grown).alive) == 2


def test_versions_side_by_side_are_a_note() -> None:
    assert one(facts(engine(version="1"), engine(version="2"))).severity is Severity.NOTE


def test_a_name_that_nobody_handles_gets_its_neighbour_named() -> None:
    parked = (Parked("v1/mial", "default", 3, NOW - timedelta(hours=1)),)
    found = one(facts(engine(), parked=parked))
    assert (found.check, found.severity) == ("names", Severity.WARNING)
    assert "3 steps wait" in found.what
    assert "Did you mean 'v1/mail'?" in found.why


def test_a_parked_name_that_a_live_engine_handles_is_no_finding() -> None:
    parked = (Parked("v1/mail", "default", 3, NOW),)
    assert findings_of(facts(engine(), parked=parked)) == []
    elsewhere = replace(parked[0], queue="other")
    assert one(facts(engine(), parked=(elsewhere,))).check == "names"


def test_suspects_and_pauses_are_told() -> None:
    found = findings_of(
        facts(engine(), suspects=(new_id(),), pauses=("mail",), lines=(due(60, "mail"),))
    )
    assert [(one.check, one.severity) for one in found] == [
        ("suspects", Severity.WARNING),
        ("pauses", Severity.NOTE),
    ]


@pytest.mark.parametrize(
    ("offset", "severity"), [(0.5, None), (5, Severity.NOTE), (-90, Severity.WARNING)]
)
def test_a_clock_that_differs_is_told(offset: float, severity: Severity | None) -> None:
    found = findings_of(facts(engine(), offset=timedelta(seconds=offset)))
    assert [one.severity for one in found] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("told", "offset"), [(0, 0), (7, 0), (20, 0), (25, 5), (-5, -5)], ids=lambda n: f"{n} s"
)
def test_a_clock_differs_by_no_more_than_an_answer_that_took_long_can_tell(
    told: int, offset: int
) -> None:
    asked, answered = NOW, NOW + timedelta(seconds=20)
    found = offset_of(NOW + timedelta(seconds=told), asked, answered)
    assert found == timedelta(seconds=offset)


def test_an_old_server_and_a_vacuum_that_is_off_are_problems() -> None:
    found = list(postgres.of_server(130_004, autovacuum=False))
    assert [(one.check, one.severity) for one in found] == [
        ("server-version", Severity.PROBLEM),
        ("vacuum", Severity.PROBLEM),
    ]
    assert list(postgres.of_server(140_000, autovacuum=True)) == []


def test_dead_rows_and_long_transactions_are_told() -> None:
    long = [(7, "ada", "psql", "idle in transaction", 4000.0), (8, "ada", "psql", "active", 400.0)]
    found = list(postgres.of_vacuum(200_000, 10, long))
    assert [one.severity for one in found] == [
        Severity.PROBLEM,
        Severity.WARNING,
        Severity.WARNING,
    ]
    assert "pg_terminate_backend(7)" in found[0].fix
    assert list(postgres.of_vacuum(99_999, 0, [])) == []


def test_every_check_that_a_finding_names_is_listed_and_on_the_page() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r'Finding\(\s*"([a-z-]+)"', source)) | {
        "connection",
        "containers",
        "schema",
    }
    assert named == set(CHECKS)
    page = (ROOT / "docs" / "guides" / "operations.md").read_text()
    assert [name for name in CHECKS if f"| `{name}` |" not in page] == []
