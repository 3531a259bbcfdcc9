"""Daily weather of Seattle, 2012-2015: loaded bit by bit, checked, summed up and drawn.

The rows are those of `seattle-weather.csv` in the package vega_datasets (from
NOAA). Each run takes the next months: the high-water mark is kept in the state
store, and moves only if the run's own figures are kept with it.
"""

from weather.workflows import group

__all__ = ["group"]
