# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Living tasks: what a failed task does while it is listed, retried and listed again. Knows no vendor.

A *read* is one listing of the tasks' owner (for SLS: one GetShipperStatus call with offset 0). The following pages of
the same listing are no reads of their own, so that a task never changes because somebody paged. Events, on the other
hand, count every call: they exist to change things in mid-paging.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Union

Duration = Union[int, float, str]
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class ScenarioError(ValueError):
    """The scenario cannot be built as written."""


def seconds(value: Duration) -> float:
    """`90`, `"90s"`, `"5m"`, `"40h"`, `"2d"` as seconds."""
    match = _DURATION.match(str(value))
    if match is None:
        raise ScenarioError(f"not a duration: {value!r} (write 90, 90s, 5m, 40h or 2d)")
    return float(match.group(1)) * _SECONDS[match.group(2)]


class Clock:
    """The service's time. Follows the machine until it is frozen; `advance` works either way."""

    def __init__(self, frozen_at: float | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = 0.0

    def now(self) -> float:
        base = time.time() if self._frozen_at is None else self._frozen_at
        return base + self._offset

    def advance(self, by: float) -> None:
        self._offset += by


class Status(str, Enum):
    FAIL = "fail"
    RUNNING = "running"
    SUCCESS = "success"
    STOPPED = "stopped"  # by a person: cancelled, paused


class Outcome(str, Enum):
    """What becomes of a task after a retry was accepted."""

    SUCCESS = "success"
    FAIL = "fail"
    STAY = "stay"  # runs for ever
    IGNORED = "ignored"  # accepted, and nothing happens at all


@dataclass(frozen=True)
class RunsFor:
    """How long a retried task shows `running`: a number of reads, or of seconds. Neither: for ever."""

    reads: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Script:
    then: tuple[Outcome, ...] = (Outcome.SUCCESS,)  # by retry; the last one repeats
    runs_for: RunsFor = RunsFor(reads=1)
    queued_reads: int = 0
    then_code: str | None = None
    then_message: str | None = None
    heals_after_reads: int | None = None

    def outcome(self, retry: int) -> Outcome:
        return self.then[min(retry, len(self.then)) - 1]


class _Phase(Enum):
    IDLE = "idle"
    QUEUED = "queued"
    RUNNING = "running"


@dataclass
class Task:
    id: str
    status: Status
    code: str
    message: str
    created: int
    last_receive: int
    finished: int
    lines: int
    script: Script
    details: dict[str, Any] = field(default_factory=dict)  # what only its service knows of it
    retries: int = 0  # those that took effect
    reads: int = 0
    _phase: _Phase = _Phase.IDLE
    _left: int = 0
    _started: float = 0.0

    def can_be_retried(self) -> bool:
        return self.status in (Status.FAIL, Status.STOPPED) and self._phase is _Phase.IDLE

    @property
    def queued(self) -> bool:
        """Whether a retry was accepted that has not begun: `status` is still the old one."""
        return self._phase is _Phase.QUEUED

    def retry(self, now: float) -> bool:
        """Accepts a retry of a failed or stopped task; False when the script says that nothing comes of it."""
        if self.script.outcome(self.retries + 1) is Outcome.IGNORED:
            return False
        self.retries += 1
        if self.script.queued_reads:
            self._phase, self._left = _Phase.QUEUED, self.script.queued_reads
        else:
            self.run(now)
        return True

    def run(self, now: float) -> None:
        self.status, self._phase = Status.RUNNING, _Phase.RUNNING
        self.code = self.message = ""
        self.finished = 0
        self._left = self.script.runs_for.reads or 0
        self._started = now

    def on_read(self, now: float) -> None:
        """Counts one listing, before it is rendered."""
        self.reads += 1
        if self._phase is _Phase.QUEUED:
            if self._left:
                self._left -= 1
                return
            self.run(now)
        if self._phase is _Phase.RUNNING and self.script.runs_for.reads is not None:
            if self._left:
                self._left -= 1
            else:
                self._finish(now)
        elif self._phase is _Phase.IDLE and self.status is Status.FAIL:
            heals = self.script.heals_after_reads
            if heals is not None and self.reads > heals:
                self.succeed(now)

    def settle(self, now: float) -> None:
        """Lets time pass for tasks that run by seconds."""
        limit = self.script.runs_for.seconds
        if self._phase is _Phase.RUNNING and limit is not None and now >= self._started + limit:
            self._finish(self._started + limit)

    def succeed(self, at: float) -> None:
        self.status, self._phase = Status.SUCCESS, _Phase.IDLE
        self.code = self.message = ""
        self.finished = int(at)
        self.lines = self.lines or 1000

    def fail(self, at: float, code: str, message: str) -> None:
        self.status, self._phase = Status.FAIL, _Phase.IDLE
        self.code, self.message = code, message
        self.finished = int(at)

    def _finish(self, at: float) -> None:
        outcome = self.script.outcome(max(self.retries, 1))
        if outcome is Outcome.SUCCESS:
            self.succeed(at)
        elif outcome is Outcome.FAIL:
            self.fail(at, self.script.then_code or "", self.script.then_message or "")


class Action(str, Enum):
    ADD_TASKS = "add_tasks"
    HEAL = "heal"
    FAIL = "fail"
    REMOVE = "remove"
    VANISH = "vanish"


@dataclass
class Event:
    """Something that happens right after the `count`-th call of `after` was served (or refused) for this owner."""

    after: str
    count: int
    do: Action
    arguments: dict[str, Any] = field(default_factory=dict)


class TaskList:
    """The tasks of one owner (for SLS: one shipper)."""

    def __init__(self, scope: Sequence[str], clock: Clock, lock: threading.RLock) -> None:
        self.scope = tuple(scope)
        self.vanished = False
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._lock = lock
        self._tasks: dict[str, Task] = {}
        self._events: list[Event] = []
        self._made = 0

    @property
    def name(self) -> str:
        return self.scope[-1]

    def __iter__(self) -> Iterator[Task]:
        with self._lock:
            now = self._clock.now()
            tasks = list(self._tasks.values())
            for task in tasks:
                if task.script.runs_for.seconds is not None:
                    task.settle(now)
        return iter(tasks)

    def get(self, task_id: str) -> Task | None:
        with self._lock:
            task = self._tasks.get(task_id)
            if task is not None:
                task.settle(self._clock.now())
            return task

    def read(self) -> None:
        with self._lock:
            now = self._clock.now()
            for task in self:
                task.on_read(now)

    def newest_first(self) -> list[Task]:
        return sorted(self, key=lambda task: (-task.created, task.id))

    # -- building ---------------------------------------------------------------------------------------------------

    def add_tasks(
        self,
        *,
        count: int = 1,
        status: str = "fail",
        code: str | None = None,
        message: str | None = None,
        age: Duration | Mapping[str, Duration] = "1h",
        then: str | Sequence[str] = "success",
        then_code: str | None = None,
        then_message: str | None = None,
        runs_for: Mapping[str, int | float | str] | None = None,
        queued_reads: int = 0,
        heals_after_reads: int | None = None,
        lines: int | None = None,
        id: str | None = None,  # noqa: A002 - the scenario's key, and the vendor's
        ids: Sequence[str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Adds `count` tasks and returns their ids; `{n}` in code and message is the number within the group.

        `age` is one age, or `{from: oldest, to: youngest}` spread evenly, oldest first. `details` are what only the
        service knows of a task.
        """
        names = list(ids) if ids is not None else [id] * count if id is not None else []
        if id is not None and count != 1:
            raise ScenarioError("id goes with a single task; use ids for more")
        count = len(names) or count
        with self._lock:
            script = _script(then, then_code, then_message, code, message, runs_for, queued_reads, heals_after_reads)
            now = self._clock.now()
            made = []
            for number, created in enumerate(_creation_times(age, count, now)):
                task = _new_task(
                    Status(status), code, message, created, now, lines, script, number, self._id(names, number)
                )
                task.details.update(details or {})
                if task.status is Status.RUNNING and runs_for is not None:
                    task.run(now)
                if task.id in self._tasks:
                    raise ScenarioError(f"task {task.id} exists already in {'/'.join(self.scope)}")
                self._tasks[task.id] = task
                made.append(task.id)
            return made

    def add_event(self, *, after: str, do: str, count: int = 1, **arguments: Any) -> None:
        with self._lock:
            self._events.append(Event(after, count, Action(do), arguments))

    def _id(self, names: Sequence[str | None], number: int) -> str:
        if names:
            return str(names[number])
        self._made += 1
        return hashlib.sha256(f"{'/'.join(self.scope)}#{self._made - 1}".encode()).hexdigest()[:32]

    # -- events -----------------------------------------------------------------------------------------------------

    def called(self, operation: str) -> None:
        """Counts a call and lets what was planned for it happen."""
        with self._lock:
            self.calls[operation] += 1
            for event in self._events:
                if event.after == operation and event.count == self.calls[operation]:
                    self._happen(event)

    def _happen(self, event: Event) -> None:
        if event.do is Action.VANISH:
            self.vanished = True
        elif event.do is Action.ADD_TASKS:
            self.add_tasks(**event.arguments)
        else:
            for task in self._chosen(event.arguments.get("tasks", [0])):
                if event.do is Action.HEAL:
                    task.succeed(self._clock.now())
                elif event.do is Action.FAIL:
                    arguments = event.arguments
                    task.fail(self._clock.now(), arguments.get("code", ""), arguments.get("message", ""))
                else:
                    del self._tasks[task.id]

    def _chosen(self, which: Sequence[int | str]) -> list[Task]:
        """Tasks by id, or by place in the listing (0 is the newest)."""
        listed = self.newest_first()
        return [listed[key] if isinstance(key, int) else self._tasks[key] for key in which]


def _creation_times(age: Duration | Mapping[str, Duration], count: int, now: float) -> list[int]:
    if not isinstance(age, Mapping):
        return [int(now - seconds(age))] * count
    oldest, youngest = seconds(age["from"]), seconds(age["to"])
    step = (oldest - youngest) / (count - 1) if count > 1 else 0.0
    return [int(now - oldest + step * number) for number in range(count)]


def _script(
    then: str | Sequence[str],
    then_code: str | None,
    then_message: str | None,
    code: str | None,
    message: str | None,
    runs_for: Mapping[str, int | float | str] | None,
    queued_reads: int,
    heals_after_reads: int | None,
) -> Script:
    unknown = set(runs_for or {}) - {"reads", "seconds"}
    if unknown:
        raise ScenarioError(f"runs_for knows reads and seconds, not {sorted(unknown)}")
    duration = RunsFor(reads=1)
    if runs_for is not None:
        reads, length = runs_for.get("reads"), runs_for.get("seconds")
        duration = RunsFor(None if reads is None else int(reads), None if length is None else seconds(length))
    return Script(
        then=tuple(Outcome(one) for one in ([then] if isinstance(then, str) else then)),
        runs_for=duration,
        queued_reads=queued_reads,
        then_code=then_code if then_code is not None else code,
        then_message=then_message if then_message is not None else message,
        heals_after_reads=heals_after_reads,
    )


# The two defaults below are OSS's own words for the commonest cause of a failed shipment.
_DEFAULT_CODE = "NoSuchBucket"
_DEFAULT_MESSAGE = "The specified bucket does not exist."


def _new_task(
    status: Status,
    code: str | None,
    message: str | None,
    created: int,
    now: float,
    lines: int | None,
    script: Script,
    number: int,
    task_id: str,
) -> Task:
    failed = status is Status.FAIL
    code = (_DEFAULT_CODE if failed else "") if code is None else code
    message = (_DEFAULT_MESSAGE if failed else "") if message is None else message
    script = Script(
        then=script.then,
        runs_for=script.runs_for,
        queued_reads=script.queued_reads,
        then_code=(code if script.then_code is None else script.then_code).replace("{n}", str(number)),
        then_message=(message if script.then_message is None else script.then_message).replace("{n}", str(number)),
        heals_after_reads=script.heals_after_reads,
    )
    return Task(
        id=task_id,
        status=status,
        code=code.replace("{n}", str(number)),
        message=message.replace("{n}", str(number)),
        created=created,
        last_receive=created - 60,
        # Nothing says what a running task shows here: 0 is assumed.
        finished=0 if status is Status.RUNNING else min(created + 60, int(now)),
        lines=lines if lines is not None else 1000 if status is Status.SUCCESS else 0,
        script=script,
    )
