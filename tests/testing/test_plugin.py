"""pytest finds the fixtures wherever Stepwell is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

BARE = [word for one in ("cacheprovider", "kmock", "playwright") for word in ("-p", f"no:{one}")]
"""kmock wants a package that is not installed, and playwright does not stand a run within a run."""

OWN_PROGRAM = """
import pytest
from stepwell import Registry, done, new_step, rerun
from stepwell.testing.crashing import crash_everywhere

@pytest.fixture
def stepwell_registry(stepwell_effects):
    registry = Registry()

    @registry.handler("v1/remind")
    def remind(step, state):
        stepwell_effects.record("mail", state)
        return rerun(after=86400) if step.execution_count < 2 else done()

    return registry
"""


def passed(pytester: pytest.Pytester, test: str, **outcomes: int) -> pytest.RunResult:
    pytester.makepyfile(test)
    result = pytester.runpytest_inprocess(*BARE)
    result.assert_outcomes(**(outcomes or {"passed": 1}))
    return result


def test_an_engine_runs_the_programs_handlers_on_a_clock_of_its_own(
    pytester: pytest.Pytester,
) -> None:
    passed(
        pytester,
        OWN_PROGRAM
        + """
def test_a_reminder_comes_three_times(stepwell_engine, stepwell_clock, stepwell_effects):
    begun = stepwell_clock.now()
    stepwell_engine.add(new_step("v1/remind", "ada"))
    stepwell_engine.advance(days=3)
    assert stepwell_effects() == 3 * [("mail", "ada")]
    assert (stepwell_clock.now() - begun).days == 3
""",
    )


def test_a_handler_that_cannot_stand_a_crash_fails_the_test_with_the_report(
    pytester: pytest.Pytester,
) -> None:
    result = passed(
        pytester,
        OWN_PROGRAM
        + """
def remind_for_days(engine):
    engine.add(new_step("v1/remind", "ada"))
    engine.advance(days=3)

def test_reminders_come_once(stepwell_registry, stepwell_effects):
    crash_everywhere(
        remind_for_days, stepwell_registry, effects=stepwell_effects
    ).assert_effects_once()
""",
        failed=1,
    )
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: The engine was killed at 21 places of v1/remind.",
            "*Killed after its handler, before * was committed (v1/remind) (3 crashes)",
            "*doubled: mail ada happened 4 times instead of 3 times",
        ]
    )


def test_a_store_of_the_tests_own_takes_the_clock(pytester: pytest.Pytester) -> None:
    passed(
        pytester,
        """
import pytest
from stepwell import done, new_step
from stepwell.stores.sqlite import SQLiteStore

@pytest.fixture
def stepwell_store(tmp_path, stepwell_clock):
    store = SQLiteStore(tmp_path / "app.db", stepwell_clock)
    store.migrate()
    yield store
    store.close()

def test_a_handler_has_the_connection(stepwell_registry, stepwell_engine):
    @stepwell_registry.handler("v1/ask")
    def ask(connection):
        return done(connection.execute("SELECT 1").fetchone()[0])

    step = stepwell_engine.add(new_step("v1/ask"))
    stepwell_engine.drain()
    assert stepwell_engine.get(step).result == "1"
""",
    )


def test_nothing_of_the_kit_is_taken_for_a_test(pytester: pytest.Pytester) -> None:
    passed(
        pytester,
        """
from stepwell.testing.clock import *
from stepwell.testing.crashing import *
from stepwell.testing.effects import *
from stepwell.testing.virtual import *
""",
        passed=0,
    )


def test_the_fixtures_are_listed_with_what_they_are(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--fixtures", *BARE)
    for name in ("clock", "effects", "engine", "registry", "store"):
        result.stdout.fnmatch_lines([f"stepwell_{name} -- *plugin.py*"])


def test_the_plugin_loads_no_part_of_the_kit_before_a_fixture_wants_it() -> None:
    code = """
import sys
import stepwell.testing.plugin
own = {name for name in sys.modules if name.startswith("stepwell.testing")}
assert own == {"stepwell.testing", "stepwell.testing.plugin"}, own
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
