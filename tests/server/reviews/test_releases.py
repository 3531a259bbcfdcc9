"""What decisions make of a release, for many random releases and discoveries."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from tests.server.support import operation, workflow

from stepwell.server.reviews import releases
from stepwell.server.reviews.changes import Standing
from stepwell.server.reviews.diff import compare
from stepwell.server.reviews.records import Choice

AT = datetime(2026, 1, 5, tzinfo=UTC)
SCHEDULES = [
    None,
    {"kind": "cron", "expression": "30 7 * * *"},
    {"kind": "interval", "seconds": 60},
]
SCHEMAS = [None, {}, {"type": "string"}, {"type": "integer"}, {"type": "array", "items": {}}]


def entries(dice: random.Random) -> dict[str, dict[str, Any]]:
    """Up to six workflows with up to six operations, from few names, so that much is alike."""
    names = dice.sample("abcdefgh", dice.randint(0, 6))
    return {name: entry(dice, name) for name in names}


def entry(dice: random.Random, name: str) -> dict[str, Any]:
    operations = [
        operation(one, place, returns=dice.choice(SCHEMAS), retries=dice.randint(0, 1))
        for place, one in enumerate(dice.sample("pqrstuv", dice.randint(1, 6)), 1)
    ]
    properties = {one: dice.choice(SCHEMAS[1:]) for one in dice.sample("xyz", dice.randint(0, 3))}
    required = [one for one in properties if dice.random() < 0.3]
    parameters = {"type": "object", "properties": properties, "required": required}
    schedule = dice.choice(SCHEDULES)
    return workflow(name, operations=operations, parameters=parameters, schedule=schedule)


def contents(given: dict[str, dict[str, Any]], digest: str) -> releases.Contents:
    fixed = {"discovery_id": uuid4(), "digest": digest}
    fixed |= dict.fromkeys(("renamed_from", "renamed_operations"))
    return {name: {"workflow": name, "entry": one, **fixed} for name, one in given.items()}


@pytest.mark.parametrize("seed", range(60))
def test_accepting_all_gives_the_discovery_and_rejecting_all_keeps_the_release(seed: int) -> None:
    dice = random.Random(seed)
    before, after = entries(dice), entries(dice)
    current = contents(before, "old")
    found = releases.offered(uuid4(), "new", after)
    digests = (dict.fromkeys(before, "old"), dict.fromkeys(after, "new"))
    difference = compare(before, after, at=AT, digests=digests)

    accepted = releases.completed([], Choice.ACCEPT, difference)
    following = releases.applied(current, found, accepted)
    assert {name: row["entry"] for name, row in following.items()} == after
    assert {row["digest"] for row in following.values()} <= {"new"}

    rejected = releases.completed([], Choice.REJECT, difference)
    assert not releases.differ(releases.applied(current, found, rejected), current)


@pytest.mark.parametrize("seed", range(60))
def test_a_difference_names_every_workflow_once_and_none_with_itself(seed: int) -> None:
    dice = random.Random(seed)
    before, after = entries(dice), entries(dice)
    found = compare(before, after, at=AT).workflows
    old = [one.renamed_from or one.workflow for one in found if one.standing != Standing.ADDED]
    new = [one.workflow for one in found if one.standing != Standing.REMOVED]
    assert sorted(old) == sorted(before)
    assert sorted(new) == sorted(after)
    same = compare(after, after, at=AT)
    assert set(same.counts) <= {Standing.SAME}


@pytest.mark.parametrize("seed", range(40))
def test_deciding_one_by_one_comes_to_the_same_as_all_at_once(seed: int) -> None:
    dice = random.Random(seed)
    before, after = entries(dice), entries(dice)
    found = releases.offered(uuid4(), "new", after)
    current = contents(before, "old")
    while True:
        now = {name: row["entry"] for name, row in current.items()}
        old = {name: row["digest"] for name, row in current.items()}
        digests = (old, dict.fromkeys(after, "new"))
        difference = compare(now, after, at=AT, digests=digests)
        accepted = releases.completed([], Choice.ACCEPT, difference)
        if not accepted:
            break
        current = releases.applied(current, found, [dice.choice(accepted)])
    assert {name: row["entry"] for name, row in current.items()} == after
