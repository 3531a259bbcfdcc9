"""The core needs nothing outside the standard library, proved in a bare interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BARE = """
import sys
sys.path.insert(0, {source!r})
{code}
known = set(sys.stdlib_module_names) | {{"stepwell", "__main__", "__mp_main__"}}
foreign = sorted({{name.partition(".")[0] for name in sys.modules}} - known)
assert not foreign, foreign
"""

IMPORTS = """
import stepwell
import stepwell.engine
import stepwell.stores.memory
import stepwell.stores.sqlite
"""

RUNS = """
from stepwell import Engine, Registry, done, new_step
from stepwell.stores.sqlite import SQLiteStore

registry = Registry()

@registry.handler("v1/double")
def double(state: int):
    return done(2 * state)

store = SQLiteStore({path!r})
store.migrate()
engine = Engine(store, registry)
step = engine.add(new_step("v1/double", 21))
engine.drain()
assert engine.get(step).result == "42"
"""


def run_bare(root: Path, code: str) -> None:
    """No site-packages (-S), no environment and no user folder (-I)."""
    text = BARE.format(source=str(root / "src"), code=code)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_the_core_imports_only_the_standard_library(root: Path) -> None:
    run_bare(root, IMPORTS)


def test_a_step_runs_on_sqlite_with_only_the_standard_library(root: Path, tmp_path: Path) -> None:
    run_bare(root, RUNS.format(path=str(tmp_path / "steps.db")))
