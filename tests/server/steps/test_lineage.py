"""Which step made which, as a graph that is bounded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.server.support import Api, on_both, problem
from tests.stores.postgres.support import add, make

from stepwell.engine import Engine, StepClient
from stepwell.ids import new_id
from stepwell.outcome import Done, done
from stepwell.registry import Registry
from stepwell.server.app import Server
from stepwell.step import new_step


def graph(api: Api, step_id: UUID, **query: Any) -> dict[str, Any]:
    answer = api("viewer").get(f"steps/{step_id}/lineage", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    return sorted(node["name"] for node in found["nodes"])


def edges(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    name = {node["id"]: node["name"] for node in found["nodes"]}
    return {(name[one["earlier"]], one["kind"], name[one["later"]]) for one in found["edges"]}


@on_both
def test_what_an_engine_has_really_spawned_and_copied_is_drawn(server: Server, api: Api) -> None:
    registry = Registry()

    @registry.handler("order")
    def order(state: Any) -> Done:
        return done(next=[new_step("pack"), new_step("bill")])

    @registry.handler("pack")
    def pack(state: Any) -> None:
        """Nothing."""

    @registry.handler("bill")
    def bill(state: Any) -> None:
        raise ValueError("no address")

    client = StepClient(server.db.store)
    first = client.add(new_step("order", queue="default"))
    Engine(server.db.store, registry).drain()
    (failed,) = client.search(name="bill")
    if failed.ended_as is None:  # it would be tried again in a while
        client.fail(failed.id, "given up")
    (copy,) = client.reexecute([failed.id])

    for asked in (first, failed.id, copy):
        found = graph(api, asked)
        assert names(found) == ["bill", "bill", "order", "pack"]
        assert edges(found) == {
            ("order", "spawned", "pack"),
            ("order", "spawned", "bill"),
            ("bill", "copied", "bill"),
        }
        assert found["more"] is False


def test_who_waits_for_whom_is_drawn(server: Server, api: Api) -> None:
    flow, join = new_id(), new_id()
    add(
        server.db.store,
        make("sum", id=join, flow_id=flow, waiting_for=2),
        make("part-1", flow_id=flow, join_id=join),
        make("part-2", flow_id=flow, join_id=join),
    )
    assert edges(graph(api, join)) == {("part-1", "awaited", "sum"), ("part-2", "awaited", "sum")}


def test_steps_up_the_line_are_found_in_other_flows(server: Server, api: Api) -> None:
    root, middle = make("root"), make("middle")
    leaf = make("leaf", created_by_step_id=middle.id)
    add(server.db.store, root, middle, leaf)
    found = graph(api, leaf.id)
    assert names(found) == ["leaf", "middle"]

    deep = make("deep", created_by_step_id=leaf.id)
    add(server.db.store, deep)
    assert names(graph(api, deep.id)) == ["deep", "leaf", "middle"]


def test_a_step_whose_maker_is_gone_stands_alone(server: Server, api: Api) -> None:
    orphan = make("orphan", created_by_step_id=new_id())
    add(server.db.store, orphan)
    found = graph(api, orphan.id)
    assert (names(found), found["edges"]) == (["orphan"], [])


def test_a_large_flow_is_cut_and_the_step_asked_for_and_its_kin_stay(
    server: Server, api: Api
) -> None:
    flow = new_id()
    others = [make(f"other-{n:03}", flow_id=flow) for n in range(60)]
    mother = make("mother", flow_id=flow)
    child = make("child", flow_id=flow, created_by_step_id=mother.id)
    add(server.db.store, *others, mother, child)
    found = graph(api, child.id, limit=10)
    assert len(found["nodes"]) == 10
    assert {"mother", "child"} <= set(names(found))
    assert (found["more"], found["limited_to"]) == (True, 10)
    problem(api("viewer").get(f"steps/{child.id}/lineage?limit=501"), 422, "invalid-input")


def test_an_unknown_step_has_none(api: Api) -> None:
    problem(api("viewer").get(f"steps/{new_id()}/lineage"), 404, "step-not-found")


def test_a_step_tells_all_its_fields_and_is_found_by_its_keys(server: Server, api: Api) -> None:
    fields = {"limit_key": "smtp", "limit_slots": 2, "rate_key": "mails", "fingerprint": "f1"}
    step = make("mail", **fields)
    add(server.db.store, step, make("other"))
    shown = api("viewer").get(f"steps/{step.id}").json()
    assert {name: shown[name] for name in fields} == fields
    for query in ({"limit_key": "smtp"}, {"rate_key": "mails"}):
        (found,) = api("viewer").get("steps", params=query).json()["items"]
        assert found["name"] == "mail"
