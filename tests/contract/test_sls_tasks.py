# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a task between retry and success, and worlds that change while somebody looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.wire import exchange, listing, retry_of, send, signed
from local_cloud.tasks import Clock, ScenarioError, TaskList
from local_cloud.testing import LocalCloud

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture
def shipper(cloud: LocalCloud) -> TaskList:
    return cloud.world.add_shipper("p", "l", "s")


def statuses(cloud: LocalCloud, reads: int) -> list[str]:
    """What so many listings show of the only task."""
    return [send(cloud, listing()).json["tasks"][0]["taskStatus"] for _ignored in range(reads)]


def test_retried_task_runs_for_as_many_reads_as_planned(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(runs_for={"reads": 2})
    send(cloud, retry_of(*ids))
    assert statuses(cloud, 4) == ["running", "running", "success", "success"]


def test_retried_task_can_be_done_at_the_next_read(cloud: LocalCloud, shipper: TaskList) -> None:
    send(cloud, retry_of(*shipper.add_tasks(runs_for={"reads": 0})))
    assert statuses(cloud, 1) == ["success"]


def test_retried_task_runs_for_as_many_seconds_as_planned(cloud: LocalCloud, shipper: TaskList) -> None:
    send(cloud, retry_of(*shipper.add_tasks(runs_for={"seconds": "5m"})))
    assert statuses(cloud, 2) == ["running", "running"]
    cloud.clock.advance(300)
    assert statuses(cloud, 1) == ["success"]


def test_accepted_retry_may_not_show_at_once(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(queued_reads=2)
    send(cloud, retry_of(*ids))
    assert statuses(cloud, 4) == ["fail", "fail", "running", "success"]


def test_sending_a_queued_task_again_is_noted_and_does_nothing(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(queued_reads=2)
    for _ignored in range(2):
        send(cloud, retry_of(*ids))
    assert [one.kind for one in cloud.violations] == ["already_accepted"]
    assert cloud.executed()[ids[0]] == 1


def test_task_fails_again_with_a_new_reason_and_time(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(then="fail", then_code="InternalError", then_message="again", runs_for={"reads": 1})
    before = send(cloud, listing()).json["tasks"][0]
    send(cloud, retry_of(*ids))
    assert statuses(cloud, 1) == ["running"]
    after = send(cloud, listing()).json["tasks"][0]
    assert (after["taskStatus"], after["taskCode"], after["taskMessage"]) == ("fail", "InternalError", "again")
    assert after["taskFinishTime"] > before["taskFinishTime"]


def test_second_retry_can_end_otherwise_than_the_first(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(then=["fail", "success"], runs_for={"reads": 0})
    send(cloud, retry_of(*ids))
    assert statuses(cloud, 1) == ["fail"]
    send(cloud, retry_of(*ids))
    assert statuses(cloud, 1) == ["success"]
    assert cloud.executed()[ids[0]] == 2
    assert cloud.violations == []


def test_task_can_run_for_ever(cloud: LocalCloud, shipper: TaskList) -> None:
    send(cloud, retry_of(*shipper.add_tasks(then="stay", runs_for={"reads": 1})))
    assert statuses(cloud, 5) == ["running"] * 5


def test_retry_can_come_to_nothing(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(then="ignored")
    assert send(cloud, retry_of(*ids)).status == 200
    assert statuses(cloud, 2) == ["fail", "fail"]
    assert (cloud.retried()[ids[0]], cloud.executed()[ids[0]]) == (1, 0)


def test_task_can_heal_by_itself(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(heals_after_reads=2)
    assert statuses(cloud, 3) == ["fail", "fail", "success"]


def test_following_pages_are_no_reads(cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=3, runs_for={"reads": 1})
    send(cloud, retry_of(*ids))
    pages = [send(cloud, listing(offset=offset, size=1)).json["tasks"][0]["taskStatus"] for offset in (0, 1, 2)]
    assert pages == ["running"] * 3


def test_new_task_shifts_the_pages(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(count=4, age={"from": "4h", "to": "1h"})
    shipper.add_event(after="GetShipperStatus", count=1, do="add_tasks", age="1m")
    first, second = (send(cloud, listing(offset=offset, size=2)).json for offset in (0, 2))
    assert (first["total"], second["total"]) == (4, 5)
    assert first["tasks"][1] == second["tasks"][0]


@pytest.mark.parametrize("action", ["heal", "remove"])
def test_task_leaves_the_failed_ones_in_mid_paging(cloud: LocalCloud, shipper: TaskList, action: str) -> None:
    ids = shipper.add_tasks(count=4, age={"from": "4h", "to": "1h"})
    shipper.add_event(after="GetShipperStatus", count=1, do=action, tasks=[0])
    pages = [send(cloud, listing(status="fail", offset=offset, size=2)).json for offset in (0, 2)]
    assert [page["total"] for page in pages] == [4, 3]
    # The third one has moved to the page that was read already: this client never sees it.
    assert [task["id"] for page in pages for task in page["tasks"]] == [ids[3], ids[2], ids[0]]


def test_success_can_turn_into_failure(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(status="success")
    shipper.add_event(after="GetShipperStatus", do="fail", code="NoSuchBucket", message="Gone.")
    assert statuses(cloud, 2) == ["success", "fail"]


def test_listed_shipper_can_be_gone_when_it_is_read(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_event(after="ListShipper", do="vanish")
    names = signed(path="/logstores/l/shipper")
    assert send(cloud, names).json["shipper"] == ["s"]
    assert send(cloud, listing()).code == "ShipperNotExist"
    assert send(cloud, names).json["shipper"] == []


def test_ids_are_the_same_in_every_run() -> None:
    made = []
    for _ignored in range(2):
        with LocalCloud() as cloud:
            made.append(cloud.world.add_shipper("p", "l", "s").add_tasks(count=3))
            made[-1] += cloud.world.add_shipper("p", "l", "t").add_tasks(count=3)
    assert made[0] == made[1]
    assert len(set(made[0])) == 6
    assert all(len(one) == 32 and one == one.lower() for one in made[0])


def test_scenario_and_builder_make_the_same_world() -> None:
    group: dict[str, Any] = {
        "count": 3,
        "message": "{n}",
        "age": {"from": "3h", "to": "1h"},
        "then": "fail",
        "runs_for": {"reads": 2},
    }
    scenario = {"sls": {"projects": {"p": {"logstores": {"l": {"shippers": {"s": {"tasks": [group]}}}}}}}}
    with LocalCloud(scenario, clock=Clock(1700000000)) as one, LocalCloud(clock=Clock(1700000000)) as other:
        other.world.add_shipper("p", "l", "s").add_tasks(**group)
        tasks = one.world.sls.tasks()
        assert tasks == other.world.sls.tasks()
        assert [task["taskMessage"] for task in tasks] == ["2", "1", "0"]


def test_annotated_example_loads(cloud: LocalCloud) -> None:
    cloud.load(Path(__file__).parent.parent / "local_cloud" / "scenarios" / "sls_small.yml")
    assert exchange(cloud, "GET", "/_cloud/tasks", [("Host", "127.0.0.1")]).json


@pytest.mark.parametrize(
    "scenario",
    [
        {"aws": {}},
        {"accounts": [{"access_key_id": "x"}]},
        {"sls": {"dialect": "seed002"}},
        {"sls": {"totals": "all"}},
        {"sls": {"total": "none"}},
        {"sls": {"projects": {"p": {"logstores": {"l": {"shippers": {"s": {"tasks": [{"cuont": 1}]}}}}}}}},
        {"sls": {"projects": {"p": {"logstores": {"l": {"shippers": {"s": {"tasks": [{"age": "soon"}]}}}}}}}},
        {"sls": {"projects": {"p": {"logstores": {"l": {"shippers": {"s": {"tasks": [{"runs_for": {"r": 1}}]}}}}}}}},
        {"faults": [{"fault": "meteor"}]},
        {"faults": [{"fault": "reset", "efect": "after"}]},
        {"rate_limits": [{"speed": 1}]},
    ],
    ids=str,
)
def test_misspelt_scenario_is_refused(cloud: LocalCloud, scenario: dict[str, object]) -> None:
    with pytest.raises(ScenarioError):
        cloud.load(scenario)
