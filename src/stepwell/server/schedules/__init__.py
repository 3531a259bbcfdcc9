"""When workflows begin by themselves, and the ledger: what became of each due instant.

definitions (what a schedule is, and how that changes) . ledger (what became of each instant) .
previews (what comes) . backfills (what is run although it is not due) . calendars . alerts .
downtimes . audits . strip: each has the furniture of a room. Of all of them: steps.py is the
tick, which writes the ledger; service.py has the verbs of people; reading.py what they look at.
"""
