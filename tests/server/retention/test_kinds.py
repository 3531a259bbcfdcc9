"""What goes, what stays, and who decides."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update
from tests.server.access.test_scopes import group
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.ids import new_id
from stepwell.schedules.base import iso
from stepwell.server.app import Server
from stepwell.server.blobs.service import Kind as Blobs
from stepwell.server.blobs.service import enter
from stepwell.server.database import tables
from stepwell.server.kept import KINDS
from stepwell.server.logs import service as logs
from stepwell.server.logs.records import Piece
from stepwell.server.retention import service
from stepwell.server.runs import kept as runs_kept
from stepwell.server.schedules.audits import service as audits
from stepwell.server.schedules.audits.records import Audit
from stepwell.workflows.lines import Line, joined, packed

LONG_AGO = timedelta(days=1000)


def swept(server: Server, name: str) -> int:
    """Preview, then sweep: both must say the same."""
    kind = service.kind(name)
    (told,) = service.prospects(server.services, [name])
    assert service.sweep(server.services, kind, seconds=30).count == told.count
    return told.count


def count(server: Server, table: object) -> int:
    with server.db.read() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def aged(server: Server) -> None:
    """All runs ended long ago."""
    old = clock.now() - LONG_AGO
    with server.db.write() as conn:
        conn.execute(update(tables.runs).values(created_at=old, finished_at=old))


@on_both
def test_an_old_run_goes_with_its_attempts_once_no_report_needs_it(server: Server) -> None:
    ids = group(server, "mine")
    aged(server)
    attempt = {"run_id": UUID(ids["run"]), "number": 1, "queued_at": clock.now()}
    with server.db.write() as conn:
        conn.execute(insert(tables.attempts).values(**attempt))
        label = {"run_id": UUID(ids["run"]), "key": "team", "value": "data"}
        conn.execute(insert(tables.run_labels).values(**label))
    assert swept(server, "runs") == 0
    with server.db.write() as conn:
        conn.execute(tables.reports.delete())
    assert swept(server, "runs") == 1
    assert count(server, tables.runs) == count(server, tables.attempts) == 0


@on_both
def test_the_log_and_the_blobs_of_an_old_run_go_with_it(server: Server) -> None:
    ids = [UUID(group(server, name)["run"]) for name in ("mine", "other")]
    aged(server)
    blobs = [new_id() for _ in ids]
    with server.db.write() as conn:
        conn.execute(tables.reports.delete())
        conn.execute(update(tables.runs).where(tables.runs.c.id == ids[1]).values(keep_reason="x"))
        for run_id, blob_id in zip(ids, blobs, strict=True):
            enter(conn, blob_id, Blobs.RESULT, 5, run_id)
    for run_id in ids:
        piece = Piece(segment=0, first_line=0, closed=False)
        logs.take(server.services, run_id, 1, piece, packed(joined([Line(1, "stdout", 0, "a")])))
    assert swept(server, "runs") == 1
    with server.db.read() as conn:
        assert list(conn.execute(select(tables.log_segments.c.run_id)).scalars()) == ids[1:]
        kept = select(tables.blobs.c.id).where(tables.blobs.c.dropped_at.is_(None))
        assert list(conn.execute(kept).scalars()) == blobs[1:]


@on_both
@pytest.mark.parametrize("values", [{"state": "running"}, {"finished_at": None}])
def test_a_run_that_has_not_ended_stays(server: Server, values: dict[str, object]) -> None:
    group(server, "mine")
    aged(server)
    with server.db.write() as conn:
        conn.execute(tables.reports.delete())
        conn.execute(update(tables.runs).values(**values))
    assert swept(server, "runs") == 0


@on_both
def test_a_marked_run_stays_until_the_mark_is_taken_off(server: Server, api: Api) -> None:
    ids = group(server, "mine")
    aged(server)
    with server.db.write() as conn:
        conn.execute(tables.reports.delete())
    client, path = api("operator"), f"runs/{ids['run']}/keeps"
    assert client.post(path, json={"reason": "the auditors"}).json()["reason"] == "the auditors"
    assert swept(server, "runs") == 0
    client.delete(path)
    assert swept(server, "runs") == 1
    problem(client.post(path, json={"reason": "x"}), 404, "run-not-found")


def test_every_table_that_names_runs_has_a_decision() -> None:
    """Its rows go with the run (PARTS), or by a kind of their own before it can go."""
    assert {table.name for table in runs_kept.others()} <= {"reports"}, (
        "Add the table to PARTS of runs/kept.py, or give it a kind and name it here."
    )


def line(schedule: str, due: datetime, fate: str, following: datetime | None) -> dict[str, object]:
    return {
        "id": new_id(), "schedule_id": UUID(schedule), "first_due": due, "last_due": due,
        "count": 0 if fate == "changed" else 1, "fate": fate, "why": None, "run_id": None,
        "next_due": following, "schedule_version": 1, "entered_at": due,
    }  # fmt: skip


def book(server: Server, schedule: str, hours: int) -> datetime:
    """A ledger of so many hours that began long ago, and then of three days ago until now."""
    hour, begin = timedelta(hours=1), clock.now() - LONG_AGO
    old = [begin + hour * number for number in range(1, hours + 1)]
    new = [clock.now() - timedelta(days=3) + hour * number for number in range(72)]
    dues = [*old, *new]
    lines = [line(schedule, begin, "changed", dues[0])]
    for due, following in zip(dues, [*dues[1:], new[-1] + hour], strict=True):
        fate = "ran" if len(lines) % 2 else "missed"
        lines.append(line(schedule, due, fate, following))
    with server.db.write() as conn:
        conn.execute(insert(tables.ledger), lines)
        conn.execute(update(tables.schedules).values(next_due=new[-1] + hour))
    return begin


@on_both
def test_old_lines_of_the_ledger_become_one_that_counts_them_and_the_chain_holds(
    server: Server,
) -> None:
    schedule = group(server, "mine")["schedule"]
    begin = book(server, schedule, 100)
    with server.db.read() as conn:
        assert audits.audited(conn, server.services, UUID(schedule), None, None).unbroken
    assert swept(server, "ledger") == 100
    with server.db.read() as conn:
        audit = audits.audited(conn, server.services, UUID(schedule), None, None)
        query = select(tables.ledger.c.why).order_by(tables.ledger.c.first_due).limit(1)
        why = conn.execute(query).scalar_one()
    assert (audit.unbroken, audit.breaks, audit.accounted) == (True, [], 172)
    assert why == f"summary of what was before: 50 missed, 50 ran; since {iso(begin)}"
    assert swept(server, "ledger") == 0


def audited(server: Server, schedule: str, begin: datetime | None = None) -> Audit:
    with server.db.read() as conn:
        return audits.audited(conn, server.services, UUID(schedule), begin, None)


def folded(server: Server, limit: int = 1000) -> int:
    """Fold the lines of long ago."""
    old = clock.now() - timedelta(days=365)
    return service.kind("ledger").sweep(server.services, old, limit)


@on_both
def test_due_is_accounted_over_folded_lines_too(server: Server) -> None:
    schedule = group(server, "mine")["schedule"]
    begin = book(server, schedule, 100)
    before = audited(server, schedule)
    assert folded(server, 30) == 30
    half = audited(server, schedule)
    assert folded(server) == 70
    after = audited(server, schedule, begin)
    assert [one.by_fate for one in (half, after)] == [before.by_fate] * 2
    assert {one.accounted for one in (before, half, after)} == {172}
    assert [one.folded for one in (before, half, after)] == [0, 30, 100]
    assert after.unbroken
    with server.db.read() as conn:
        everything = audits.audited_all(conn, server.services, None, None)
    assert everything.accounted == 172


@on_both
def test_a_span_that_begins_within_what_was_folded_says_so(server: Server) -> None:
    schedule = group(server, "mine")["schedule"]
    begin = book(server, schedule, 100)
    folded(server)
    audit = audited(server, schedule, begin + timedelta(hours=50))
    assert (audit.folded, audit.accounted) == (0, 72)
    assert "were folded into one" in audit.advice[0]
    later = audited(server, schedule, clock.now() - timedelta(days=10))
    assert not any("folded" in one for one in later.advice)


@on_both
def test_a_book_with_a_gap_is_not_folded(server: Server) -> None:
    """Else the audit could not find it any more."""
    schedule = group(server, "mine")["schedule"]
    book(server, schedule, 100)
    with server.db.write() as conn:
        lost = select(tables.ledger.c.id).order_by(tables.ledger.c.first_due).offset(40).limit(1)
        conn.execute(tables.ledger.delete().where(tables.ledger.c.id == lost.scalar_subquery()))
    assert folded(server) == 0
    audit = audited(server, schedule)
    assert (audit.proven, len(audit.breaks)) == (False, 1)


def test_a_summary_of_an_earlier_version_counts(server: Server) -> None:
    schedule = group(server, "mine")["schedule"]
    book(server, schedule, 100)
    folded(server)
    with server.db.write() as conn:
        mine = tables.ledger.c.why.is_not(None)
        why = "summary of what was before: 50 missed, 50 ran"
        conn.execute(update(tables.ledger).where(mine).values(why=why))
    assert (audited(server, schedule).folded, audited(server, schedule).accounted) == (100, 172)


@on_both
def test_folding_goes_on_where_it_ended_and_counts_all(server: Server) -> None:
    schedule = group(server, "mine")["schedule"]
    book(server, schedule, 50)
    kind, old = service.kind("ledger"), clock.now() - timedelta(days=365)
    assert [kind.sweep(server.services, old, 20) for _ in range(4)] == [20, 20, 10, 0]
    with server.db.read() as conn:
        audit = audits.audited(conn, server.services, UUID(schedule), None, None)
        query = select(tables.ledger.c.why).order_by(tables.ledger.c.first_due).limit(1)
        assert (
            conn.execute(query)
            .scalar_one()
            .startswith("summary of what was before: 25 missed, 25 ran; since ")
        )
    assert audit.unbroken


def test_a_line_whose_run_still_waits_stays(server: Server) -> None:
    schedule = group(server, "mine")["schedule"]
    book(server, schedule, 10)
    with server.db.write() as conn:
        first = select(func.min(tables.ledger.c.first_due)).where(tables.ledger.c.count == 1)
        mine = tables.ledger.c.first_due == first.scalar_subquery()
        conn.execute(update(tables.ledger).where(mine).values(fate="queued"))
    kind, old = service.kind("ledger"), clock.now() - timedelta(days=365)
    assert kind.sweep(server.services, old, 100) == 0


@on_both
def test_earlier_versions_of_state_go_and_the_newest_stays(server: Server) -> None:
    group(server, "mine")
    old = clock.now() - LONG_AGO
    of = {"group_name": "mine", "scope": "group", "key": "k", "deleted": False}
    rows = [{**of, "version": n, "written_by": "x", "written_at": old} for n in (1, 2, 3)]
    with server.db.write() as conn:
        conn.execute(insert(tables.state_entries), rows)
    assert swept(server, "state-history") == 2
    with server.db.read() as conn:
        assert list(conn.execute(select(tables.state_entries.c.version)).scalars()) == [3]


@on_both
def test_the_output_of_an_old_discovery_goes_and_the_discovery_stays(server: Server) -> None:
    group(server, "mine")
    with server.db.write() as conn:
        values = {"output": "much", "finished_at": clock.now() - LONG_AGO}
        conn.execute(update(tables.discoveries).values(**values))
    assert swept(server, "discovery-output") == 1
    assert count(server, tables.discoveries) == 1


def folder(path: Path, age: timedelta, file: str | None = None) -> Path:
    path.mkdir(parents=True)
    at = (clock.now() - age).timestamp()
    if file is not None:
        (path / file).write_text("{}")
        os.utime(path / file, (at, at))
    os.utime(path, (at, at))
    return path


def test_copies_go_that_neither_release_nor_run_nor_discovery_needs(server: Server) -> None:
    group(server, "mine")
    images = server.settings.data_dir / "images"
    old = folder(images / "sha256-old", LONG_AGO)
    young = folder(images / "sha256-young", timedelta(days=1))
    released = folder(images / "sha256-released", LONG_AGO)
    run = folder(images / "sha256-run", LONG_AGO)
    with server.db.write() as conn:
        release, found = (
            conn.execute(select(table.c.id)).scalar_one()
            for table in (tables.releases, tables.discoveries)
        )
        conn.execute(update(tables.groups).values(release_id=release))
        conn.execute(update(tables.releases).values(created_at=clock.now() - LONG_AGO))
        conn.execute(update(tables.runs).values(digest="sha256:run", state="running"))
        of = {"release_id": release, "workflow": "load", "discovery_id": found, "entry": {}}
        conn.execute(insert(tables.release_workflows).values(digest="sha256:released", **of))
    assert swept(server, "images") == 1
    assert not old.exists()
    assert young.exists()
    assert released.exists()
    assert run.exists()


def test_folders_of_ended_launches_go_and_those_of_running_ones_stay(server: Server) -> None:
    jobs = server.settings.data_dir / "jobs"
    ended = folder(jobs / "run-1", LONG_AGO, "exit.json")
    running = folder(jobs / "run-2", LONG_AGO, "process.json")
    young = folder(jobs / "run-3", timedelta(days=1), "exit.json")
    assert swept(server, "jobs") == 1
    assert [one.exists() for one in (ended, running, young)] == [False, True, True]


# -- policies ----------------------------------------------------------------------


@on_both
def test_a_policy_is_decided_with_a_reason_and_can_be_taken_back(server: Server, api: Api) -> None:
    client = api("admin")
    changed = client.patch("retention/runs", json={"days": 30, "reason": "the disk is small"})
    assert (changed.json()["days"], changed.json()["default_days"]) == (30, 365)
    listed = {one["kind"]: one for one in client.get("retention").json()["items"]}
    assert listed.keys() == {one.name for one in KINDS}
    assert listed["runs"]["reason"] == "the disk is small"
    (entry,) = client.get("audit?action=retention.change").json()["items"]
    assert (entry["before"], entry["after"]) == ({"days": 365}, {"days": 30})
    assert client.delete("retention/runs").json()["days"] == 365


def test_for_ever_is_a_policy(server: Server, api: Api) -> None:
    api("admin").patch("retention/jobs", json={"days": None, "reason": "the auditors"})
    folder(server.settings.data_dir / "jobs" / "run-1", LONG_AGO, "exit.json")
    assert swept(server, "jobs") == 0


def test_a_policy_holds_for_the_steps_of_runs_too(server: Server, api: Api) -> None:
    from stepwell.server.retention.steps import policy

    api("admin").patch("retention/steps-done", json={"days": 7, "reason": "many"})
    kept = policy(server.services).standard
    assert (kept.done, kept.failed) == (timedelta(days=7), timedelta(days=180))


def test_the_audit_log_is_not_kept_for_less_than_a_month(api: Api) -> None:
    answer = api("admin").patch("retention/audit", json={"days": 7, "reason": "x"})
    problem(answer, 422, "policy-too-short")


def test_a_policy_without_reason_is_refused(api: Api) -> None:
    problem(api("admin").patch("retention/runs", json={"days": 7}), 422, "invalid-input")


@pytest.mark.parametrize("role", ["viewer", "operator", "reviewer"])
def test_only_admins_decide(api: Api, role: str) -> None:
    client = api(role)
    assert client.get("retention").status_code == 200
    body = {"days": 7, "reason": "x"}
    problem(client.patch("retention/runs", json=body), 403, "role-missing")


def test_a_preview_says_what_would_go_and_removes_nothing(server: Server, api: Api) -> None:
    folder(server.settings.data_dir / "jobs" / "run-1", LONG_AGO, "exit.json")
    answer = api("operator").get("retention/preview?kind=jobs").json()["items"]
    assert [(one["kind"], one["count"], one["more"]) for one in answer] == [("jobs", 1, False)]
    assert len(api("operator").get("retention/preview").json()["items"]) == len(KINDS)
    problem(api("operator").get("retention/preview?days=0"), 422, "invalid-input")
    assert (server.settings.data_dir / "jobs" / "run-1").exists()
    problem(api("operator").get("retention/preview?kind=nothing"), 404, "kind-unknown")
