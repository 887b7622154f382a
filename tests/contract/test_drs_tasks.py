# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a DRS job between retry and health, and worlds that change while somebody looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contract.wire_drs import PASSWORD, PROJECT, furnish, listing, login, post, retry, status
from local_cloud.services.drs_jobs import JobList, Project
from local_cloud.testing import LocalCloud

SCENARIO = Path(__file__).parent.parent / "local_cloud" / "scenarios" / "drs_small.yml"


@pytest.fixture
def project(cloud: LocalCloud) -> Project:
    return furnish(cloud)


@pytest.fixture
def jobs(project: Project) -> JobList:
    return project.jobs()


def states(cloud: LocalCloud, job: str, reads: int) -> list[str]:
    """What so many reads show of a job."""
    return [status(cloud, job).json["results"][0]["status"] for _ignored in range(reads)]


@pytest.mark.parametrize(
    ("task_type", "phase", "expected"),
    [
        ("FULL_TRANS", "full", ["STARTJOBING", "FULL_TRANSFER_STARTED", "FULL_TRANSFER_COMPLETE"]),
        ("FULL_INCR_TRANS", "full", ["STARTJOBING", "FULL_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"]),
        ("FULL_INCR_TRANS", "incremental", ["STARTJOBING", "INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"]),
        ("INCR_TRANS", None, ["STARTJOBING", "INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_STARTED"]),
    ],
)
def test_retried_job_starts_runs_and_is_healthy(
    cloud: LocalCloud, jobs: JobList, task_type: str, phase: str | None, expected: list[str]
) -> None:
    (job,) = jobs.add_tasks(task_type=task_type, phase=phase, runs_for={"reads": 2})
    retry(cloud, job)
    assert states(cloud, job, 3) == expected


