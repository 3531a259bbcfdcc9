"""The benchmarks run, measure what they say, and notice when they do not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from benchmarks import limit_loop_held, limit_loop_postgres, limit_loop_sqlite, page, results
from benchmarks.__main__ import main
from benchmarks.bench import LIMIT, SMOKE, Bench, Contender
from benchmarks.draining import BenchmarkBroken, Drain
from benchmarks.handlers import STATE_BYTES, state
from benchmarks.latency import quantile
from benchmarks.places import SQLitePlace
from benchmarks.results import Result
from benchmarks.stores import with_steps
from benchmarks.subject import Subject, race
from benchmarks.workloads import WORKLOADS

from stepwell import new_step

TINY = replace(
    SMOKE, steps=60, flows=2, calls=64, beats=3, history=50, future=20, foreign=10, idle=0.5
)
FIELDS = {
    "workload",
    "system",
    "store",
    "median",
    "min",
    "max",
    "unit",
    "ratio_to_limit",
    "versions",
    "machine",
}


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a tiny run on SQLite writes."""
    out = tmp_path_factory.mktemp("bench") / "results" / "latest.json"
    sizes = ("--size", "steps=60", "--size", "flows=2", "--size", "beats=3")
    command = ("--workloads", "w3,W5", "--stores", "sqlite", "--smoke", "--rounds", "1", *sizes)
    assert main([*command, "--out", str(out)]) == 0
    found: list[dict[str, Any]] = json.loads(out.read_text())["results"]
    return found


def of(entries: list[dict[str, Any]], workload: str, system: str, variant: str) -> dict[str, Any]:
    wanted = (workload, system, variant)
    [one] = [x for x in entries if (x["workload"], x["system"], x["variant"]) == wanted]
    return one


def test_every_entry_says_what_was_measured_and_on_what(entries: list[dict[str, Any]]) -> None:
    assert all(entry.keys() >= FIELDS for entry in entries)
    assert {entry["workload"] for entry in entries} == {"W3", "W5"}
    assert all(entry["versions"].keys() >= {"stepwell", "python", "sqlite"} for entry in entries)
    assert all(entry["machine"]["cores"] >= 1 for entry in entries)


def test_every_figure_was_really_taken(entries: list[dict[str, Any]]) -> None:
    assert all(len(entry["rounds"]) == 1 and entry["median"] > 0 for entry in entries)


def test_a_figure_is_the_median_of_its_rounds_with_their_spread() -> None:
    figure = Result(
        workload="W0",
        system="a",
        store="b",
        variant="",
        unit="c",
        size="",
        rounds=(9, 200.4, 12.3456),
    )
    entry = figure.as_json({"cores": 2})
    assert (entry["median"], entry["min"], entry["max"]) == (12.346, 9, 200)


def test_stepwell_is_measured_beside_the_limit(entries: list[dict[str, Any]]) -> None:
    for variant in ("1 process", "2 processes", "chain"):
        assert of(entries, "W5", LIMIT, variant)["ratio_to_limit"] == 1
        assert of(entries, "W5", "stepwell", variant)["ratio_to_limit"] > 0


def test_a_latency_on_sqlite_has_no_limit(entries: list[dict[str, Any]]) -> None:
    assert of(entries, "W3", "stepwell", "p99")["ratio_to_limit"] is None


def test_the_table_has_a_row_for_each_entry(entries: list[dict[str, Any]]) -> None:
    assert len(results.table(entries).splitlines()) == len(entries) + 1


def test_all_workloads_are_there() -> None:
    assert list(WORKLOADS) == [f"W{number}" for number in range(1, 11)]


@pytest.mark.slow
def test_the_workloads_run_on_postgresql() -> None:
    """Those that are made of more than a drain."""
    names = ("W2", "W3", "W6", "W9", "W10")
    sizes = replace(TINY, minutes=0.02)
    with Bench(sizes=sizes, rounds=1, stores=("postgresql",), say=lambda _: None) as bench:
        for name in names:
            WORKLOADS[name](bench)
    assert {one.workload for one in bench.results} == set(names)
    assert all(one.store == "postgresql" for one in bench.results)
    ratios = {one.variant: one.ratio_to_limit for one in bench.results if one.workload == "W3"}
    assert ratios["p50"]
    assert ratios["p99"]


def test_a_figure_is_compared_with_the_limits_figure_of_its_own_name() -> None:
    with Bench(rounds=1, say=lambda _: None) as bench:
        contenders = [
            Contender(system=LIMIT, run=lambda: {"p50": 1.0, "p99": 2.0}),
            Contender(system="a", run=lambda: {"p50": 3.0, "p99": 8.0}),
        ]
        bench.compare("W0", bench.sqlite, contenders)
    assert [one.ratio_to_limit for one in bench.results] == [1, 1, 3, 4]


