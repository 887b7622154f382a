# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What a run leaves for the next one: which tasks it has just sent, so that none is sent again before that shows.

A service may show the old failure for a while after it took a retry, and a call whose sender was killed may still be
under way. The next run must take neither for a task that nobody retried. So each call is noted just before it is sent,
and a later run that finds such a task unchanged looks at it again until the time for both is over.

No id and no message is written, only digests. Whatever else stands in the file is passed over.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._task import Task, TaskKey

# Nobody waits for longer, whatever the file says, seconds: the longest that a request may take, and some more.
_LONGEST = 3700.0
# Pauses between two looks, seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_SENT, _NOT_RUN = "sent", "not run"


class Note(NamedTuple):
    """A task that was sent as it was seen then.

    :ivar finished: as in `Task`
    :ivar at: when it was noted, epoch seconds
    :ivar span: seconds after which the service shows what became of it
    """

    finished: float | None
    at: float
    span: float

    def left(self, now: float) -> float:
        """Seconds until it surely shows; never more than the whole, should the clock have been set back."""
        return min(self.span, self.at + self.span - now)


Notes = dict[str, Note]
"""By what was seen of the task."""


def sent_line(tasks: Iterable[Task], at: float, span: float) -> bytes:
    """These are sent now, or were, and within so many seconds it shows."""
    return _line([_SENT, round(at, 3), round(span, 3), [[_digest(task), task.finished] for task in tasks]])


def not_run_line(tasks: Iterable[Task]) -> bytes:
    """These were surely not retried after all."""
    return _line([_NOT_RUN, [_digest(task) for task in tasks]])


def _line(content: list[Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _digest(task: Task) -> str:
    # By repr, because that is quick, tells one part from the next, and takes any character.
    seen = repr((task.scope, task.id, task.state.value, task.code, task.message))
    return hashlib.sha256(seen.encode()).hexdigest()[:24]


def read_notes(lines: Iterable[bytes], now: float) -> Notes:
    """What the lines say that is not over yet. A line that is no such line says nothing."""
    notes: Notes = {}
    for line in lines:
        try:
            _read_line(json.loads(line), notes)
        except (ValueError, TypeError, RecursionError):
            continue
    return {digest: note for digest, note in notes.items() if note.left(now) > 0}


def _read_line(content: Any, notes: Notes) -> None:
    """Take note of one line.

    :raises ValueError: or C(TypeError): it is no such line, and nothing was taken of it
    """
    if not isinstance(content, list):
        raise TypeError
    if content[:1] == [_SENT]:
        _ignored, at, span, tasks = content
        at, span = float(at), min(float(span), _LONGEST)
        if not (math.isfinite(at) and span > 0):
            raise ValueError
        notes.update({str(digest): Note(None if end is None else float(end), at, span) for digest, end in tasks})
    elif content[:1] == [_NOT_RUN]:
        _ignored, digests = content
        for digest in map(str, digests):
            notes.pop(digest, None)


def seconds_left(tasks: Iterable[Task], notes: Notes, now: float) -> dict[TaskKey, float]:
    """The tasks that look exactly as when they were sent, and for how long that may mean nothing. Pure."""
    left = {}
    for task in tasks:
        note = notes.get(_digest(task)) if notes else None
        # As in `Task.moved_since`: an end that is not told any more is no sign of a new one.
        if note is not None and task.finished in (None, note.finished) and note.left(now) > 0:
            left[task.key] = note.left(now)
    return left


def look_until_shown(
    tasks: Sequence[Task],
    left: Mapping[TaskKey, float],
    read_again: Callable[[Sequence[Task]], Mapping[TaskKey, Task]],
    clock: Clock,
) -> dict[TaskKey, Task | None]:
    """The tasks as they are when they have moved, or when their time is over. None for one that is not shown any more.

    :param left: seconds for each of the tasks
    :raises CallError: the service did not show its tasks, or the run is to end
    """
    begun = clock.monotonic()
    until = {task.key: begun + left[task.key] for task in tasks}
    seen: dict[TaskKey, Task | None] = {}
    pause = _FIRST_PAUSE
    while tasks:
        clock.sleep(min(pause, max(0.0, min(until[task.key] for task in tasks) - clock.monotonic())))
        pause = min(2 * pause, _LONGEST_PAUSE)
        looked = clock.monotonic()
        now = read_again(tasks)
        seen.update((task.key, now.get(task.key)) for task in tasks)
        tasks = [task for task in tasks if looked < until[task.key] and not _has_moved(task, now.get(task.key))]
    return seen


def _has_moved(before: Task, now: Task | None) -> bool:
    """Whether the service did anything with it. One that is not shown may come back."""
    return now is not None and now.moved_since(before)
