# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of DRS: what they are called in which state, and how lists and details show them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from local_cloud.services.drs_options import DrsOptions
from local_cloud.tasks import Clock, ScenarioError, Status, Task, TaskList

if TYPE_CHECKING:
    from local_cloud.world import World

DOMAIN = "OTC-EU-DE-000000000010000"
DB_USE_TYPES = ("migration", "sync", "cloudDataGuard")
TASK_TYPES = ("FULL_TRANS", "FULL_INCR_TRANS", "INCR_TRANS")
PAUSED = ("PAUSING", "PAUSEING", "PAUSED")
# Every state in Open Telekom Cloud's and Huawei Cloud's tables.
STATES = (
    *("CREATING", "CREATE_FAILED", "CONFIGURATION", "STARTJOBING", "WAITING_FOR_START", "START_JOB_FAILED"),
    *("FULL_TRANSFER_STARTED", "FULL_TRANSFER_FAILED", "FULL_TRANSFER_COMPLETE"),
    *("INCRE_TRANSFER_STARTED", "INCRE_TRANSFER_FAILED", "PAUSING"),
    *("RELEASE_RESOURCE_STARTED", "RELEASE_RESOURCE_FAILED", "RELEASE_RESOURCE_COMPLETE"),
    *("CHANGE_JOB_STARTED", "CHANGE_JOB_FAILED"),
    *("CHILD_TRANSFER_STARTING", "CHILD_TRANSFER_STARTED", "CHILD_TRANSFER_COMPLETE", "CHILD_TRANSFER_FAILED"),
    *("RELEASE_CHILD_TRANSFER_STARTED", "RELEASE_CHILD_TRANSFER_COMPLETE"),
    *("DELETED", "REBUILD_NODE_STARTED", "REBUILD_NODE_FAILED"),
    *("NODE_UPGRADE_START", "NODE_UPGRADE_COMPLETE", "NODE_UPGRADE_FAILED"),
)
_ENDED = ("FULL_TRANSFER_COMPLETE", "RELEASE_RESOURCE_COMPLETE", "RELEASE_CHILD_TRANSFER_COMPLETE", "DELETED")
_FAILED = {"full": "FULL_TRANSFER_FAILED", "incremental": "INCRE_TRANSFER_FAILED"}
_STARTED = {"full": "FULL_TRANSFER_STARTED", "incremental": "INCRE_TRANSFER_STARTED"}

# What `add_tasks` takes besides what every task has, with the defaults.
_DETAILS: Mapping[str, Any] = {
    "name": "DRS-{n}",
    "description": "",
    "task_type": "FULL_INCR_TRANS",
    "phase": None,  # full or incremental: where it fails or runs; by default full, unless there is no full phase
    "engine_type": "mysql",
    "net_type": "eip",
    "job_direction": "up",
    "multi_write": False,  # dual-active disaster recovery: its parent cannot be retried, its children can
    "parent_id": None,
    "master_job_id": None,
    "busy_for": 0,  # so many retries of this job meet another operation in progress
    "re_edit": False,  # whether a retry may carry is_sync_re_edit: true
    "deleted": False,  # known, but gone: in no list, and DRS.M05004 for everything
    "job_action": None,  # what a list shows as available_actions, whatever the dialect
}
_CODE = "DRS.M01501"  # assumed: no page shows the error_code of a failed job
_MESSAGE = "Communications link failure"


class JobList(TaskList):
    """The jobs of one kind (`db_use_type`) in one project."""

    def __init__(self, scope: Sequence[str], clock: Clock, lock: threading.RLock) -> None:
        super().__init__(scope, clock, lock)
        self._children: dict[str, list[str]] = {}

    def add_tasks(self, **arguments: Any) -> list[str]:
        """As `TaskList.add_tasks`; in addition:

        `status` may be any word of DRS (`START_JOB_FAILED`, also one that does not exist) and is shown until the job
        changes; the keys of `_DETAILS`; `children`: groups of jobs that belong to each of these. Returns the ids of
        the jobs, not those of the children (`children_of`).
        """
        children: Iterable[Mapping[str, Any]] = arguments.pop("children", None) or ()
        details = {key: arguments.pop(key, default) for key, default in _DETAILS.items()}
        details.update(arguments.pop("details", None) or {})
        _translate(arguments, details)
        made = super().add_tasks(**arguments)
        for number, one in enumerate(made):
            task = self.task(one)
            task.details.update(details, name=str(details["name"]).replace("{n}", str(number)))
            task.details.update({f"{secret}_{end}": _canary() for secret in _SECRETS for end in _ENDS})
            if details["parent_id"] is not None:
                self._children.setdefault(details["parent_id"], []).append(one)
            for group in children:
                self.add_tasks(**{"multi_write": details["multi_write"], **group, "parent_id": one})
        return made

    def task(self, job_id: str) -> Task:
        """The job of that id; raises KeyError without one."""
        found = self.get(job_id)
        if found is None:
            raise KeyError(job_id)
        return found

    def children_of(self, job_id: str) -> list[str]:
        return [one for one in self._children.get(job_id, ()) if self.get(one) is not None]

    def canaries(self) -> list[str]:
        """Every secret in the details of these jobs."""
        return [task.details[f"{secret}_{end}"] for task in self for secret in _SECRETS for end in _ENDS]

    def _id(self, names: Any, number: int) -> str:
        made = super()._id(names, number)
        if names:
            return made
        # Like a UUID, but for its end, as in 140b5236-88ad-43c8-811c-1268453jb101.
        digits = int(made[20:30], 16)
        return f"{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{digits % 10**7:07}jb{digits // 10**7 % 1000:03}"


