"""`stepwell schedules label`: what a schedule's runs are found by."""

from __future__ import annotations

from stepwell.cli.labels import labelled, shown
from stepwell.cli.options import Labels, Reason, Unlabelled
from stepwell.cli.schedules.commands import Which, app, found_id
from stepwell.cli.session import Session, command


@command(app, "label")
def label(
    session: Session,
    schedule: Which,
    labels: Labels = None,
    remove: Unlabelled = None,
    reason: Reason = None,
) -> None:
    """Set the labels that a schedule gives to its runs; those that are not named stay."""
    path = f"/schedules/{found_id(session, schedule)}/labels"
    before = session.api.get(path)["labels"]
    body = {"labels": labelled(before, labels, remove), "reason": reason}
    made = session.api.post(path, body)
    session.out.answer(made, shown(made["labels"]))
