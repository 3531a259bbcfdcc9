"""What is known of Jobs stays right whatever comes first: the answer of a start, or a list."""

from __future__ import annotations

from typing import Any

from stepwell.launchers.kubernetes.book import Book


def book() -> Book:
    return Book(mine=lambda _: True, ended=lambda: None)


def job(version: str, name: str = "j", uid: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": version}, "spec": {}}


def test_a_list_that_is_older_than_a_job_does_not_say_that_it_is_gone() -> None:
    """It was taken before the Job was made, and comes after the answer that made it."""
    known = book()
    known.put_job(job("8"))
    known.keep_jobs([], "7")
    assert not known.seen("j").gone


def test_a_list_that_is_newer_than_a_job_says_that_it_is_gone() -> None:
    known = book()
    known.put_job(job("8"))
    known.put_job(job("8", "other"))
    known.keep_jobs([job("8", "other")], "9")
    assert (known.seen("j").gone, known.seen("other").gone) == (True, False)


def pod(version: str, phase: str = "Running") -> dict[str, Any]:
    about = {"name": "j-x", "uid": "p", "resourceVersion": version}
    return {"metadata": about, "status": {"phase": phase}}


def test_a_pod_that_was_asked_for_is_not_taken_back_by_older_news() -> None:
    """Of its watch, or of a list that was taken before it was made."""
    known = book()
    known.put_pod(pod("9", "Succeeded"))
    known.put_pod(pod("8"))
    known.keep_pods([], "7")
    assert [(one.over, one.gone) for one in known.seen("j").pods] == [(True, False)]


def test_an_answer_that_comes_late_does_not_bring_a_pod_back() -> None:
    known = book()
    known.put_pod(pod("8"))
    known.keep_pods([], "10")
    known.put_pod(pod("9"))
    assert [one.gone for one in known.seen("j").pods] == [True]


def test_late_news_of_a_job_that_is_gone_do_not_bring_it_back() -> None:
    known = book()
    known.put_job(job("8"))
    known.drop_job(job("10"))
    known.put_job(job("9"))
    assert known.seen("j").gone


def test_a_job_that_is_made_anew_is_not_gone() -> None:
    known = book()
    known.put_job(job("8"))
    known.drop_job(job("10"))
    known.put_job(job("12", uid="2"))
    assert not known.seen("j").gone
