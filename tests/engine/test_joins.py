"""Fan-out and fan-in (R28), through engines and clients, on real stores."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.signals import wait_for

from stepwell import (
    Engine,
    JoinPolicy,
    Member,
    Outcome,
    Registry,
    RetryPolicy,
    StepClient,
    StepStatus,
    done,
    fail,
    new_step,
    rerun,
    skip,
)
from stepwell.errors import InvalidInput, NotAMember, StoreUnavailable
from stepwell.step import EndedAs, OnConflict
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

ONCE = RetryPolicy(attempts=1)


def squares(registry: Registry) -> list[list[Any]]:
    """Handlers: `v1/square`, and `v1/sum` that keeps what it was given."""
    seen: list[list[Any]] = []

    @registry.handler("v1/square", retry=ONCE)
    def square(state: int) -> Outcome:
        if state < 0:
            raise ValueError(f"{state} is negative")
        return done(state * state)

    @registry.handler("v1/sum")
    def total(joined: list[Member]) -> Outcome:
        seen.append(joined)
        return done(sum(member.result or 0 for member in joined))

    return seen


def test_a_step_fans_out_and_the_join_has_the_results_in_order(
    store: Store, registry: Registry
) -> None:
    seen = squares(registry)

    @registry.handler("v1/start")
    def start(state: int) -> Outcome:
        members = [new_step("v1/square", n) for n in range(state)]
        return done(next=members, then=new_step("v1/sum"))

    client = StepClient(store)
    started = client.get(client.add(new_step("v1/start", 9, correlation_id="c")))
    assert Engine(store, registry).drain().done == 11
    (joined,) = seen
    assert [member.result for member in joined] == [n * n for n in range(9)]
    assert [member.state for member in joined] == list(range(9))
    assert {(member.name, member.ended_as) for member in joined} == {("v1/square", EndedAs.DONE)}
    (total,) = client.search(name="v1/sum")
    assert (total.result, total.flow_id, total.correlation_id) == ("204", started.flow_id, "c")


def test_a_client_fans_out_from_outside_in_one_flow(store: Store, registry: Registry) -> None:
    squares(registry)
    client = StepClient(store)
    then = new_step("v1/sum", correlation_id="c")
    *_, join_id = client.add_many((new_step("v1/square", n) for n in (2, 3)), then=then)
    assert join_id == then.id
    assert client.count(flow_id=join_id, correlation_id="c").ready == 3
    Engine(store, registry).drain()
    assert client.get(join_id).result == "13"


def test_a_join_of_nothing_is_due_at_once(store: Store, registry: Registry) -> None:
    seen = squares(registry)
    client = StepClient(store)
    client.add_many([], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert seen == [[]]


def test_coroutines_read_their_members_too(store: Store, registry: Registry) -> None:
    squares(registry)

    @registry.handler("v1/list")
    async def listed(joined: list[Member]) -> Outcome:
        await asyncio.sleep(0)
        return done([member.result for member in joined])

    client = StepClient(store)
    *_, join_id = client.add_many([new_step("v1/square", 5)], then=new_step("v1/list"))
    Engine(store, registry).drain()
    assert client.get(join_id).result == "[25]"


def test_reruns_and_retries_stay_members(store: Store, registry: Registry) -> None:
    squares(registry)

    @registry.handler("v1/slow", retry=RetryPolicy(delays=(0.001,)))
    def slow(state: int) -> Outcome:
        if state == 0:
            return rerun(1)
        if state == 1:
            return rerun(2, next=new_step("v1/square", 100))
        return done(7)

    client = StepClient(store)
    *_, join_id = client.add_many([new_step("v1/slow", 0)], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).result == "7"


def test_a_member_may_fan_out_itself_and_its_join_takes_its_place(
    store: Store, registry: Registry
) -> None:
    """Three levels deep; the leaf that is skipped leaves its place to a join as well."""
    seen = squares(registry)

    @registry.handler("v1/tree")
    def tree(state: int) -> Outcome:
        below = new_step("v1/tree", state - 1) if state else new_step("v1/square", 2)
        members = [below, new_step("v1/square", 1)]
        if state == 1:
            return skip("only a branch", next=members, then=new_step("v1/sum"))
        return done(next=members, then=new_step("v1/sum"))

    client = StepClient(store)
    *_, join_id = client.add_many([new_step("v1/tree", 2)], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).result == "7"
    assert [len(joined) for joined in seen] == [2, 2, 2, 1]
    assert client.count().ready == 0


def test_what_a_member_spawns_without_then_is_waited_for_by_nobody(
    store: Store, registry: Registry
) -> None:
    seen = squares(registry)

    @registry.handler("v1/part")
    def part() -> Outcome:
        return done(1, next=new_step("v1/square", 9))

    client = StepClient(store)
    client.add_many([new_step("v1/part")], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert [member.name for member in seen[0]] == ["v1/part"]


def test_a_join_waits_for_the_copy_of_what_failed(store: Store, registry: Registry) -> None:
    squares(registry)
    client = StepClient(store)
    members = [new_step("v1/square", -3), new_step("v1/square", 4)]
    bad, good, join_id = client.add_many(members, then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).status is StepStatus.READY
    said = client.explain(join_id)
    assert said.startswith("It waits for 1 of 2 steps (R28); failed: v1/square")
    assert "ValueError: -3 is negative" in said
    registry2 = Registry()
    seen = squares(registry2)
    registry2.add(lambda state: done(9), "v1/mended")
    (copy,) = client.reexecute([bad])
    (stranger,) = client.reexecute([good])
    client.complete(copy, "looked up by hand", 9)
    Engine(store, registry2).drain()
    assert client.get(join_id).result == "25"
    assert [member.id for member in seen[0]] == [good, copy]
    assert client.get(stranger).join_id is None
    (late,) = client.reexecute([bad])
    assert client.get(late).join_id is None


@pytest.mark.parametrize("word", ["fail", JoinPolicy.FAIL])
def test_a_join_may_fail_with_its_members(store: Store, registry: Registry, word: str) -> None:
    squares(registry)
    client = StepClient(store)
    then = new_step("v1/sum")
    bad, join_id = client.add_many([new_step("v1/square", -3)], then=then, on_failure=word)
    Engine(store, registry).drain()
    join = client.get(join_id)
    assert join.ended_as is EndedAs.FAILED
    assert join.description == f"its member 'v1/square' ({bad}) failed: ValueError: -3 is negative"


def test_a_join_may_go_on_and_sees_how_its_members_ended(store: Store, registry: Registry) -> None:
    seen = squares(registry)
    client = StepClient(store)
    members = [new_step("v1/square", n) for n in (-3, 4, 5)]
    then = new_step("v1/sum")
    ids = client.add_many(members, then=then, on_failure="go on")
    client.cancel(ids[2], "not wanted")
    Engine(store, registry).drain()
    ends = [(member.ended_as, member.result) for member in seen[0]]
    assert ends == [(EndedAs.FAILED, None), (EndedAs.DONE, 16), (EndedAs.CANCELLED, None)]
    assert str(seen[0][0].description).startswith("ValueError: -3 is negative")


def test_a_failed_step_may_fan_out_but_passes_no_place_on(store: Store, registry: Registry) -> None:
    squares(registry)

    @registry.handler("v1/part")
    def part() -> Outcome:
        return fail("no", next=[new_step("v1/square", 2)], then=new_step("v1/sum"))

    client = StepClient(store)
    _, join_id = client.add_many([new_step("v1/part")], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).waiting_for == 1
    assert [step.result for step in client.search(name="v1/sum", status=StepStatus.DONE)] == ["4"]


def test_a_re_executed_join_reads_the_members_of_its_source(
    store: Store, registry: Registry
) -> None:
    seen = squares(registry)
    client = StepClient(store)
    *_, join_id = client.add_many([new_step("v1/square", 3)], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    (copy,) = client.reexecute([join_id])
    Engine(store, registry).drain()
    client.reexecute([copy])
    Engine(store, registry).drain()
    assert [[member.result for member in joined] for joined in seen] == [[9]] * 3


def test_an_explanation_names_who_is_waited_for(store: Store, registry: Registry) -> None:
    client = StepClient(store)
    members = [new_step(f"v1/part-{n}") for n in range(5)]
    *ids, join_id = client.add_many(members, then=new_step("v1/sum"))
    client.complete(ids[0], "by hand")
    assert client.explain(join_id) == (
        f"It waits for 4 of 5 steps (R28): v1/part-1 ({ids[1]}), v1/part-2 ({ids[2]}), "
        f"v1/part-3 ({ids[3]}) and 1 more have not ended yet."
    )


def test_the_step_of_more_than_a_page_of_members_sees_them_all(
    store: Store, registry: Registry
) -> None:
    squares(registry)
    client = StepClient(store)
    members = [new_step("v1/square", 1) for _ in range(1200)]
    *_, join_id = client.add_many(members, then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).result == "1200"


def test_two_engines_share_the_members_and_the_join_runs_once(registry: Registry) -> None:
    seen, store = squares(registry), MemoryStore()
    with Engine(store, registry) as one, Engine(store, registry):
        for _ in range(20):
            one.add_many([new_step("v1/square", n) for n in range(10)], then=new_step("v1/sum"))
        wait_for(lambda: one.count(name="v1/sum").done == 20)
    assert len(seen) == 20


def test_a_handler_waits_for_members_while_the_store_is_away(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no failure of the step's."""
    seen, store = squares(registry), MemoryStore()
    StepClient(store).add_many([new_step("v1/square", 3)], then=new_step("v1/sum"))
    engine = Engine(store, registry)
    read, tries = engine.store.transaction, []

    def transaction() -> Any:
        if _reading_members():
            tries.append(1)
            if len(tries) < 3:
                raise StoreUnavailable("away")
        return read()

    monkeypatch.setattr(store, "transaction", transaction)
    assert engine.drain().retried == 0
    assert (len(tries), len(seen)) == (3, 1)


