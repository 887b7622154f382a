# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode says what a real run does; counts, causes, diff, max_tasks and fail_on."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud import faults
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.sls import ALL, FAST, INFO, LOGSTORE, RETRY, WHERE

PUT = "RetryShipperTask"
BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}


def decisions(ran: Ran) -> list[tuple[str, ...]]:
    return [tuple(str(task[name]) for name in ("id", "state", "action", "created", "scope")) for task in ran["tasks"]]


def targets(ran: Ran) -> list[str]:
    """What was read, without the window, which moves with the clock."""
    return [f"{request.operation} {request.logstore} {request.shipper}" for request in ran.reads]


@pytest.fixture
def everything(cloud: LocalCloud) -> list[str]:
    """Two shippers with tasks of each kind; the ids of one of them."""
    ids = []
    for name in ("one", "two"):
        tasks = cloud.world.add_shipper("shop", "access", name)
        ids = [
            *tasks.add_tasks(count=12, age={"from": "9h", "to": "1h"}, **BUSY),
            *tasks.add_tasks(code="InvalidOssBucket"),
            *tasks.add_tasks(code="Odd", message="never heard of it"),
            *tasks.add_tasks(status="success"),
            *tasks.add_tasks(status="running", then="stay", runs_for={}),
        ]
    return ids


# -- check mode -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("selection", ["all", "ids"])
def test_check_mode_reads_and_decides_as_the_real_run_and_sends_nothing(
    ansible: Ansible, cloud: LocalCloud, everything: list[str], selection: str
) -> None:
    options: dict[str, Any] = {**LOGSTORE, "fail_on": ["refused"]}
    options.update({"all_failed": True} if selection == "all" else {"task_ids": [*everything, "nowhere"]})
    checked = ansible(RETRY, options, check=True)
    assert not cloud.changes()
    real = ansible(RETRY, options)
    assert decisions(checked) == decisions(real)
    assert targets(checked) == targets(real)
    assert checked["changed"] is real["changed"] is True
    assert checked.counts("selected", "retry", "skip", "none", "missing") == real.counts(
        "selected", "retry", "skip", "none", "missing"
    )
    assert checked.outcomes()["planned"] == real.outcomes()["accepted"]
    assert "Would retry" in checked.msg


def test_info_decides_as_the_retry(module: Direct, everything: list[str]) -> None:
    looked = module(INFO, LOGSTORE)
    checked = module(RETRY, {**LOGSTORE, "all_failed": True}, check=True)
    assert decisions(looked) == decisions(checked)
    assert looked["causes"] == checked["causes"]


def test_the_diff_of_check_mode_is_the_real_one(module: Direct, everything: list[str]) -> None:
    options = {**LOGSTORE, "all_failed": True}
    checked = module(RETRY, options, check=True, diff=True)
    real = module(RETRY, options, diff=True)
    assert checked["diff"] == real["diff"]
    assert set(real["diff"]["after"].values()) == {"running"}
    assert len(real["diff"]["before"]) == 26


def test_the_diff_is_shown(ansible: Ansible, shipper: TaskList) -> None:
    (one,) = shipper.add_tasks(**BUSY)
    ran = ansible(RETRY, ALL, check=True, diff=True)
    assert f'-    "{one}": "failed"' in ran.output
    assert f'+    "{one}": "running"' in ran.output


