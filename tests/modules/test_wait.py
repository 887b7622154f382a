# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for what was retried, and telling a new failure from the old one."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER, Fault
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.sls import ALL, FAST, LOGSTORE, RETRY, WHERE

READ = "GetShipperStatus"
BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}
WAIT = {**ALL, **FAST, "wait_timeout": 30}
BRIEF = {**WAIT, "wait_timeout": 1}


def test_healed_tasks_are_recovered_and_waiting_ends_early(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList
) -> None:
    shipper.add_tasks(count=12, runs_for={"reads": 2}, **BUSY)
    ran = ansible(RETRY, WAIT)
    assert not ran.failed
    assert ran.counts("accepted", "recovered", "still_running") == (12, 12, 0)
    assert {task["state_after"] for task in ran["tasks"]} == {"succeeded"}
    assert len(ran.reads) == 1 + 3
    assert "12 recovered" in ran.msg


def test_tasks_that_fail_again_fail_the_module(ansible: Ansible, shipper: TaskList) -> None:
    shipper.add_tasks(count=3, then="fail", **BUSY)
    ran = ansible(RETRY, WAIT)
    assert ran.failed
    assert ran["changed"] is True
    assert ran.counts("failed_again") == (3,)
    assert "3 failed again" in ran.msg
    assert len(ran.changes) == 1


def test_each_task_is_told_apart(module: Direct, shipper: TaskList) -> None:
    (healed,) = shipper.add_tasks(**BUSY)
    (failed,) = shipper.add_tasks(then="fail", then_code="NoSuchBucket", then_message="Gone.", **BUSY)
    (running,) = shipper.add_tasks(then="stay", runs_for={}, **BUSY)
    ran = module(RETRY, {**BRIEF, "fail_on": []})
    after = {name: task["state_after"] for name, task in ran.by_id().items()}
    assert after == {healed: "succeeded", failed: "failed", running: "running"}
    assert ran.counts("recovered", "failed_again", "still_running") == (1, 1, 1)


def test_a_task_that_runs_on_is_timed_out(ansible: Ansible, shipper: TaskList) -> None:
    shipper.add_tasks(then="stay", runs_for={}, **BUSY)
    ran = ansible(RETRY, BRIEF)
    assert ran.failed
    assert "1 not settled when waiting ended" in ran.msg
    assert ran.counts("still_running") == (1,)


def test_a_task_that_is_queued_first_is_waited_for(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, queued_reads=4, runs_for={"reads": 2}, **BUSY)
    ran = module(RETRY, WAIT)
    assert not ran.failed
    assert ran.counts("recovered") == (2,)


