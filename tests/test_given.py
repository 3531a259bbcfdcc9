"""What callers mistype is refused where they have written it: what, why, how to fix, a code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from stepwell import FailStep, Registry, RetryPolicy, StepClient, StepQuery, done, new_step, rerun
from stepwell.clock import now
from stepwell.errors import InvalidInput
from stepwell.given import suggestion
from stepwell.ids import new_id
from stepwell.query import step_query
from stepwell.step import EndedAs, Priority, Retention, StepStatus
from stepwell.stores.memory import MemoryStore

WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"prioritty": 1}, "A step has no 'prioritty'. Did you mean 'priority'?"),
    ({"colour": 1}, "A step has no 'colour'. There are: correlation_id, "),
    ({"priority": "high"}, "priority is 'high' (str). Use one of: Priority.URGENT, "),
    ({"priority": 7}, "priority is 7 (int)."),
    ({"queue": ""}, "The queue has no name."),
    ({"queue": None}, "queue is None (NoneType). Give a string"),
    ({"id": "x"}, "id is 'x' (str). Give a uuid.UUID"),
    ({"flow_id": "abc"}, "flow_id is 'abc' (str)."),
    ({"unique_key": 5}, "unique_key is 5 (int). Give a string: str(5)."),
    ({"correlation_id": UUID(int=1)}, "correlation_id is UUID("),
    ({"search_key": 7}, "search_key is 7 (int)."),
    ({"description": 7}, "description is 7 (int)."),
    ({"retention": "short"}, "Use one of: Retention.SHORT, "),
    ({"schedule_time": "2026-01-01"}, "'2026-01-01' is no instant, but a str."),
    ({"schedule_time": timedelta(minutes=5)}, "is no instant, but a timedelta."),
    ({"limit_key": 5}, "5 is not a key for a limit or a rate."),
    ({"limit_key": "k", "limit_slots": "2"}, "limit_slots is '2' (str)."),
]


@pytest.mark.parametrize(("fields", "said"), WRONG_FIELDS)
def test_a_field_of_a_step_that_no_store_could_keep_is_refused(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        new_step("v1/x", **fields)
    assert said in str(refused.value)
    assert refused.value.fix


@pytest.mark.parametrize(
    ("word", "names", "said"),
    [
        ("weahter", ["digest", "weather"], "Did you mean 'weather'?"),
        ("Weather", ["digest", "weather"], "Did you mean 'weather'?"),
        ("nmae", ["name", "queue"], "Did you mean 'name'?"),
        ("v1/mial", ["v1/mail", "v1/main", "v1/pay"], "Did you mean 'v1/mail' or 'v1/main'?"),
        ("v1/pay", ["v1/add", "v1/mail"], ""),
        ("digest", [], ""),
    ],
)
def test_a_slip_is_asked_about_and_another_word_is_not(
    word: str, names: list[str], said: str
) -> None:
    assert suggestion(word, names) == said


@pytest.mark.parametrize("name", [5, None, "", "x" * 201, ["v1/x"]])
def test_a_name_is_a_string_of_200_characters_at_most(name: Any) -> None:
    with pytest.raises(InvalidInput, match="is not a step name"):
        new_step(name)


def test_the_value_of_a_word_does_as_well_as_the_word() -> None:
    new = new_step("v1/x", priority=1, retention=2)
    assert (new.priority, new.retention) == (Priority.HIGH, Retention.LONG)
    query = StepQuery(status="done", ended_as="skipped", priority=0)  # type: ignore[arg-type]
    assert (query.status, query.ended_as) == (StepStatus.DONE, EndedAs.SKIPPED)
    assert query.priority is Priority.URGENT


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"nam": "x"}, "A search has no 'nam'. Did you mean 'name'?"),
        ({"status": "reddy"}, "status is 'reddy' (str). Use one of: 'ready', 'done', 'failed'."),
        ({"ended_as": "don"}, "Use one of: 'done', 'skipped', "),
        ({"flow_id": "abc"}, "flow_id is 'abc' (str)."),
        ({"ids": UUID(int=1)}, "ids is one id, and no list of them. Give [id]."),
        ({"ids": [5]}, "one of ids is 5 (int)."),
        ({"ids": 5}, "ids is 5 (int). Give a list of ids."),
        ({"after": "x"}, "after is 'x' (str)."),
        ({"name": 5}, "name is 5 (int)."),
        ({"created_from": datetime(2026, 1, 1)}, "has no time zone."),
        ({"duration_from": "1"}, "duration_from is '1' (str)."),
    ],
)
def test_a_query_that_means_nothing_is_refused(fields: dict[str, Any], said: str) -> None:
    client = StepClient(MemoryStore())
    for ask in (client.search, client.count, client.failures, client.reexecute_matching):
        with pytest.raises(InvalidInput) as refused:
            ask(**fields)
        assert said in str(refused.value)


def test_a_page_and_a_count_have_a_number_of_rows() -> None:
    client = StepClient(MemoryStore())
    with pytest.raises(InvalidInput, match="limit=-1 rows are none"):
        client.search(limit=-1)
    with pytest.raises(InvalidInput, match="at_most=-1 rows are none"):
        client.count(at_most=-1)


def test_a_query_and_fields_beside_it_are_refused() -> None:
    """The fields would count for nothing."""
    with pytest.raises(InvalidInput, match="a query and name beside it"):
        step_query(StepQuery(), {"name": "v1/x"})
    with pytest.raises(InvalidInput, match="The query is 'v1/x'"):
        step_query("v1/x", {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "verb",
    [
        lambda client, one: client.get(one),
        lambda client, one: client.explain(one),
        lambda client, one: client.activate(one),
        lambda client, one: client.reschedule(one, now()),
        lambda client, one: client.cancel(one, "why"),
        lambda client, one: client.reexecute([one]),
    ],
)
def test_the_text_of_an_id_is_not_taken_for_the_id_of_no_step(
    verb: Callable[[StepClient, Any], object],
) -> None:
    """As it comes out of the path of a web request: some stores would find it, others not."""
    client = StepClient(MemoryStore())
    step_id = client.add(new_step("v1/x"))
    with pytest.raises(InvalidInput, match="UUID"):
        verb(client, str(step_id))


@pytest.mark.parametrize("wrong", ["v1/x", 5, done()])
def test_what_is_no_step_is_not_added(wrong: Any) -> None:
    client, step = StepClient(MemoryStore()), new_step("v1/x")
    for add in (
        lambda: client.add(wrong),
        lambda: client.add_many([step, wrong]),
        lambda: client.add_many([step], then=wrong),
        lambda: client.add_if_none(wrong, StepQuery()),
        lambda: done(next=wrong),
        lambda: done(next=[step, wrong]),
        lambda: done(next=step, then=wrong),
        lambda: rerun(next=[wrong]),
    ):
        with pytest.raises(InvalidInput, match="Make it with new_step"):
            add()
    assert client.count().ready == 0


@pytest.mark.parametrize("after", ["5", True, float("inf"), float("nan")])
def test_a_delay_is_seconds_or_a_timedelta(after: Any) -> None:
    with pytest.raises(InvalidInput, match="seconds, or a timedelta"):
        rerun(after=after)


@pytest.mark.parametrize(
    "fields",
    [
        {"attempts": 0},
        {"attempts": "3"},
        {"delays": 5},
        {"delays": ("1",)},
        {"delays": (-1,)},
        {"jitter": 5},
        {"jitter": "much"},
        {"on": ("ValueError",)},
        {"on": (ValueError())},
    ],
)
def test_a_policy_that_could_not_be_followed_is_refused_when_it_is_made(
    fields: dict[str, Any],
) -> None:
    with pytest.raises(InvalidInput):
        RetryPolicy(**fields)


def test_a_policy_takes_one_exception_and_lists() -> None:
    policy = RetryPolicy(on=ValueError, delays=[1, 2])  # type: ignore[arg-type]
    assert policy.allows(1, ValueError())
    assert policy.delay(2) == 2


def test_a_decorator_without_a_name_does_not_swallow_the_handler() -> None:
    registry = Registry()
    with pytest.raises(InvalidInput, match=r"handles: @registry\.handler"):

        @registry.handler  # type: ignore[arg-type]
        def handler() -> None: ...


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retry": 3}, "retry is 3 (int). Give a policy: RetryPolicy(attempts=3)."),
        ({"exhausted": 5}, "exhausted=5 cannot be called."),
        ({"timeout": "5"}, "timeout is '5' (str). Give a number of seconds."),
        ({"timeout": timedelta(seconds=5)}, "Give a number of seconds."),
        ({"retention": "short"}, "Use one of: Retention.SHORT"),
    ],
)
def test_an_option_of_a_handler_of_another_type_is_refused(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Registry().add(lambda: None, "v1/x", **options)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", [5, "", "x" * 201, ["v1/x"]])
def test_no_handler_has_a_name_that_no_step_can_have(name: Any) -> None:
    with pytest.raises(InvalidInput, match="is not a step name"):
        Registry().add(lambda: None, name)


def test_what_could_not_be_executed_is_no_handler() -> None:
    """The body of a generator would never be entered, and its step be taken for done."""

    def generator() -> Iterator[int]:
        yield 1

    async def on_loop() -> Any:
        yield 1

    for function, said in ((generator, "is a generator"), (on_loop, "is a generator")):
        with pytest.raises(InvalidInput, match=said):
            Registry().add(function, "v1/x")
    with pytest.raises(InvalidInput, match="cannot be called"):
        Registry().add("v1/x", "v1/x")  # type: ignore[arg-type]


def test_fail_step_takes_one_step_or_several() -> None:
    step = new_step("v1/x", id=new_id())
    assert FailStep("no", next=step).next == FailStep("no", next=[step]).next == (step,)
    assert FailStep("no", next=None).next == FailStep("no").next == ()
