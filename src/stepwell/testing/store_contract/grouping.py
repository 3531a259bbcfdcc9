"""Failures, grouped by what failed and how."""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

from typing import Any

from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Failures, Store
from stepwell.testing.store_contract.base import ContractBase, ago, ahead


class GroupingContract(ContractBase):
    """What holds of groups of failures."""

    def test_failures_of_one_kind_are_one_group(self, store: Store) -> None:
        first, last = self._failed(store, "timeout"), self._failed(store, "timeout")
        (group,) = self._groups(store)
        assert (group.name, group.fingerprint, group.count) == (first.name, "timeout", 2)
        assert (group.first_at, group.last_at) == (first.ended_at, last.ended_at)
        assert (group.step_id, group.description) == (last.id, last.description)

    def test_the_group_of_the_newest_failure_comes_first(self, store: Store) -> None:
        for fingerprint in ("timeout", "refused", None, "timeout"):
            self._failed(store, fingerprint)
        groups = self._groups(store)
        assert [one.fingerprint for one in groups] == ["timeout", None, "refused"]
        assert [one.count for one in groups] == [2, 1, 1]
        assert self._groups(store, limit=2) == groups[:2]

    def test_each_name_has_groups_of_its_own(self, store: Store) -> None:
        mail, sms = self._failed(store, "timeout", "mail"), self._failed(store, "timeout", "sms")
        assert [one.step_id for one in self._groups(store)] == [sms.id, mail.id]
        assert [one.step_id for one in self._groups(store, name=mail.name)] == [mail.id]

    def test_only_failed_steps_are_failures(self, store: Store) -> None:
        for ended_as in (EndedAs.DONE, EndedAs.CANCELLED, EndedAs.SKIPPED):
            self._failed(store, "timeout", ended_as=ended_as)
        self.added(store, fingerprint="timeout")
        assert self._groups(store) == self._groups(store, status=StepStatus.READY) == []
        assert [one.count for one in self._groups(store, ended_as=EndedAs.CANCELLED)] == [1]

    def test_failures_are_grouped_within_a_range_of_time(self, store: Store) -> None:
        step = self._failed(store, "timeout")
        assert len(self._groups(store, ended_from=ago(60), ended_to=ahead())) == 1
        assert self._groups(store, ended_from=ahead()) == []
        assert self._groups(store, ended_to=step.ended_at) == []

    def _failed(
        self,
        store: Store,
        fingerprint: str | None,
        label: str = "work",
        ended_as: EndedAs = EndedAs.FAILED,
    ) -> Step:
        step = self.added(store, label, fingerprint=fingerprint)
        with store.transaction() as tx:
            assert tx.end(step.id, ended_as, f"the end of {step.id}")
        return self.find(store, step)

    def _groups(self, store: Store, **fields: Any) -> list[Failures]:
        with store.transaction() as tx:
            return tx.failures(StepQuery(**fields))