def test_accepted_retry_may_not_show_at_once(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(queued_reads=2)
    retry(cloud, job)
    assert states(cloud, job, 4) == [
        "FULL_TRANSFER_FAILED",
        "FULL_TRANSFER_FAILED",
        "STARTJOBING",
        "INCRE_TRANSFER_STARTED",
    ]


def test_sending_an_accepted_job_again_is_refused_and_noted(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(queued_reads=1)
    outcomes = [retry(cloud, job).outcomes[job] for _ignored in range(2)]
    assert outcomes == ["success", "DRS.M01504"]
    states(cloud, job, 2)
    assert retry(cloud, job).outcomes == {job: "DRS.M00304"}
    assert [one.kind for one in cloud.violations] == ["already_accepted", "not_failed"]
    assert cloud.executed()[job] == 1


def test_job_can_fail_again_and_recover_later(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(then=["fail", "success"], then_code="DRS.KE0002", then_message="wrong password")
    retry(cloud, job)
    assert states(cloud, job, 1) == ["STARTJOBING"]
    assert status(cloud, job).json["results"][0] == {
        "id": job,
        "status": "FULL_TRANSFER_FAILED",
        "error_code": "DRS.KE0002",
        "error_message": "wrong password",
    }
    retry(cloud, job)
    assert states(cloud, job, 2) == ["STARTJOBING", "INCRE_TRANSFER_STARTED"]


def test_job_that_reached_its_incremental_phase_fails_in_it(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(runs_for={"reads": 0})
    jobs.add_event(after="BatchStatus", count=1, do="fail", tasks=[job], code="DRS.M01501", message="Read timed out")
    retry(cloud, job)
    assert states(cloud, job, 2) == ["INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED"]


def test_job_runs_for_as_many_seconds_as_planned(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(runs_for={"seconds": "5m"})
    retry(cloud, job)
    assert states(cloud, job, 2) == ["STARTJOBING", "FULL_TRANSFER_STARTED"]
    cloud.clock.advance(300)
    assert states(cloud, job, 1) == ["INCRE_TRANSFER_STARTED"]


def test_paused_job_is_resumed(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(status="stopped", phase="incremental")
    assert states(cloud, job, 1) == ["PAUSING"]
    retry(cloud, job)
    assert states(cloud, job, 2) == ["STARTJOBING", "INCRE_TRANSFER_STARTED"]


def test_accepted_retry_may_come_to_nothing(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(then="ignored")
    assert retry(cloud, job).outcomes == {job: "success"}
    assert states(cloud, job, 3) == ["FULL_TRANSFER_FAILED"] * 3
    assert cloud.executed()[job] == 0


def test_job_heals_by_itself(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks(heals_after_reads=2)
    assert states(cloud, job, 3) == ["FULL_TRANSFER_FAILED", "FULL_TRANSFER_FAILED", "INCRE_TRANSFER_STARTED"]
    assert retry(cloud, job).outcomes == {job: "DRS.M00304"}


def test_one_call_is_one_read_of_the_jobs_on_its_page(cloud: LocalCloud, jobs: JobList) -> None:
    ids = jobs.add_tasks(count=3, age={"from": "3h", "to": "1h"})[::-1]
    listing(cloud, per_page=2)
    status(cloud, ids[0])
    post(cloud, "jobs/batch-detail", {"jobs": ids, "page_req": {"per_page": 1}})
    post(cloud, "jobs/batch-progress", {"jobs": ids[1:]})
    listing(cloud, status="INCRE_TRANSFER_FAILED")
    assert [jobs.task(one).reads for one in ids] == [3, 2, 1]


def test_list_is_a_read_of_the_children_too(cloud: LocalCloud, jobs: JobList) -> None:
    (parent,) = jobs.add_tasks(children=[{}])
    listing(cloud)
    assert [jobs.task(one).reads for one in (parent, *jobs.children_of(parent))] == [1, 1]


def test_job_that_changes_by_being_read_is_not_shown_in_its_old_state(cloud: LocalCloud, jobs: JobList) -> None:
    jobs.add_tasks(heals_after_reads=0)
    (failed,) = jobs.add_tasks()
    reply = listing(cloud, status="FULL_TRANSFER_FAILED")
    assert ([one["id"] for one in reply.json["jobs"]], reply.json["total_record"]) == ([failed], 1)


def test_events_happen_in_mid_paging(cloud: LocalCloud, jobs: JobList) -> None:
    jobs.add_tasks(count=4)
    jobs.add_event(after="ListJobs", count=1, do="add_tasks", age="1m", name="came while you were paging")
    pages = [listing(cloud, cur_page=number, per_page=2).json for number in (1, 2, 3)]
    assert [page["total_record"] for page in pages] == [4, 5, 5]
    assert [len(page["jobs"]) for page in pages] == [2, 2, 1]


def test_jobs_can_vanish(cloud: LocalCloud, jobs: JobList) -> None:
    (job,) = jobs.add_tasks()
    jobs.add_event(after="ListJobs", count=1, do="vanish")
    assert listing(cloud).json["total_record"] == 1
    assert listing(cloud).json["total_record"] == 0
    assert retry(cloud, job).outcomes == {job: "DRS.M05003"}


def test_ids_are_the_same_in_every_run_and_no_uuids() -> None:
    made = []
    for _ignored in range(2):
        with LocalCloud() as cloud:
            made.append(furnish(cloud).add_jobs(count=50))
    assert made[0] == made[1]
    assert len(set(made[0])) == 50
    assert all(len(one) == 36 and one[-5:-3] == "jb" for one in made[0])


def test_control_listing_names_every_job(cloud: LocalCloud, project: Project) -> None:
    (job,) = project.add_jobs("sync")
    (shown,) = cloud.world.drs.tasks()
    assert (shown["service"], shown["project"], shown["db_use_type"]) == ("drs", PROJECT, "sync")
    assert (shown["id"], shown["retries"], shown["status"]) == (job, 0, "FULL_TRANSFER_FAILED")


@pytest.fixture
def example(cloud: LocalCloud) -> dict[str, Any]:
    """The example of a scenario, loaded: all jobs by id."""
    cloud.load(SCENARIO)
    return {one["id"]: one for one in cloud.world.drs.tasks()}


def test_example_of_a_scenario_can_be_built(cloud: LocalCloud, example: dict[str, Any]) -> None:
    assert len(example) == 1 + 12 + 1 + 1 + 1 + 3
    first, child = "140b5236-88ad-43c8-811c-1268453jb101", "9a470239-2308-4bb5-a6bc-1040402fjb21"
    assert (example[first]["status"], example[child]["status"]) == ("INCRE_TRANSFER_FAILED", "FULL_TRANSFER_FAILED")
    parent = example[child]["parent_id"]
    assert example[parent]["status"] == "INCRE_TRANSFER_STARTED"
    token = login(cloud, PASSWORD).headers["X-Subject-Token"]
    reply = retry(cloud, first, child, parent, token=token)
    assert reply.outcomes == {first: "success", child: "success", parent: "DRS.M00307"}


def test_example_of_a_scenario_has_every_option(cloud: LocalCloud, example: dict[str, Any]) -> None:
    shown = SCENARIO.read_text()
    assert [name for name in vars(cloud.world.drs.options) if f"  {name}:" not in shown] == []
