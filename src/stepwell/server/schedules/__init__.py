"""When workflows begin by themselves, and the ledger: what became of each due instant.

books.py writes the ledger and starts runs; steps.py is the tick that calls it;
sync.py follows releases; service.py has the verbs of people; reading.py what they look at.
"""
