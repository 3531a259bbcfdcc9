"""The ledger's arithmetic: which fate each due instant has, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stepwell.schedules import Every, Misfire, Overlap
from stepwell.schedules.ledger import (
    Entry,
    Fate,
    Judgement,
    Rules,
    Situation,
    Why,
    breaks,
    joined,
    judge,
    mark,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURLY = Every(hours=1)


def judged(
    spec: Every, hours: float = 0, *, rules: Rules | None = None, **situation: object
) -> Judgement:
    """The judgement on a schedule due at noon, `hours` after noon."""
    now = NOON + timedelta(hours=hours, seconds=5)
    return judge(spec, NOON, Situation(now=now, **situation), rules)  # type: ignore[arg-type]


def said(judgement: Judgement) -> list[tuple[str, str | None, int]]:
    return [(one.fate.value, one.why, one.count) for one in judgement.entries]


def test_an_instant_in_time_runs() -> None:
    judgement = judged(HOURLY)
    assert said(judgement) == [("ran", None, 1)]
    assert judgement.next_due == NOON + timedelta(hours=1)


def test_nothing_is_due_early() -> None:
    now = NOON - timedelta(microseconds=1)
    assert judge(HOURLY, NOON, Situation(now=now)) == Judgement((), NOON)


def test_after_a_downtime_the_latest_runs_and_the_earlier_ones_are_missed() -> None:
    judgement = judged(HOURLY, 3.5)
    assert said(judgement) == [("missed", "down", 3), ("ran", "late", 1)]
    missed = judgement.entries[0]
    assert (missed.first, missed.last) == (NOON, NOON + timedelta(hours=2))
    assert missed.following == judgement.entries[1].first


def test_an_instant_in_time_makes_all_late_ones_missed() -> None:
    """Only the latest runs, and that one is not late."""
    assert said(judged(HOURLY, 3)) == [("missed", "down", 3), ("ran", None, 1)]


def test_with_misfire_skip_all_late_ones_are_missed() -> None:
    spec = replace(HOURLY, misfire=Misfire.SKIP)
    assert said(judged(spec, 2.5)) == [("missed", "down", 3)]
    assert said(judged(spec, 3)) == [("missed", "down", 3), ("ran", None, 1)]


def test_with_misfire_all_each_runs_up_to_the_cap() -> None:
    spec = replace(HOURLY, misfire=Misfire.ALL, overlap=Overlap.ALLOW)
    judgement = judged(spec, 5.5, rules=Rules(cap=4))
    assert said(judgement) == [("missed", "cap", 2), *[("ran", "late", 1)] * 4]


def test_while_paused_instants_are_skipped_in_one_entry() -> None:
    assert said(judged(HOURLY, 3.5, paused=True)) == [("skipped", "paused", 4)]


def test_overlap_skip() -> None:
    assert said(judged(HOURLY, busy=True)) == [("skipped", "overlap", 1)]


def test_overlap_allow() -> None:
    spec = replace(HOURLY, overlap=Overlap.ALLOW)
    assert said(judged(spec, busy=True)) == [("ran", None, 1)]


def test_overlap_queue_waits_behind_a_run_and_behind_who_waits() -> None:
    spec = replace(HOURLY, overlap=Overlap.QUEUE)
    assert said(judged(spec)) == [("ran", None, 1)]
    assert said(judged(spec, busy=True)) == [("queued", None, 1)]
    assert said(judged(spec, queued=1)) == [("queued", None, 1)]


def test_a_queue_has_an_end() -> None:
    spec = replace(HOURLY, overlap=Overlap.QUEUE)
    assert said(judged(spec, busy=True, queued=100)) == [("skipped", "queue full", 1)]


def test_run_all_with_a_queue_runs_one_after_another() -> None:
    spec = replace(HOURLY, overlap=Overlap.QUEUE, misfire=Misfire.ALL)
    assert said(judged(spec, 2.5)) == [("ran", "late", 1), *[("queued", None, 1)] * 2]


def test_overlap_replace_keeps_the_newest() -> None:
    spec = replace(HOURLY, overlap=Overlap.REPLACE, misfire=Misfire.ALL)
    assert said(judged(spec, 2.5)) == [("skipped", "replaced", 2), ("ran", "late", 1)]
    assert said(judged(spec, busy=True)) == [("queued", None, 1)]


def test_one_pass_is_bounded_and_the_next_goes_on() -> None:
    rules = Rules(at_once=10)
    first = judged(HOURLY, 100.5, rules=rules)
    assert said(first) == [("missed", "down", 10)]
    assert first.more(NOON + timedelta(hours=100.5))
    assert first.next_due == NOON + timedelta(hours=10)


def test_the_last_instant_is_followed_by_nothing() -> None:
    judgement = judged(replace(HOURLY, end=NOON + MINUTE))
    assert judgement.entries[0].following is None
    assert judgement.next_due is None
    assert not judgement.more(NOON + timedelta(days=1))


def test_entries_with_a_run_of_their_own_are_never_joined() -> None:
    one, other = (
        Entry(
            first=NOON + n * MINUTE,
            last=NOON + n * MINUTE,
            count=1,
            fate=Fate.RAN,
            why=None,
            following=NOON + (n + 1) * MINUTE,
        )
        for n in (0, 1)
    )
    assert joined(one, other) is None
    skipped = [replace(entry, fate=Fate.SKIPPED, why=Why.PAUSED) for entry in (one, other)]
    both = joined(*skipped)
    assert both is not None
    assert (both.first, both.last, both.count) == (NOON, NOON + MINUTE, 2)


@pytest.mark.parametrize("change", [{"version": 2}, {"why": "down"}, {"first": NOON + 5 * MINUTE}])
def test_only_what_follows_with_the_same_fate_and_version_is_joined(
    change: dict[str, object],
) -> None:
    one = judged(HOURLY, paused=True).entries[0]
    follows: dict[str, object] = {"first": one.following, "last": one.following}
    other = replace(one, **follows | change)  # type: ignore[arg-type]
    assert joined(one, other) is None


# -- the chain ---------------------------------------------------------------------


def test_a_chain_with_a_change_in_it_is_unbroken() -> None:
    made = mark(NOON - MINUTE, None, NOON, "created", 1)
    ran = judged(HOURLY).entries[0]
    half_past = NOON + 30 * MINUTE
    changed = mark(NOON + MINUTE, ran, half_past, "edited", 2)
    again = judge(Every(hours=1, anchor=half_past), half_past, Situation(now=half_past, version=2))
    book = [made, ran, changed, *again.entries]
    assert list(breaks(book, again.next_due)) == []


def test_a_missing_entry_breaks_the_chain() -> None:
    book = judged(HOURLY, 3.5).entries
    assert list(breaks(book[1:], book[-1].following)) == []
    spec = replace(HOURLY, overlap=Overlap.ALLOW, misfire=Misfire.ALL)
    book = judged(spec, 3.5).entries
    found = list(breaks([book[0], *book[2:]], book[-1].following))
    assert len(found) == 1
    assert "expects 2026-05-01T13:00:00Z" in found[0]


def test_a_schedule_that_is_due_at_another_instant_breaks_the_chain() -> None:
    book = judged(HOURLY).entries
    assert "the schedule is due at nothing more" in next(breaks(book, None))


def test_a_count_that_does_not_fit_is_found() -> None:
    entry = replace(judged(HOURLY).entries[0], count=2)
    assert "counts 2" in next(breaks([entry], entry.following))


def test_marks_of_one_instant_keep_their_order() -> None:
    first = mark(NOON, None, NOON + MINUTE, "created", 1)
    second = mark(NOON, first, None, "deactivated", 1)
    third = mark(NOON, second, NOON + MINUTE, "activated", 1)
    assert first.first < second.first < third.first
    assert list(breaks([first, second, third], NOON + MINUTE)) == []
