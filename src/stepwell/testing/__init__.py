"""What Stepwell ships for tests: contracts that every store and launcher must keep."""

from importlib.util import find_spec

if find_spec("pytest"):
    # Before the contracts are imported, so that their failures show values.
    import pytest

    pytest.register_assert_rewrite(
        "stepwell.testing.store_contract", "stepwell.testing.launcher_contract"
    )