def _reading_members() -> bool:
    return any(frame.function == "_read" for frame in inspect.stack())


@pytest.mark.parametrize("part", ["member", "join"])
def test_what_may_be_ignored_cannot_be_part_of_a_join(part: str) -> None:
    """The join would wait for a step that is not its member."""
    ignorable = new_step("v1/x", unique_key="k", on_conflict="ignore")
    plain, client = new_step("v1/y"), StepClient(MemoryStore())
    members, then = ([ignorable], plain) if part == "member" else ([plain], ignorable)
    with pytest.raises(InvalidInput, match="on_conflict='ignore'"):
        client.add_many(members, then=then)
    assert client.count().ready == 0


def test_the_same_step_cannot_be_waited_for_twice() -> None:
    one, then = new_step("v1/x"), new_step("v1/y")
    for members in ([one, one], [one, then]):
        with pytest.raises(InvalidInput, match="not all different"):
            StepClient(MemoryStore()).add_many(members, then=then)


def test_a_step_that_exists_cannot_become_a_member(store: Store) -> None:
    client, known = StepClient(store), new_step("v1/x")
    client.add(known)
    with pytest.raises(NotAMember):
        client.add_many([known], then=new_step("v1/y"))
    assert client.count().ready == 1


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'wait', 'fail', 'go on'"):
        done(on_failure="perhaps")
    with pytest.raises(InvalidInput, match="'wait', 'fail', 'go on'"):
        StepClient(MemoryStore()).add_many([], on_failure="perhaps")