def test_nothing_to_do_has_an_empty_diff(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(code="InvalidOssBucket")
    ran = module(RETRY, ALL, check=True, diff=True)
    assert ran["diff"] == {"before": {}, "after": {}}
    assert ran["changed"] is False


def test_a_second_run_has_nothing_left_to_do(ansible: Ansible, shipper: TaskList) -> None:
    shipper.add_tasks(count=3, **BUSY)
    assert ansible(RETRY, {**ALL, **FAST})["changed"] is True
    again = ansible(RETRY, {**ALL, **FAST})
    assert again["changed"] is False
    assert not again.changes


# -- max_tasks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [False, True])
def test_more_than_max_tasks_is_refused_with_both_numbers(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList, check: bool
) -> None:
    shipper.add_tasks(count=7, **BUSY)
    shipper.add_tasks(count=4, code="InvalidOssBucket")
    ran = ansible(RETRY, {**ALL, "max_tasks": 6, "fail_on": []}, check=check)
    assert ran.failed
    assert ran["changed"] is False
    assert "7 tasks" in ran.msg
    assert "max_tasks allows 6" in ran.msg
    assert ran["causes"][0]["count"] == 7
    assert not cloud.changes()


@pytest.mark.parametrize("limit", [7, 8, "7", ""])
def test_max_tasks_counts_what_would_be_retried_only(module: Direct, shipper: TaskList, limit: Any) -> None:
    shipper.add_tasks(count=7, **BUSY)
    shipper.add_tasks(count=4, code="InvalidOssBucket")
    assert module(RETRY, {**ALL, "max_tasks": limit}).counts("accepted") == (7,)


def test_max_tasks_of_zero_allows_none(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(**BUSY)
    ran = module(RETRY, {**ALL, "max_tasks": 0})
    assert ran.failed
    assert not ran.changes


def test_info_only_warns_of_max_tasks(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, **BUSY)
    ran = module(INFO, {**WHERE, "max_tasks": 1})
    assert not ran.failed
    assert "max_tasks" in ran.warnings


# -- fail_on ----------------------------------------------------------------------------------------------------------

OUTCOMES = ("missing", "refused", "unknown", "not_attempted", "failed_again", "timed_out")


@pytest.fixture
def bad(cloud: LocalCloud, shipper: TaskList) -> dict[str, Any]:
    """One run in which everything happens that can fail the module, but for a lost reply; its options."""
    ids = [
        *shipper.add_tasks(count=10, **BUSY),  # refused
        *shipper.add_tasks(count=9, then="fail", then_code="NoSuchBucket", **BUSY),
        *shipper.add_tasks(then="stay", runs_for={}, **BUSY),
        *shipper.add_tasks(count=10, **BUSY),  # refused for good
        *shipper.add_tasks(count=2, **BUSY),  # not attempted
    ]
    cloud.faults.add(
        faults.error(PUT, status=400, code="ParameterInvalid"),
        faults.error(PUT, status=401, code="Unauthorized", skip=1),
    )
    return {**WHERE, **FAST, "wait_timeout": 1, "task_ids": [*ids, "nowhere"]}


WORDS = {
    "missing": "1 not found",
    "refused": "20 refused",
    "unknown": "10 of unknown outcome",
    "not_attempted": "2 not attempted",
    "failed_again": "9 failed again",
    "timed_out": "1 not settled when",
}


@pytest.mark.parametrize("fail_on", [[], *([one] for one in OUTCOMES), ["timed_out", "missing"]], ids=str)
def test_fail_on_says_what_fails_and_the_result_is_complete(
    module: Direct, bad: dict[str, Any], fail_on: list[str]
) -> None:
    ran = module(RETRY, {**bad, "fail_on": fail_on})
    happened = [name for name in OUTCOMES if name in fail_on and name != "unknown"]
    assert ran.failed is bool(happened)
    assert ran["changed"] is True
    assert ran.outcomes() == {"refused": 20, "accepted": 10, "not_attempted": 2, "none": 1}
    assert ran.counts("failed_again", "still_running", "missing") == (9, 1, 1)
    assert [name for name, text in WORDS.items() if text in ran.msg.partition("as fail_on asks")[2]] == happened


def test_every_outcome_fails_unless_fail_on_says_otherwise(
    ansible: Ansible, cloud: LocalCloud, bad: dict[str, Any], shipper: TaskList
) -> None:
    lost = shipper.add_tasks(count=10, **BUSY)
    cloud.faults.clear()
    cloud.faults.add(
        faults.error(PUT, status=400, code="ParameterInvalid"),
        faults.reset(PUT),
        faults.error(PUT, status=401, code="Unauthorized", skip=1),
    )
    ids = bad["task_ids"]
    ran = ansible(RETRY, {**bad, "task_ids": [*ids[:10], *lost, *ids[10:]]})
    assert ran.failed
    assert ran["changed"] is True
    assert len(ran["tasks"]) == 43
    assert [text for text in WORDS.values() if text not in ran.msg] == []


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_that_did_not_happen_fails_nothing(module: Direct, shipper: TaskList, outcome: str) -> None:
    shipper.add_tasks(**BUSY)
    assert not module(RETRY, {**ALL, **FAST, "fail_on": [outcome]}).failed


@pytest.mark.parametrize(("fail_on", "failed"), [(None, True), (["refused"], False), ([], False), (["missing"], True)])
def test_fail_on_holds_in_check_mode(
    module: Direct, shipper: TaskList, fail_on: list[str] | None, failed: bool
) -> None:
    ids = shipper.add_tasks(**BUSY)
    ran = module(RETRY, {**WHERE, "task_ids": [*ids, "nowhere"], "fail_on": fail_on}, check=True)
    assert ran.failed is failed
    assert ran["changed"] is True
    assert ran.outcomes() == {"planned": 1, "none": 1}


def test_a_failed_check_names_the_missing_under_ansible(ansible: Ansible, shipper: TaskList) -> None:
    ran = ansible(RETRY, {**WHERE, "task_ids": ["nowhere"]}, check=True)
    assert ran.failed
    assert "1 not found" in ran.msg


def test_info_never_fails_for_a_missing_id(module: Direct, shipper: TaskList) -> None:
    ran = module(INFO, {**WHERE, "task_ids": ["nowhere"]})
    assert not ran.failed
    assert ran.counts("missing") == (1,)


# -- causes -----------------------------------------------------------------------------------------------------------


def test_causes_fold_messages_that_differ_in_numbers_and_ids_only(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(count=3, code="Odd", message="request 5F2B{n}A09C failed after {n} s")
    shipper.add_tasks(count=5, code="Odd", message="another text")
    shipper.add_tasks(count=4, **BUSY)
    assert [cause["count"] for cause in module(INFO, WHERE)["causes"]] == [5, 4, 3]


def test_causes_of_the_same_size_come_oldest_first(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, code="B", message="b", age="1h")
    shipper.add_tasks(count=2, code="A", message="a", age="5h")
    assert [cause["code"] for cause in module(INFO, WHERE)["causes"]] == ["A", "B"]


def test_the_result_is_the_same_whatever_order_the_service_lists_in(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(ids=["c", "a", "b"], age="1h", **BUSY)
    assert module(INFO, WHERE).ids == ["a", "b", "c"]