def test_a_ratio_is_taken_round_by_round() -> None:
    """A slow moment hits both, and the others' rounds do not matter."""
    assert results.ratio([50, 5, 60], [100, 10, 100]) == 0.5


def test_systems_take_turns() -> None:
    clock = count()
    with Bench(rounds=2, say=lambda _: None) as bench:
        contenders = [Contender(system=name, run=lambda: next(clock)) for name in ("a", "b")]
        bench.compare("W0", bench.sqlite, contenders)
    assert [one.rounds for one in bench.results] == [(0, 2), (1, 3)]


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert [quantile([3, 1, 2, 4], share) for share in (0.5, 0.99, 0.0)] == [2, 4, 1]


@pytest.mark.parametrize("left", [0, 9])
def test_a_state_has_100_bytes(left: int) -> None:
    assert len(json.dumps(state(left), separators=(",", ":"))) == STATE_BYTES == 100


# -- a benchmark that does not do its work is an error -----------------------------


@pytest.fixture(scope="module")
def place() -> Iterator[SQLitePlace]:
    with SQLitePlace() as opened:
        yield opened


def test_steps_that_are_left_are_noticed(place: SQLitePlace) -> None:
    place.fill("unknown", with_steps(lambda: [new_step("v1/elsewhere"), new_step("v1/noop", {})]))
    task = Drain(place=place, template="unknown", expected=2)
    with pytest.raises(BenchmarkBroken, match="1 of 2 steps"):
        task.run("benchmarks.subjects.stepwell_drain")


def test_a_subject_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no such table: stepwell_ready"):
        race([Subject("benchmarks.limit_loop_sqlite", [tmp_path / "empty.db"])])


@pytest.mark.parametrize("kind", ["def", "async"])
def test_slow_and_quick_steps_are_drained_by_both_kinds(place: SQLitePlace, kind: str) -> None:
    place.fill("sleepers", with_steps(lambda: [new_step("v1/sleep", {}), new_step("v1/noop", {})]))
    task = Drain(place=place, template="sleepers", expected=2, name="v1/noop")
    assert task.run("benchmarks.subjects.stepwell_drain", 8, kind) > 0


def test_an_unknown_workload_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--workloads", "W1,W99"])
    assert "W99 is none of W1, W2" in capsys.readouterr().err


# -- the limit loops do what an engine does -----------------------------------------

STEPS = [new_step("v1/noop", state()), new_step("v1/chain", state(3))]
COUNTS = "SELECT name, ended_as, count(*), count(DISTINCT flow_id) FROM {} GROUP BY 1, 2 ORDER BY 1"
DONE = [("v1/chain", "done", 4, 1), ("v1/noop", "done", 1, 1)]


def test_the_limit_loop_on_sqlite_ends_every_step(tmp_path: Path) -> None:
    path = str(tmp_path / "steps.db")
    with_steps(lambda: STEPS)(path)
    limit_loop_sqlite.drain(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(COUNTS.format("stepwell_done")).fetchall() == DONE
        assert connection.execute(COUNTS.format("stepwell_ready")).fetchall() == []


@pytest.mark.parametrize("loop", [limit_loop_postgres.drain, limit_loop_held.drain])
def test_the_limit_loops_on_postgresql_end_every_step(
    loop: Callable[[str], int], postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()
    with_steps(lambda: STEPS)(url)
    loop(url)
    with psycopg.connect(url) as connection:
        assert connection.execute(COUNTS.format("stepwell_done").encode()).fetchall() == DONE
        assert connection.execute(COUNTS.format("stepwell_ready").encode()).fetchall() == []


# -- the page -----------------------------------------------------------------------


def test_the_page_shows_what_is_published() -> None:
    """After publishing: `python -m benchmarks.page`."""
    text = page.PAGE.read_text()
    assert page.page(text, results.read(page.PUBLISHED)) == text


def test_publishing_keeps_the_workloads_that_were_not_run(
    entries: list[dict[str, Any]], tmp_path: Path
) -> None:
    latest, published = tmp_path / "latest.json", tmp_path / "published.json"
    results.write([entries[0] | {"workload": "W1", "median": 1.0}], published)
    results.write(entries, latest)
    page.publish(latest, published)
    results.write([entry for entry in entries if entry["workload"] == "W5"], latest)
    page.publish(latest, published)
    kept = [entry["workload"] for entry in results.read(published)]
    assert kept == sorted(kept)
    assert set(kept) == {"W1", "W3", "W5"}
