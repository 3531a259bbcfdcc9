"""A batch is filled from the bands 8:4:2:1, and none starves (R18)."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import Priority, Step
from stepwell.stores.fairness import fair_fill

FAIR = (0.0, 0.0, 0.0, 0.0)


def steps(each: int) -> list[Step]:
    first = Step(id=new_id(), name="v1/a", flow_id=new_id(), created_at=now(), schedule_time=now())
    return [
        replace(
            first,
            id=new_id(),
            priority=band,
            schedule_time=first.schedule_time + timedelta(seconds=n),
        )
        for band in Priority
        for n in range(each)
    ]


def test_a_batch_of_fifteen_is_8_4_2_1() -> None:
    bands = Counter(step.priority for step in fair_fill(steps(20), 15, FAIR))
    assert [bands[band] for band in Priority] == [8, 4, 2, 1]


def test_within_a_band_the_order_of_time_is_kept() -> None:
    taken = [s for s in fair_fill(reversed(steps(20)), 30, FAIR) if s.priority is Priority.HIGH]
    assert taken == sorted(taken, key=lambda step: step.schedule_time)


def test_batches_of_one_with_a_drawn_skew_come_near_8_4_2_1() -> None:
    draw = random.Random(7)
    waiting = steps(2)
    bands: Counter[Priority] = Counter()
    for _ in range(4000):
        skew = [draw.random() for _ in range(4)]
        (step,) = fair_fill(waiting, 1, skew)
        bands[step.priority] += 1
    assert all(bands[band] > 100 for band in Priority)
    assert bands[Priority.URGENT] > bands[Priority.HIGH] > bands[Priority.NORMAL]
    assert bands[Priority.NORMAL] > bands[Priority.LOW]
