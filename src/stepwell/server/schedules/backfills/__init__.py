"""Runs of what is not due now: of a span that is past, of an instant that was missed, at once."""