_SECRETS = ("db_password", "ssl_cert_key", "ssl_cert_password")
_ENDS = ("source", "target")


def _canary() -> str:
    return f"canary-{secrets.token_hex(8)}"


def _translate(arguments: dict[str, Any], details: dict[str, Any]) -> None:
    """Turns a word of DRS into the state that a task lives in, and fills in what depends on it."""
    if details["task_type"] not in TASK_TYPES:
        raise ScenarioError(f"task_type is one of {TASK_TYPES}")
    word = str(arguments.get("status", "fail"))
    for phase, failed in _FAILED.items():
        if word == failed:
            arguments["status"], details["phase"] = "fail", phase
    if str(arguments.get("status", "fail")) not in {one.value for one in Status}:
        arguments["status"] = _status_of(word).value
        details["status"] = word
    details["phase"] = details["phase"] or ("incremental" if details["task_type"] == "INCR_TRANS" else "full")
    if details["phase"] not in _FAILED:
        raise ScenarioError(f"phase is one of {tuple(_FAILED)}")
    details["begun_as"] = arguments.get("status", "fail")
    if details["begun_as"] == "fail":
        arguments.setdefault("code", _CODE)
        arguments.setdefault("message", _MESSAGE)


def _status_of(word: str) -> Status:
    if word.endswith("_FAILED"):
        return Status.FAIL
    if word in PAUSED:
        return Status.STOPPED
    return Status.SUCCESS if word in _ENDED else Status.RUNNING


@dataclass
class Project:
    """A project of IAM; DRS keeps its jobs by kind."""

    id: str
    name: str
    domain: str
    region: str
    world: World
    lists: dict[str, JobList] = field(default_factory=dict)

    def jobs(self, db_use_type: str = "migration") -> JobList:
        if db_use_type not in DB_USE_TYPES:
            raise ScenarioError(f"db_use_type is one of {DB_USE_TYPES}")
        if db_use_type not in self.lists:
            self.lists[db_use_type] = JobList((self.id, db_use_type), self.world.clock, self.world.lock)
        return self.lists[db_use_type]

    def add_jobs(self, db_use_type: str = "migration", **arguments: Any) -> list[str]:
        return self.jobs(db_use_type).add_tasks(**arguments)

    def find(self, job_id: str) -> tuple[JobList, Task] | None:
        for jobs in self.lists.values():
            task = None if jobs.vanished else jobs.get(job_id)
            if task is not None:
                return jobs, task
        return None


def read(task: Task, now: float) -> None:
    """Counts one read of a job, before it is shown."""
    task.on_read(now)
    restarted = task.status is Status.RUNNING and task.retries > 0
    task.details["reads_running"] = task.details.get("reads_running", 0) + 1 if restarted else 0
    if task.status is Status.SUCCESS and task.details["task_type"] != "FULL_TRANS":
        task.details["phase"] = "incremental"


def word(task: Task, options: DrsOptions) -> str:
    """The state of a job, in DRS's word."""
    details = task.details
    if "status" in details and task.status.value == details["begun_as"]:
        return str(details["status"])
    if task.status is Status.FAIL:
        return _FAILED[details["phase"]]
    if task.status is Status.STOPPED:
        return options.paused_word
    if task.status is Status.RUNNING:
        starting = task.retries > 0 and details.get("reads_running", 0) <= 1
        return "STARTJOBING" if starting else _STARTED[details["phase"]]
    # A job with an incremental phase never ends by itself: going on is its health.
    return "FULL_TRANSFER_COMPLETE" if details["task_type"] == "FULL_TRANS" else "INCRE_TRANSFER_STARTED"


def same_state(one: str, other: str) -> bool:
    return one == other or (one in PAUSED and other in PAUSED)


def is_parent(task: Task) -> bool:
    """Whether it is the parent of a dual-active pair."""
    return bool(task.details["multi_write"]) and task.details["parent_id"] is None


# -- how jobs are shown ---------------------------------------------------------------------------------------------


