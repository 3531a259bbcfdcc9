"""What holds for any schedule, policy and downtime: each instant once, in one chain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.schedules import Cron, Every, Misfire, Overlap, Schedule
from stepwell.schedules.calendars import never
from stepwell.schedules.ledger import Entry, Fate, Rules, Situation, breaks, joined, judge

BEGIN = datetime(2026, 3, 28, 20, tzinfo=UTC)

ASKED = {BEGIN + timedelta(minutes=n): "on request of ada" for n in range(0, 600, 10)}


def odd_hours(at: datetime) -> str | None:
    """A calendar of another kind, so that little is due in between."""
    return "odd" if at.hour % 2 else None


options = {
    "overlap": st.sampled_from(Overlap),
    "misfire": st.sampled_from(Misfire),
    "end": st.none() | st.just(BEGIN + timedelta(hours=9, minutes=1)),
    "jitter": st.sampled_from((0, 30, 3000)),
}
specs: st.SearchStrategy[Schedule] = st.one_of(
    st.builds(Every, seconds=st.sampled_from((45, 600, 3600, 5000)), **options),
    st.builds(
        Cron,
        st.sampled_from(("*/10 * * * *", "30 * * * *", "30 2 * * *", "0,20 1-3 * * *")),
        st.just("Europe/Oslo"),
        **options,
    ),
)


@st.composite
def ticks(draw: st.DrawFn) -> list[Situation]:
    """When somebody ticked, and what held then: mostly soon, sometimes after hours."""
    now, made = BEGIN, []
    for _ in range(draw(st.integers(1, 12))):
        now += timedelta(seconds=draw(st.integers(1, 120) | st.integers(1, 20_000)))
        made.append(
            Situation(
                now=now,
                paused=draw(st.booleans()),
                busy=draw(st.booleans()),
                paused_until=draw(st.none() | st.just(BEGIN + timedelta(hours=6))),
                queued=draw(st.integers(0, 2)),
                skips=draw(st.just({}) | st.just(ASKED)),
                excluded=draw(st.sampled_from((never, odd_hours))),
            )
        )
    return made


rules = st.builds(
    Rules,
    grace=st.just(timedelta(seconds=60)),
    cap=st.integers(1, 8),
    at_once=st.sampled_from((1, 3, 10_000)),
)


def book(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> tuple[list[Entry], datetime | None]:
    """The whole ledger after these ticks, each in as many passes as it takes."""
    due = spec.next_after(BEGIN)
    entries: list[Entry] = []
    for situation in situations:
        while due is not None and due <= situation.now:
            judgement = judge(spec, due, situation, limits)
            assert judgement.entries, "a pass that gets nowhere"
            entries += judgement.entries
            due = judgement.next_due
    return entries, due


def covered(spec: Schedule, entry: Entry) -> Iterator[datetime]:
    return spec.between(entry.first, entry.last + timedelta(microseconds=1))


@settings(max_examples=200, deadline=None)
@given(specs, ticks(), rules)
def test_every_due_instant_is_in_exactly_one_entry(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> None:
    entries, due = book(spec, situations, limits)
    last = situations[-1].now
    expected = list(takewhile(lambda at: at <= last, spec.fires(BEGIN)))
    assert [at for entry in entries for at in covered(spec, entry)] == expected
    assert sum(entry.count for entry in entries) == len(expected)
    assert due == spec.next_after(last)


@settings(max_examples=200, deadline=None)
@given(specs, ticks(), rules)
def test_the_chain_is_unbroken(spec: Schedule, situations: list[Situation], limits: Rules) -> None:
    entries, due = book(spec, situations, limits)
    assert list(breaks(entries, due)) == []


@settings(max_examples=100, deadline=None)
@given(specs, ticks(), rules)
def test_joining_what_can_be_joined_keeps_the_chain_and_the_sum(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> None:
    entries, due = book(spec, situations, limits)
    short: list[Entry] = []
    for entry in entries:
        both = joined(short[-1], entry) if short else None
        short[-1:] = [both] if both else [*short[-1:], entry]
    assert sum(entry.count for entry in short) == sum(entry.count for entry in entries)
    assert list(breaks(short, due)) == []


@settings(max_examples=200, deadline=None)
@given(specs, ticks(), rules)
def test_what_is_late_runs_only_as_far_as_the_misfire_policy_takes_it_back(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> None:
    due = spec.next_after(BEGIN)
    allowed = {Misfire.SKIP: 0, Misfire.LATEST: 1, Misfire.ALL: limits.cap}[spec.misfire]
    for situation in situations:
        late = 0
        while due is not None and due <= situation.now:
            judgement = judge(spec, due, situation, limits)
            late += sum(
                situation.now - entry.first > limits.grace
                for entry in judgement.entries
                if entry.fate in (Fate.RAN, Fate.QUEUED)
            )
            due = judgement.next_due
        assert late <= allowed


@settings(max_examples=100, deadline=None)
@given(specs, ticks(), rules)
def test_while_paused_nothing_runs_or_waits(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> None:
    due = spec.next_after(BEGIN)
    for situation in situations:
        while due is not None and due <= situation.now:
            judgement = judge(spec, due, situation, limits)
            if situation.paused and situation.paused_until is None:
                assert {entry.fate for entry in judgement.entries} == {Fate.SKIPPED}
            due = judgement.next_due


@settings(max_examples=200, deadline=None)
@given(specs, ticks(), rules)
def test_an_instant_that_nobody_wants_is_skipped_whenever_it_is_looked_at(
    spec: Schedule, situations: list[Situation], limits: Rules
) -> None:
    due = spec.next_after(BEGIN)
    for situation in situations:
        while due is not None and due <= situation.now:
            judgement = judge(spec, due, situation, limits)
            for entry in judgement.entries:
                for at in covered(spec, entry):
                    until = situation.paused_until
                    paused = situation.paused and (until is None or at < until)
                    unwanted = paused or at in situation.skips or situation.excluded(at)
                    assert (entry.why in ("paused", "calendar", "on request of ada")) == bool(
                        unwanted
                    )
            due = judgement.next_due
