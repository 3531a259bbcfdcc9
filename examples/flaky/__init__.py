"""Work that goes wrong on purpose: share prices from a service that fails at first.

The rows are those of `stocks.csv` in the package vega_datasets. `fetch_prices`
fails twice and recovers by its retries; `fetch_ratings` always fails, but does
not halt the run; `rank` has a default for what is then missing.
"""

from flaky.workflows import group

__all__ = ["group"]
