# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Says on the screen how far a retry module has come, while it works.

The module shows its last step in a file that is named in its environment, and a thread of the action reads that. Only
where both are on the same machine; the result is the same with and without.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._progress import LENGTH, VARIABLE, Sending, Step, Waiting
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say

_MOST_DIGITS = 12
_LONGEST_LABEL = 100
# For so long a thread that cannot say its line is waited for at the end, seconds.
_FAREWELL = 2.0


class Pace(NamedTuple):
    """When lines are said. Seconds.

    :ivar first: a run that is over by then says none
    :ivar changing: at the least between two lines
    :ivar still: the same while every number stays as it is
    :ivar look: between two looks at the file
    """

    first: float = 5.0
    changing: float = 10.0
    still: float = 60.0
    look: float = 1.0


_USUAL = Pace()


@contextmanager
def watched(action: ActionBase, label: str = "", pace: Pace = _USUAL) -> Iterator[None]:
    """Say how far the module has come that the action executes meanwhile. Never raises anything of its own.

    :param label: what the lines begin with
    """
    file, path = _new_file() if _is_watchable(action) else (-1, "")
    if file < 0:
        yield
        return
    done = threading.Event()
    clock = Clock()
    teller = Teller(label, pace, clock.monotonic())
    environment = action._task.environment
    thread = threading.Thread(target=_follow, args=(file, teller, done, clock), daemon=True)
    try:
        _start(thread, file)
        action._task.environment = [*(environment or ()), {VARIABLE: path}]
        yield
    finally:
        action._task.environment = environment
        done.set()
        if thread.is_alive():
            thread.join(_FAREWELL)
        _remove(path)


def run_watched(
    action: ActionBase,
    name: str,
    options: Mapping[str, Any],
    task_vars: dict[str, Any],
    label: str = "",
    pace: Pace = _USUAL,
) -> dict[str, Any]:
    """Run a module, and say how far it has come. As `_execute_module` otherwise.

    :param label: what the lines begin with
    """
    with watched(action, label, pace):
        result: dict[str, Any] = action._execute_module(
            module_name=name, module_args=dict(options), task_vars=task_vars
        )
    return result


class WatchedModule(NormalAction):  # type: ignore[misc]
    """What Ansible does with a module that has no action plugin, and lines on the screen."""

    def _execute_module(self, *args: Any, task_vars: Any = None, **more: Any) -> Any:
        """As Ansible calls it."""
        label = str((task_vars or {}).get("inventory_hostname", ""))
        with watched(self, label):
            return super()._execute_module(*args, task_vars=task_vars, **more)


def _is_watchable(action: ActionBase) -> bool:
    """Whether there is a wait that somebody may see, on this machine."""
    task = action._task
    silent = task.check_mode or task.no_log or task.async_val
    return not silent and getattr(action._connection, "transport", "") == "local"


def _new_file() -> tuple[int, str]:
    """An empty file of this user's that goes with the run, however it ends; (-1, "") when there is none to be had."""
    try:
        return tempfile.mkstemp(prefix="redrive-tasks-", dir=constants.DEFAULT_LOCAL_TMP)
    except OSError:
        return -1, ""


def _remove(path: str) -> None:
    try:
        Path(path).unlink()
    except OSError:
        return  # it goes with the folder


def _start(thread: threading.Thread, file: int) -> None:
    try:
        thread.start()
    except RuntimeError:  # the system has none left
        os.close(file)


def _follow(file: int, teller: Teller, done: threading.Event, clock: Clock) -> None:
    """Say lines until `done`; closes the file."""
    try:
        pace, pause = teller.pace, teller.pace.first
        while not done.wait(pause):
            line = teller.line(read_step(os.pread(file, LENGTH, 0)), clock.monotonic())
            if line:
                say([line])
            pause = pace.look
    except Exception:  # noqa: BLE001 - what cannot be shown must not end the run, nor fill the screen
        return
    finally:
        os.close(file)


def read_step(content: bytes) -> Step | None:
    """What the module shows; None for nothing, and for anything else. Whoever wrote it is not trusted."""
    kind, *numbers = content[:LENGTH].decode("ascii", "replace").split() or [""]
    if not all(one.isdecimal() and len(one) <= _MOST_DIGITS for one in numbers):
        return None
    values = [int(one) for one in numbers]
    if kind == Sending.__name__ and len(values) == len(Sending._fields):
        return Sending(*values)
    if kind == Waiting.__name__ and len(values) == len(Waiting._fields):
        return Waiting(*values)
    return None


class Teller:
    """Decides which line is said when."""

    def __init__(self, label: str, pace: Pace, started: float) -> None:
        """`started` and every `now` are moments of one clock, seconds."""
        line = "".join(one if one.isprintable() else " " for one in label[:_LONGEST_LABEL]).strip()
        self._before = f"{line}: " if line else ""
        self.pace = pace
        self._started = started
        self._step: Step | None = None
        self._seen = started
        self._said: Step | None = None
        self._said_at = -math.inf

    def line(self, step: Step | None, now: float) -> str:
        """What is to be said now; "" for nothing."""
        if step is None:
            return ""
        if step != self._step:
            self._step, self._seen = step, now
        still = _without_time(step) == self._said
        rest = self.pace.still if still else self.pace.changing
        if now < self._started + self.pace.first or now < self._said_at + rest:
            return ""
        self._said, self._said_at = _without_time(step), now
        return self._before + words_of(step, now - self._seen)


def _without_time(step: Step) -> Step:
    return step._replace(seconds_left=0) if isinstance(step, Waiting) else step


def words_of(step: Step, age: float = 0.0) -> str:
    """The step in words, so many seconds after it was shown."""
    if isinstance(step, Waiting):
        said = f"{step.recovered:,} of {step.retried:,} recovered, {_some(step.failed_again)} failed again"
        said += f", {_some(step.running)} running"
        return f"{said}; {_time_left(step.seconds_left - age)}" if step.running else said
    if not step.of:
        return "nothing sent yet"
    return f"{step.sent:,} of {step.of:,} sent, {_some(step.refused)} refused"


def _some(number: int) -> str:
    return f"{number:,}" if number else "none"


def _time_left(seconds: float) -> str:
    """Rounded up, as exactly as somebody who waits wants to know it."""
    if seconds <= 0:
        return "the time is over"
    for size, unit in ((1, "s"), (60, "min"), (3600, "h")):
        number = math.ceil(seconds / size)
        if number < 100:
            return f"at most {number} {unit} left"
    return f"at most {math.ceil(seconds / 86_400)} days left"
