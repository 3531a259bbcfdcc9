"""The engine, in the order in which a step lives.

engine.py (compose, start, stop, drain) . client.py (the user's handle) .
worker.py (claim ahead, hand out) . execution.py (one step's life) .
judgement.py (outcome -> settlement) . committer.py (group commit) .
once.py (a handler's own transaction) . inside.py (what it must not do) .
heartbeat.py (the engine's liveness) . explaining.py (why a step is where it is) .
processes.py (handlers in children) . deadlines.py (when their time is over) .
joining.py (what the handler of a join reads) . fingerprint.py (the same failure again).
"""

from stepwell.engine.client import StepClient
from stepwell.engine.engine import Engine
from stepwell.engine.joining import Member
from stepwell.engine.tally import Tally

__all__ = ["Engine", "Member", "StepClient", "Tally"]
