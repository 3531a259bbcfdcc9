"""What a new server has, and what it lacks: each tick is looked up, none is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping
from sqlalchemy.engine import make_url

from stepwell.server.database.tables import groups
from stepwell.server.first_run import loading, queries
from stepwell.server.first_run.records import FirstRun, Item, Task
from stepwell.server.reviews import service as reviews
from stepwell.server.services import QUEUE, Services
from stepwell.stores.inspecting import Inspectable
from stepwell.version import VERSION

_FAULTS: Final = 3
_ANY: Final = ("GROUP", "WORKFLOW")


def checklist(conn: Connection, services: Services) -> FirstRun:
    """The list, in its order."""
    items = [
        _engine(services),
        _find(conn),
        _review(conn),
        _run(conn),
        _schedule(conn),
        _own(conn, services),
    ]
    done = all(item.done for item in items)
    demo = loading.state(conn)
    return FirstRun(done=done, items=items, demo=demo, demo_group=loading.GROUP)


def _engine(services: Services) -> Item:
    store = services.db.store
    assert isinstance(store, Inspectable)
    alive = [one for one in store.inspect().engines if not one.queues or QUEUE in one.queues]
    settings = services.settings
    place = make_url(settings.database).render_as_string(hide_password=True)
    facts = {"version": VERSION, "database": place, "data_dir": str(settings.data_dir.resolve())}
    return Item(
        task=Task.ENGINE,
        done=bool(alive),
        seen=f"Stepwell {VERSION} is at work." if alive else "No engine is at work.",
        fix=None if alive else "Start one: stepwell work",
        command="stepwell doctor",
        href="/settings",
        facts=facts,
    )


def _find(conn: Connection) -> Item:
    active = queries.count(conn, groups, queries.ACTIVE)
    released = queries.count(conn, groups, queries.ACTIVE, queries.RELEASED)
    faults = queries.failed_discoveries(conn, _FAULTS) if active and not released else ()
    known, found = queries.sources_known(conn), queries.images_found(conn)
    seen, fix = "No workflow group is known yet.", _fix(faults)
    if active:
        seen = f"{_many(active, 'group')} registered."
    elif found:
        seen = f"{_many(found, 'image')} found, and none registered."
        fix = "Register one of them: Settings, Sources."
    elif known:
        seen = f"{_many(known, 'source')} looked through, and no image found."
        fix = "See what each scan saw: Settings, Sources."
    return Item(
        task=Task.FIND,
        done=active > 0 and not faults,
        seen=_with_faults(seen, faults),
        fix=fix,
        command="stepwell groups register jobs.py",
        href="/review?tab=errors" if faults else "/settings?page=sources",
        facts={"groups": active, "sources": known, "images": found},
    )


def _review(conn: Connection) -> Item:
    released = queries.count(conn, groups, queries.ACTIVE, queries.RELEASED)
    name, place, seen = "NAME", "/review", "Nothing was accepted yet."
    if released:
        seen = f"{_many(released, 'group')} in use."
    elif offers := reviews.waiting(conn):
        name, seen = offers[0].group, f"{offers[0].group} waits for a decision."
        place = f"/review/{name}/{offers[0].discovery_id}?tour=1"
    command = f"stepwell groups review {name}"
    return _item(Task.REVIEW, released > 0, seen, command, place, {"groups": released})


def _run(conn: Connection) -> Item:
    good, newest = queries.any_good_run(conn), queries.newest_run(conn)
    seen = "Nothing has run yet."
    facts: dict[str, Any] = {}
    if newest is not None:
        facts = {"run_id": str(newest["id"]), "state": newest["state"]}
        seen = f"The newest run, of {newest['workflow']!r}, is {newest['state']}."
    example = _example(conn)
    group, workflow = example or _ANY
    command = f"stepwell runs start {group} {workflow} --wait"
    href = f"/workflows/{group}/{workflow}?start=1" if example else "/workflows"
    if newest is not None:
        href = f"/runs/{newest['id']}"
    elif group == loading.GROUP:
        facts = {"group": group, "workflow": workflow}
    return _item(Task.RUN, good, seen, command, href, facts)


def _example(conn: Connection) -> tuple[str, str] | None:
    """A workflow to try things with: the demo's flaky one, else any that is in use."""
    found = queries.in_use(conn)
    demo = (loading.GROUP, loading.FLAKY)
    return demo if demo in found else next(iter(found), None)


def _schedule(conn: Connection) -> Item:
    many = queries.schedules_in_force(conn)
    seen = f"{_many(many, 'schedule')} in force." if many else "Nothing is scheduled."
    example = _example(conn)
    group, workflow = example or _ANY
    command = f'stepwell schedules add {group}/{workflow} mornings --cron "30 7 * * 1-5"'
    chosen = f"&workflow={group}/{workflow}" if example else ""
    href = f"/schedules?add=30 7 * * MON-FRI{chosen}"
    return _item(Task.SCHEDULE, many > 0, seen, command, href, {"schedules": many})


def _own(conn: Connection, services: Services) -> Item:
    people, tokens = queries.people(conn), queries.tokens_in_use(conn)
    facts = {
        "people": people,
        "tokens": tokens,
        "kubernetes": "kubernetes" in services.launchers,
    }
    seen = f"{_many(people, 'account')}, {_many(tokens, 'token')}." if people else "No account yet."
    command = "stepwell users create NAME --role admin"
    return _item(Task.OWN, people > 0, seen, command, "/settings", facts)


def _item(
    task: Task, done: bool, seen: str, command: str, href: str, facts: dict[str, Any]
) -> Item:
    return Item(task=task, done=done, seen=seen, command=command, href=href, facts=facts)


def _with_faults(seen: str, faults: Sequence[RowMapping]) -> str:
    told = [f"{one['group_name']}: {(one['error'] or {}).get('what', '')}" for one in faults]
    return " ".join([seen, *told])


def _fix(faults: Sequence[RowMapping]) -> str | None:
    if not faults:
        return None
    return (faults[0]["error"] or {}).get("fix") or "See `stepwell discoveries list`."


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