def test_a_fan_added_again_is_the_same(store: Store, registry: Registry) -> None:
    squares(registry)
    client, members = StepClient(store), [new_step("v1/square", n) for n in (1, 2)]
    then = new_step("v1/sum")
    assert client.add_many(members, then=then) == client.add_many(members, then=then)
    Engine(store, registry).drain()
    client.add_many(members, then=then)
    assert (client.count().ready, client.get(then.id).result) == (0, "5")


def test_a_member_with_a_unique_key_may_replace(store: Store, registry: Registry) -> None:
    squares(registry)
    client = StepClient(store)
    client.add(new_step("v1/square", 1, unique_key="k"))
    member = new_step("v1/square", 2, unique_key="k", on_conflict=OnConflict.REPLACE)
    _, join_id = client.add_many([member], then=new_step("v1/sum"))
    Engine(store, registry).drain()
    assert client.get(join_id).result == "4"


TREES = st.recursive(
    st.sampled_from(["done", "fail", "skip"]),
    lambda inner: st.tuples(st.sampled_from(list(JoinPolicy)), st.lists(inner, max_size=3)),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(tree=TREES)
def test_any_tree_of_joins_ends_as_its_policies_say(tree: Any) -> None:
    """Told by the tree alone: a join is due when all its branches have ended well, or may fail."""
    registry, store = Registry(), MemoryStore()

    @registry.handler("v1/node", retry=ONCE)
    def node(state: Any) -> Outcome:
        if isinstance(state, str):
            ends: dict[str, Outcome] = {"done": done(), "skip": skip("no"), "fail": fail("no")}
            return ends[state]
        policy, branches = state
        members = [new_step("v1/node", branch) for branch in branches]
        return done(next=members, then=new_step("v1/join"), on_failure=policy)

    registry.handler("v1/join")(lambda: None)
    client = StepClient(store)
    _, top = client.add_many([new_step("v1/node", tree)], then=new_step("v1/join"))
    Engine(store, registry, workers=3).drain()
    expected = {"good": EndedAs.DONE, "bad": None, "waits": None}[_fate(tree)]
    assert client.get(top).ended_as is expected


def _fate(tree: Any) -> str:
    if isinstance(tree, str):
        return "bad" if tree == "fail" else "good"
    policy, branches = tree
    fates = {_fate(branch) for branch in branches}
    if policy is JoinPolicy.FAIL and "bad" in fates:
        return "bad"
    if "waits" in fates or (policy is JoinPolicy.WAIT and "bad" in fates):
        return "waits"
    return "good"
