# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""A run's claim on its place: no other run on this machine retries there, and the next one knows what was sent."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.redrive.tasks.plugins.module_utils._journal import (
    look_until_shown,
    not_run_line,
    read_notes,
    seconds_left,
    sent_line,
)
from ansible_collections.redrive.tasks.plugins.module_utils._lock import Lock, NoLockError, lock_path
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Opened, Run
from ansible_collections.redrive.tasks.plugins.module_utils._service import Diary, Service
from ansible_collections.redrive.tasks.plugins.module_utils._task import Task, TaskKey

# For so long a service may still be about to carry out a call that it has received (assumed), seconds.
_LONGEST_UNDER_WAY = 10.0


class Claim(Diary):
    """Taken before the first read, and given back when the last retry has settled. In check mode it only looks."""

    def __init__(self, run: Run, stale_seconds: float) -> None:
        """`stale_seconds` as in `ServiceFacts`."""
        self._run = run
        self._stale_seconds = stale_seconds
        self._lock: Lock | None = None
        self._sending = threading.local()
        self._accepted_until = 0.0
        self._full = False

    def take(self, opened: Opened) -> None:
        """Wait until no other run retries there.

        :raises BusyError: another run still does
        """
        run = self._run
        try:
            lock = Lock(
                lock_path(opened.place, Path(tempfile.gettempdir())),
                run.module,
                clock=run.clock,
                shared=run.check_mode,
            )
            lock.take(run.params["lock_timeout"], self._interruption)
        except (NoLockError, OSError) as exc:  # OSError: there is not even a temporary directory
            run.warn(
                "Nothing keeps another run from retrying the same tasks at the same time, because there is no lock to"
                f" be had: {exc}. Set TMPDIR to a folder that can be written."
            )
            return
        self._lock = lock
        run.before_change = self._note_sending

    def _interruption(self) -> str:
        brake = self._run.brake
        return brake.reason if brake.interrupted.is_set() else ""

    def release(self) -> None:
        """Give it back, if it is held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            now = self._now()
            lock.release(remove=self._accepted_until <= now and not read_notes(lock.lines(), now))

    def look_until_shown(self, tasks: Sequence[Task], service: Service) -> Mapping[TaskKey, Task | None]:
        """What became of those tasks that a run before this one sent just now and that look as if it had not.

        :param tasks: what is to be retried
        :raises CallError: the service did not show its tasks, or the run is to end
        """
        notes = read_notes(self._lock.lines(), self._now()) if self._lock else {}
        if self._lock and not notes:
            self._lock.clear()
        left = seconds_left(tasks, notes, self._now())
        if not left:
            return {}
        self._run.warn(
            f"{len(left)} tasks were sent for a retry just now by another run, and still look as before. They were"
            f" looked at again for up to {max(left.values()):.0f} s, so that none is retried twice."
        )
        return look_until_shown([task for task in tasks if task.key in left], left, service.read_again, self._run.clock)

    def sending(self, tasks: Sequence[Task]) -> None:
        """The calls of this thread are about these tasks from now on."""
        self._sending.tasks = tasks

    def accepted(self, tasks: Sequence[Task]) -> None:
        """The service has taken them; what it then shows may be old for a while."""
        now = self._now()
        self._accepted_until = now + self._stale_seconds
        self._append(sent_line(tasks, now, self._stale_seconds))

    def not_run(self, tasks: Sequence[Task]) -> None:
        """They were surely not retried."""
        self._append(not_run_line(tasks))

    def _note_sending(self) -> None:
        tasks: Sequence[Task] = getattr(self._sending, "tasks", ())
        if tasks:
            # The call may still be under way when this process has been killed.
            under_way = min(self._run.params["timeout"], _LONGEST_UNDER_WAY)
            self._append(sent_line(tasks, self._now(), under_way + self._stale_seconds))

    def _append(self, line: bytes) -> None:
        if self._lock is None or self._full:
            return
        try:
            self._lock.append(line)
        except OSError as exc:
            self._full = True
            self._run.warn(f"What is sent cannot be noted for the next run: {exc.strerror or exc}.")

    def _now(self) -> float:
        # Notes are compared between runs, of which one may have found the machine's clock wrong and the other not.
        return self._run.clock.machine_time()