def list_fields(task: Task, jobs: JobList, options: DrsOptions) -> dict[str, Any]:
    """A job as POST /jobs shows it, with its children."""
    details = task.details
    shown: dict[str, Any] = {
        "id": task.id,
        "name": details["name"],
        "status": word(task, options),
        "description": details["description"],
        # The zone is stated nowhere: UTC is assumed.
        "create_time": datetime.fromtimestamp(task.created, timezone.utc).strftime("%Y-%m-%d %H:%M:%S"),
        "engine_type": details["engine_type"],
        "net_type": details["net_type"],
        "billing_tag": False,
        "job_direction": details["job_direction"],
        "db_use_type": jobs.name,
        "task_type": details["task_type"],
        "node_newFramework": False,
    }
    if task.status is Status.FAIL:
        shown["error_msg"] = task.message
    if options.dialect == "hw" or details["job_action"] is not None:
        shown["job_action"] = job_action(task)
    children = [list_fields(jobs.task(one), jobs, options) for one in jobs.children_of(task.id)]
    if children:
        shown["children"] = children
    return shown


def job_action(task: Task) -> dict[str, Any]:
    """What Huawei Cloud says can be done with a job. Which actions go with which state is assumed, but for RETRY."""
    every = ("START", "PAUSE", "RETRY", "RESET", "STOP", "DELETE")
    available = {
        Status.FAIL: ("RETRY", "RESET", "STOP"),
        Status.STOPPED: ("RETRY", "STOP"),
        Status.RUNNING: ("PAUSE", "STOP"),
        Status.SUCCESS: ("STOP",),
    }[task.status]
    if is_parent(task):
        available = ("STOP",)
    if task.details["job_action"] is not None:
        available = tuple(task.details["job_action"])
    return {
        "available_actions": list(available),
        "unavailable_actions": [one for one in every if one not in available],
        "current_action": "",
    }


def status_fields(task: Task, options: DrsOptions) -> dict[str, Any]:
    """A job as batch-status shows it: `error_message`, not `error_msg`."""
    shown = {"id": task.id, "status": word(task, options)}
    if task.status is Status.FAIL:
        shown |= {"error_code": task.code, "error_message": task.message}
    return shown


def detail_fields(task: Task, project: Project, jobs: JobList, options: DrsOptions) -> dict[str, Any]:
    """A job as batch-detail shows it, passwords and keys of its databases included."""
    details = task.details
    shown: dict[str, Any] = {
        **status_fields(task, options),
        "parent_id": details["parent_id"],
        "name": details["name"],
        "description": details["description"],
        "create_time": _milliseconds(task.created),
        "actual_start_time": _milliseconds(task.created + 60),
        "full_transfer_complete_time": _milliseconds(task.created + 120) if details["phase"] == "incremental" else "",
        "update_time": _milliseconds(task.finished or task.created + 60),
        "task_type": details["task_type"],
        "db_use_type": jobs.name,
        "job_direction": details["job_direction"],
        "net_type": details["net_type"],
        "failed_reason": task.message,
        "master_job_id": details["master_job_id"],
        "multi_write": bool(details["multi_write"]),
        "is_multi_az": False,
        "node_num": "1",
        "node_role": None,
        "inst_info": {
            "engine_type": details["engine_type"],
            "inst_type": "high",
            "ip": "192.168.0.10",
            "public_ip": "",
            "start_time": "0",
            "status": "active",
            "volume_size": 100,
        },
        "speed_limit": [],
        "source_endpoint": _endpoint(task, project, "source"),
        "target_endpoint": _endpoint(task, project, "target"),
    }
    children = [status_fields(jobs.task(one), options) for one in jobs.children_of(task.id)]
    if children:
        shown["children"] = children
    return shown


def _endpoint(task: Task, project: Project, end: str) -> dict[str, Any]:
    return {
        "db_type": task.details["engine_type"],
        "region": project.region,
        "project_id": project.id,
        "ip": "192.168.0.20",
        "db_port": 3306,
        "db_user": "root",
        "ssl_link": False,
        "ssl_cert_name": "ca.pem",
        **{secret: task.details[f"{secret}_{end}"] for secret in _SECRETS},
    }


def progress_fields(task: Task, options: DrsOptions) -> dict[str, Any]:
    full_done = task.details["phase"] == "incremental"
    shown: dict[str, Any] = {
        "job_id": task.id,
        "progress": "100" if full_done else "42",
        "incre_trans_delay": "0",
        "task_mode": task.details["task_type"],
        "transfer_status": word(task, options),
        "process_time": _milliseconds(task.created + 60),
        "remaining_time": "0",
        "progress_map": {"data": {"completed": "100%" if full_done else "42%", "remaining_time": None}},
    }
    if task.status is Status.FAIL:
        shown |= {"error_code": task.code, "error_msg": task.message}
    return shown


def _milliseconds(moment: int) -> str:
    return str(moment * 1000)
