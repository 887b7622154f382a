# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CLS's shipping tasks: living tasks with ids, log ranges and states as CLS has them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local_cloud.tasks import ScenarioError, Status, Task, TaskList

_STATES: Mapping[Status, str] = {Status.SUCCESS: "success", Status.RUNNING: "running", Status.FAIL: "failed"}
_BATCH = 300_000  # milliseconds of logs in one task


class ShipperTasks(TaskList):
    """The tasks of one shipper.

    `details` of a group may say `refuses_retry: true`: CLS refuses to retry such a task although it shows `failed`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.former_ids: set[str] = set()  # of tasks that got a new one with their retry
        self._completed = 0

    def add_tasks(self, **group: Any) -> list[str]:
        """As `TaskList.add_tasks`, without what CLS does not have: codes, lines, stopped tasks."""
        details = dict(group.get("details") or {})
        strange = set(group) & {"code", "then_code", "lines"} | set(details) - {"refuses_retry"}
        if strange or group.get("status") == Status.STOPPED.value:
            raise ScenarioError(f"tasks of CLS have no {sorted(strange) or 'status stopped'}")
        with self._lock:
            made = super().add_tasks(**group)
            for task_id in made:
                self._complete(self._tasks[task_id])
            return made

    def follow_up(self, now: float, *, new_ids: bool, new_start: bool) -> None:
        """What a run that began since the last look changes: the task's id, or its start (both if so wanted)."""
        for task in self:
            waits = task.status is Status.FAIL and not task.can_be_retried()
            if task.details["runs"] == task.retries or waits:
                continue
            task.details["runs"] = task.retries
            if new_start:
                task.created = int(now)
            if new_ids:
                self._rename(task)

    def _id(self, names: Sequence[str | None], number: int) -> str:
        made = super()._id(names, number)
        return made if names else str(uuid.UUID(made, version=4))

    def _complete(self, task: Task) -> None:
        task.details.setdefault("refuses_retry", False)
        task.details["runs"] = task.retries
        # A batch ends a second before its task begins. The milliseconds tell tasks apart that began together: a
        # range belongs to one task only, unlike anything else that stays the same when its id changes.
        task.details["range_end"] = task.created * 1000 - 1000 - self._completed % 1000
        task.details["range_start"] = task.details["range_end"] - _BATCH
        self._completed += 1

    def _rename(self, task: Task) -> None:
        del self._tasks[task.id]
        self.former_ids.add(task.id)
        text = f"{'/'.join(self.scope)}/{task.id}#{task.retries}"
        task.id = str(uuid.UUID(hashlib.sha256(text.encode()).hexdigest()[:32], version=4))
        self._tasks[task.id] = task


def task_fields(task: Task, shipper_id: str, topic_id: str, *, as_text: bool = False) -> dict[str, object]:
    """ShipperTaskInfo. Times are in milliseconds; `as_text`: as strings of digits, as in a sample of the vendor's."""
    times: dict[str, int] = {
        "RangeStart": task.details["range_start"],
        "RangeEnd": task.details["range_end"],
        "StartTime": task.created * 1000,
        "EndTime": task.finished * 1000,  # assumed: 0 while it runs
    }
    return {
        "TaskId": task.id,
        "ShipperId": shipper_id,
        "TopicId": topic_id,
        **{name: str(value) if as_text else value for name, value in times.items()},
        "Status": _STATES[task.status],
        # "success" is the samples' message of a success; that of a running task is assumed.
        "Message": "success" if task.status is Status.SUCCESS else task.message,
    }
