"""Orders, their receipts and a recurring report: durable steps in one file and one database."""

import sys
from dataclasses import dataclass

from stepwell import Engine, Outcome, Registry, RetryPolicy, done, new_step, rerun
from stepwell.stores.sqlite import SQLiteStore

store = SQLiteStore(sys.argv[1] if len(sys.argv) > 1 else "orders.db")
registry = Registry()
engine = Engine(store, registry)
outages = {"ada@example.org": "no route to host", "emmy@example.org": "try again later"}


@dataclass
class Order:
    number: int
    customer: str
    total: float


@registry.handler("v1/take-order")
def take_order(state: Order) -> Outcome:
    """The receipt is added in the transaction that completes this step, or not at all."""
    receipt = new_step("v1/send-receipt", state, search_key=state.customer)
    return done(f"{state.total:.2f} received", next=receipt)


@registry.handler("v1/send-receipt", retry=RetryPolicy(attempts=5, delays=(0.1, 0.5)))
def send_receipt(state: Order) -> Outcome:
    """An exception puts the step back; the row remembers how often, a restart does not matter."""
    if outage := outages.pop(state.customer, None):
        raise ConnectionError(outage)
    return done(f"sent to {state.customer}")


@registry.handler("v1/report")
def report(state: int) -> Outcome:
    """A singleton that runs again and again, with its own state, until it has seen enough."""
    counts = engine.count(name="v1/send-receipt")
    print(f"report {state}: {counts.done} receipts sent, {counts.ready} waiting")
    return done(state) if counts.done and not counts.ready else rerun(state + 1, after=0.3)


def main() -> None:
    store.migrate()
    orders = [Order(1, "ada@example.org", 12.5), Order(2, "emmy@example.org", 99.0)]
    engine.add_many(new_step("v1/take-order", order) for order in orders)
    engine.add(new_step("v1/report", 1, singleton=True, on_conflict="ignore"))
    tally = engine.drain(patience=2)
    for step in engine.search(name="v1/send-receipt"):
        print(f"{step.name} {step.status}, execution {step.execution_count}: {step.result}")
    print(f"{tally.done} done, {tally.retried} retried, {tally.rerun} run again")


if __name__ == "__main__":
    main()
