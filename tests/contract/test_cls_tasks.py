# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a CLS task between retry and success, and worlds that change while somebody looks."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.wire import exchange
from contract.wire_cls import KEY, REGION, SECRET, SHIPPER, listing, retry_of, send, shippers
from local_cloud import faults
from local_cloud.services.cls_tasks import ShipperTasks
from local_cloud.tasks import Clock
from local_cloud.testing import LocalCloud

EXAMPLE = Path(__file__).parent.parent / "local_cloud" / "scenarios" / "cls_small.yml"
RANGE = ("RangeStart", "RangeEnd")


@pytest.fixture
def shipper(cloud: LocalCloud) -> ShipperTasks:
    cloud.world.add_account(KEY, SECRET, region=REGION)
    return cloud.world.cls.add_shipper(SHIPPER)


def only(cloud: LocalCloud) -> dict[str, Any]:
    """What a listing shows of the only task."""
    (task,) = send(cloud, listing(at=cloud.clock.now())).tasks
    return task


def statuses(cloud: LocalCloud, reads: int) -> list[str]:
    return [only(cloud)["Status"] for _ignored in range(reads)]


def test_retried_task_runs_for_as_many_reads_as_planned(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(runs_for={"reads": 2})
    send(cloud, retry_of(task_id))
    assert statuses(cloud, 4) == ["running", "running", "success", "success"]


def test_retried_task_runs_for_as_many_seconds_as_planned(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(runs_for={"seconds": "5m"})
    send(cloud, retry_of(task_id))
    assert statuses(cloud, 2) == ["running", "running"]
    cloud.clock.advance(300)
    assert statuses(cloud, 1) == ["success"]


def test_accepted_retry_may_not_show_at_once(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(queued_reads=2)
    send(cloud, retry_of(task_id))
    assert statuses(cloud, 4) == ["failed", "failed", "running", "success"]


def test_sending_a_queued_task_again_is_noted_and_does_nothing(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(queued_reads=2)
    codes = [send(cloud, retry_of(task_id)).code for _ignored in range(2)]
    assert codes == [None, "FailedOperation.ShipperTaskNotToRetry"]
    assert [one.kind for one in cloud.violations] == ["already_accepted"]
    assert cloud.executed()[task_id] == 1


def test_second_retry_can_end_otherwise_than_the_first(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(then=["fail", "success"], then_message="again", runs_for={"reads": 0})
    before = only(cloud)
    send(cloud, retry_of(task_id))
    after = only(cloud)
    assert (after["Status"], after["Message"]) == ("failed", "again")
    assert after["EndTime"] > before["EndTime"]
    send(cloud, retry_of(task_id))
    assert statuses(cloud, 1) == ["success"]
    assert cloud.executed()[task_id] == 2
    assert cloud.violations == []


def test_task_can_run_for_ever(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    send(cloud, retry_of(*shipper.add_tasks(then="stay")))
    assert statuses(cloud, 5) == ["running"] * 5


def test_retry_can_come_to_nothing(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(then="ignored")
    assert send(cloud, retry_of(task_id)).code is None
    assert statuses(cloud, 2) == ["failed", "failed"]
    assert (cloud.retried()[task_id], cloud.executed()[task_id]) == (1, 0)


def test_task_can_heal_by_itself(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    shipper.add_tasks(heals_after_reads=2)
    assert statuses(cloud, 3) == ["failed", "failed", "success"]


def test_listing_shippers_is_no_read(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    send(cloud, retry_of(*shipper.add_tasks(runs_for={"reads": 1})))
    send(cloud, shippers())
    assert statuses(cloud, 2) == ["running", "success"]


def test_refused_listing_is_no_read(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    send(cloud, retry_of(*shipper.add_tasks(runs_for={"reads": 1})))
    assert send(cloud, listing(hours=100)).code == "InvalidParameterValue"
    assert statuses(cloud, 2) == ["running", "success"]


def test_retried_task_keeps_its_id_range_and_start(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks()
    before = only(cloud)
    send(cloud, retry_of(task_id))
    kept = ("TaskId", "StartTime", *RANGE)
    assert [[task[name] for name in kept] for task in (only(cloud), only(cloud))] == [[before[n] for n in kept]] * 2


def test_retried_task_can_get_a_new_id(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(new_id_on_retry=True)
    (task_id,) = shipper.add_tasks(then=["fail", "success"], runs_for={"reads": 1})
    before = only(cloud)
    send(cloud, retry_of(task_id))
    running, failed = only(cloud), only(cloud)
    assert str(uuid.UUID(running["TaskId"])) == running["TaskId"] != task_id
    assert [running[name] for name in RANGE] == [before[name] for name in RANGE]
    assert (failed["TaskId"], failed["Status"]) == (running["TaskId"], "failed")
    send(cloud, retry_of(failed["TaskId"]))
    assert only(cloud)["TaskId"] not in (task_id, failed["TaskId"])
    assert cloud.violations == []
    assert set(cloud.executed()) == {task_id, failed["TaskId"]}


def test_id_that_is_no_more_is_not_known(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(new_id_on_retry=True)
    (task_id,) = shipper.add_tasks()
    codes = [send(cloud, retry_of(task_id)).code for _ignored in range(2)]
    assert codes == [None, "ResourceNotFound.ShipperTaskNotExist"]
    assert [one.kind for one in cloud.violations] == ["already_accepted"]


def test_queued_task_keeps_its_id_until_it_runs(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(new_id_on_retry=True)
    (task_id,) = shipper.add_tasks(queued_reads=1)
    send(cloud, retry_of(task_id))
    shown = [only(cloud) for _ignored in range(3)]
    assert [task["Status"] for task in shown] == ["failed", "running", "success"]
    assert [task["TaskId"] == task_id for task in shown] == [True, False, False]


def test_retried_task_can_show_the_start_of_its_new_run(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(new_start_on_retry=True)
    (task_id,) = shipper.add_tasks(age="5h")
    before = only(cloud)
    send(cloud, retry_of(task_id))
    after = only(cloud)
    assert after["TaskId"] == task_id
    assert abs(after["StartTime"] - before["StartTime"] - 5 * 3600 * 1000) < 60_000
    assert [after[name] for name in RANGE] == [before[name] for name in RANGE]


def test_no_two_tasks_have_the_same_range(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    shipper.add_tasks(count=50)
    shipper.add_tasks(count=50, age={"from": "10h", "to": "5m"})
    ranges = {(task["RangeStart"], task["RangeEnd"]) for task in send(cloud, listing()).tasks}
    assert len(ranges) == 100


@pytest.mark.parametrize("action", ["heal", "remove"])
def test_task_leaves_the_failed_ones_between_listing_and_retry(
    cloud: LocalCloud, shipper: ShipperTasks, action: str
) -> None:
    (task_id,) = shipper.add_tasks()
    shipper.add_event(after="DescribeShipperTasks", do=action, tasks=[task_id])
    assert statuses(cloud, 1) == ["failed"]
    expected = {"heal": "FailedOperation.ShipperTaskNotToRetry", "remove": "ResourceNotFound.ShipperTaskNotExist"}
    assert send(cloud, retry_of(task_id)).code == expected[action]


def test_new_task_comes_while_somebody_looks(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    shipper.add_tasks(count=2)
    shipper.add_event(after="DescribeShipperTasks", do="add_tasks", age="1m", message="late")
    assert [len(send(cloud, listing()).tasks) for _ignored in range(2)] == [2, 3]
    assert send(cloud, listing()).tasks[0]["Message"] == "late"


def test_listed_shipper_can_be_gone_when_it_is_read(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    shipper.add_event(after="DescribeShippers", do="vanish")
    assert send(cloud, shippers()).shippers == [SHIPPER]
    assert send(cloud, listing()).code == "ResourceNotFound.ShipperNotExist"
    assert send(cloud, shippers()).shippers == []


def test_ids_look_like_uuids_and_are_the_same_in_every_run() -> None:
    made = []
    for _ignored in range(2):
        with LocalCloud() as cloud:
            made.append(cloud.world.cls.add_shipper("s").add_tasks(count=3))
            made[-1] += cloud.world.cls.add_shipper("t").add_tasks(count=3)
    assert made[0] == made[1]
    assert len(set(made[0])) == 6
    assert all(str(uuid.UUID(one)) == one for one in made[0])


@pytest.mark.parametrize("effect", ["before", "after"])
def test_fault_meets_one_shipper_only(cloud: LocalCloud, shipper: ShipperTasks, effect: str) -> None:
    (task_id,) = shipper.add_tasks(then="stay")
    (other,) = cloud.world.cls.add_shipper("other").add_tasks()
    cloud.faults.add(faults.html("RetryShipperTask", scope=SHIPPER, effect=effect))
    assert send(cloud, retry_of(other, "other")).code is None
    reply = send(cloud, retry_of(task_id))
    assert (reply.status, reply.content_type, reply.body[:6]) == (502, "text/html", b"<html>")
    assert cloud.executed()[task_id] == (effect == "after")


@pytest.mark.parametrize(
    ("shape", "key", "value"),
    [("null", "Tasks", None), ("lone", "Tasks", dict), ("missing", "Tasks", "gone"), ("strings", "", list)],
)
def test_shapes_are_spoilt_inside_the_envelope(
    cloud: LocalCloud, shipper: ShipperTasks, shape: str, key: str, value: Any
) -> None:
    shipper.add_tasks(count=2)
    cloud.faults.add(faults.wrong_shape("DescribeShipperTasks", shape=shape, key=key))
    tasks = send(cloud, listing()).response.get("Tasks", "gone")
    assert isinstance(tasks, value) if isinstance(value, type) else tasks == value


def test_scenario_and_builder_make_the_same_world() -> None:
    group: dict[str, Any] = {"count": 3, "message": "{n}", "age": {"from": "3h", "to": "1h"}, "then": "fail"}
    scenario = {"cls": {"shippers": {SHIPPER: {"region": "ap-tokyo", "tasks": [group]}}}}
    with LocalCloud(scenario, clock=Clock(1700000000)) as one, LocalCloud(clock=Clock(1700000000)) as other:
        other.world.cls.add_shipper(SHIPPER, region="ap-tokyo").add_tasks(**group)
        tasks = one.world.cls.tasks()
        assert tasks == other.world.cls.tasks()
        assert [(task["Message"], task["region"]) for task in tasks] == [(number, "ap-tokyo") for number in "210"]


def test_annotated_example_loads_and_is_answered(cloud: LocalCloud) -> None:
    cloud.load(EXAMPLE)
    assert exchange(cloud, "GET", "/_cloud/tasks", [("Host", "127.0.0.1")]).json
    assert send(cloud, shippers()).response["TotalCount"] == 3
    assert send(cloud, listing()).tasks


def test_annotated_example_has_every_option() -> None:
    described = set(yaml.safe_load(EXAMPLE.read_text())["cls"]) - {"shippers"}
    with LocalCloud() as cloud:
        assert described == set(vars(cloud.world.cls.options))
