"""Runs: one execution of a workflow = a flow, a header row, and a step that watches over it."""
