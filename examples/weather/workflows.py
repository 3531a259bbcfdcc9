"""The group `weather`: its workflows and their operations."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, timedelta

from stepwell.schedules import Every
from stepwell.workflows import Context, WorkflowGroup, operation
from weather import months as figures
from weather import rows
from weather.months import Month
from weather.rows import Day

BEGIN = date(2012, 1, 1)
END = date(2015, 12, 31)

group = WorkflowGroup(
    "weather",
    description="Daily weather of Seattle, loaded, checked, summed up and drawn.",
    tags=["example", "batch"],
)


@dataclass(frozen=True)
class Batch:
    """What one run has loaded: the days from `first` to `last`; no days when all are loaded."""

    first: date
    last: date
    days: list[Day] = field(default_factory=list)


@dataclass(frozen=True)
class Checked:
    """The days that can be right, and why the others cannot."""

    last: date
    good: list[Day]
    faults: dict[str, str]


@group.workflow(
    schedule=Every(seconds=20),
    description="Take the next months, check them, add their figures to the state, and report.",
    tags=["incremental"],
    deadline=300,
)
class LoadWeather:
    months: int = 3

    @operation
    def load_days(self, context: Context, months: int) -> Batch:
        """Read the next months: from the day after the mark that the last run has left."""
        mark = context.state.get("loaded-to")
        first = date.fromisoformat(mark) + timedelta(days=1) if mark else BEGIN
        last = min(_end_of_month(first, months), END)
        context.log.info("loading %s to %s", first, last)
        return Batch(first, last, rows.read(first, last))

    @operation(tags=["validation"])
    def check_days(self, load_days: Batch) -> Checked:
        """Sort out rows that cannot be right; a gap in the days fails the run."""
        faults = {str(one.day): why for one in load_days.days if (why := rows.fault(one))}
        good = [one for one in load_days.days if str(one.day) not in faults]
        expected = (load_days.last - load_days.first).days + 1
        if load_days.days and len(load_days.days) != expected:
            raise ValueError(f"{expected} days were expected, {len(load_days.days)} are there")
        return Checked(load_days.last, good, faults)

    @operation
    def sum_up(self, context: Context, check_days: Checked) -> list[Month]:
        """Sum up by month; figures and high-water mark are kept together, or not at all."""
        added = figures.by_month(check_days.good)
        kept = [Month(**one) for one in context.state.get("months", default=[])]
        known = {one.month: one for one in (*kept, *added)}
        every = [known[key] for key in sorted(known)]
        if added:
            context.state.save("months", every)
            context.state.save("loaded-to", str(check_days.last))
        return every

    @operation(tags=["report"])
    def report(self, context: Context, sum_up: list[Month], check_days: Checked) -> str:
        """Write a table and a chart of all that is loaded so far."""
        context.report.table("months", [asdict(one) for one in sum_up])
        context.report.image("chart", figures.chart(sum_up))
        faults = len(check_days.faults)
        said = f"{len(sum_up)} months are loaded, to {check_days.last}; {faults} faulty rows"
        context.log.info(said)
        return said


@group.workflow(
    description="The extremes of one year; started by hand, with the year as its parameter.",
    tags=["on-demand"],
)
class YearInReview:
    year: int

    @operation
    def load_year(self, year: int) -> list[Day]:
        """Read all days of the year; a year without data fails the run."""
        days = rows.read(date(year, 1, 1), date(year, 12, 31))
        if not days:
            raise ValueError(f"there is no weather of {year}: choose {BEGIN.year} to {END.year}")
        return days

    @operation(tags=["report"])
    def write_up(self, context: Context, year: int, load_year: list[Day]) -> dict[str, Day]:
        """Find the hottest, coldest, wettest and windiest day, and write them up."""
        found = {
            "hottest": max(load_year, key=lambda one: one.highest),
            "coldest": min(load_year, key=lambda one: one.lowest),
            "wettest": max(load_year, key=lambda one: one.rain),
            "windiest": max(load_year, key=lambda one: one.wind),
        }
        lines = [f"# Seattle in {year}", *(_line(name, one) for name, one in found.items())]
        context.report.markdown("review", "\n\n".join(lines))
        return found


def _line(name: str, one: Day) -> str:
    return (
        f"**{name}**: {one.day:%d %B}, {one.lowest} to {one.highest} °C, "
        f"{one.rain} mm of rain, wind {one.wind} m/s ({one.kind})"
    )


def _end_of_month(first: date, months: int) -> date:
    """The last day of the `months`-th month, counted from `first`'s own."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1) - timedelta(days=1)