def test_a_task_that_is_still_queued_at_the_end_was_not_seen_to_fail_again(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(queued_reads=1000, **BUSY)
    ran = module(RETRY, BRIEF)
    assert ran.failed
    assert ran.counts("failed_again") == (0,)
    assert "not settled when waiting ended" in ran.msg


def test_a_retry_that_the_service_ignores_ends_the_wait_as_failed(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    shipper.add_tasks(queued_reads=100_000, **BUSY)
    ran = module(RETRY, {**WAIT, "wait_timeout": 60, "wait_interval": 0.5})
    assert ran.failed
    assert ran.by_id()[ran.ids[0]]["state_after"] == "failed"
    assert len(ran.reads) < 60


def test_waiting_for_no_time_looks_at_nothing(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(**BUSY)
    ran = module(RETRY, {**WAIT, "wait_timeout": 0})
    assert ran.failed
    assert "1 not settled" in ran.msg
    assert len(ran.arrived) == 2


def test_nothing_retried_is_nothing_to_wait_for(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(code="InvalidOssBucket")
    assert len(module(RETRY, WAIT).arrived) == 1


def test_without_wait_nothing_is_read_after_the_retry(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(**BUSY)
    ran = module(RETRY, ALL)
    assert len(ran.arrived) == 2
    assert "state_after" not in ran["tasks"][0]


def test_tasks_far_apart_in_time_and_place_are_all_followed(module: Direct, cloud: LocalCloud) -> None:
    for name in ("one", "two"):
        cloud.world.add_shipper("shop", "access", name).add_tasks(
            count=3, age={"from": "47h", "to": "1s"}, runs_for={"reads": 1}, **BUSY
        )
    ran = module(RETRY, {**LOGSTORE, **FAST, "all_failed": True, "until": "0s", "wait_timeout": 30})
    assert ran.counts("accepted", "recovered") == (6, 6)


@pytest.mark.parametrize(
    "fault",
    [
        faults.error(READ, skip=1, times=4),
        faults.reset(READ, skip=1, times=3),
        faults.html(READ, skip=2, times=3),
        faults.throttle(READ, skip=1, times=3),
        faults.broken_json(READ, skip=1, times=3),
    ],
    ids=lambda fault: str(fault.kind),
)
def test_an_outage_while_waiting_is_waited_out(
    module: Direct, cloud: LocalCloud, shipper: TaskList, fault: Fault
) -> None:
    shipper.add_tasks(count=2, runs_for={"reads": 2}, **BUSY)
    cloud.faults.add(fault)
    ran = module(RETRY, {**WAIT, "max_attempts": 2})
    assert not ran.failed
    assert ran.counts("recovered") == (2,)


def test_an_outage_that_outlasts_the_wait_loses_nothing(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, **BUSY)
    cloud.faults.add(faults.html(READ, skip=1, times=FOREVER))
    ran = module(RETRY, {**BRIEF, "max_attempts": 1})
    assert ran.failed
    assert ran["changed"] is True
    assert ran.counts("accepted") == (2,)
    assert "not settled when waiting ended" in ran.msg


def test_an_outage_that_outlasts_the_wait_is_told(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(**BUSY)
    cloud.faults.add(faults.html(READ, skip=1, times=FOREVER))
    ran = module(RETRY, {**BRIEF, "max_attempts": 1})
    assert "502" in ran.warnings


def test_a_denial_while_waiting_ends_it_with_a_warning(ansible: Ansible, cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, **BUSY)
    cloud.faults.add(faults.error(READ, status=401, code="Unauthorized", skip=1, times=FOREVER))
    ran = ansible(RETRY, WAIT)
    assert ran.failed
    assert ran.counts("accepted") == (2,)
    assert "Waiting ended with 2 tasks that could not be looked at" in ran.warnings
    assert len(ran.arrived) == 3


def test_a_shipper_that_is_deleted_while_waiting_does_not_hide_the_others(module: Direct, cloud: LocalCloud) -> None:
    doomed = cloud.world.add_shipper("shop", "access", "doomed")
    doomed.add_tasks(age="9h", **BUSY)
    doomed.add_event(after=READ, count=2, do="vanish")
    (other,) = cloud.world.add_shipper("shop", "access", "other").add_tasks(runs_for={"reads": 3}, **BUSY)
    ran = module(RETRY, {**LOGSTORE, **FAST, "all_failed": True, "wait_timeout": 10})
    assert ran.by_id()[other]["state_after"] == "succeeded"


def test_a_task_that_disappears_while_waiting_is_not_passed_over(module: Direct, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=2, runs_for={"reads": 3}, **BUSY)
    shipper.add_event(after=READ, count=2, do="remove", tasks=[ids[0]])
    ran = module(RETRY, WAIT)
    assert ran.by_id()[ids[0]]["state_after"] == "missing"
    assert ran.counts("recovered") == (1,)
    assert ran.failed


def test_check_mode_waits_for_nothing(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(then="stay", **BUSY)
    ran = module(RETRY, WAIT, check=True)
    assert not ran.failed
    assert len(ran.arrived) == 1


def test_ids_are_waited_for_alone(module: Direct, shipper: TaskList) -> None:
    (wanted,) = shipper.add_tasks(**BUSY)
    shipper.add_tasks(status="running", then="stay", runs_for={})
    ran = module(RETRY, {**WHERE, **FAST, "task_ids": [wanted], "wait_timeout": 10})
    assert ran.counts("recovered") == (1,)
