# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The words that all services share: a task, its state, its failure, what is decided and what came of it."""

from __future__ import annotations

import enum
from typing import NamedTuple

Scope = tuple[tuple[str, str], ...]
"""What a task belongs to, as ordered (name, value) pairs, from the widest to the narrowest."""

TaskKey = tuple[Scope, str]
"""What identifies a task within one run: ids are unique within their scope only."""


class State(str, enum.Enum):
    """A task's state in our words; the vendor's own word stays beside it as `Task.status`."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def under_way(self) -> bool:
        """Whether the service is still working on the task."""
        return self in (State.WAITING, State.RUNNING)


class FailureClass(str, enum.Enum):
    """What can heal a failed task."""

    TRANSIENT = "transient"
    UNCLASSIFIED = "unclassified"
    FIX = "fix"
    EXHAUSTED = "exhausted"
    GONE = "gone"


class Action(str, enum.Enum):
    """The decision about a task; check mode and the real run make the same one."""

    RETRY = "retry"
    NONE = "none"
    SKIP = "skip"


class Outcome(str, enum.Enum):
    """What came of the decision."""

    PLANNED = "planned"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_ATTEMPTED = "not_attempted"
    NONE = "none"


class Finding(NamedTuple):
    """What a service itself tells of a failed task, so that no rule is asked.

    :ivar rule: what stands in the place of the rule's name
    :ivar remedy: what a person does about it
    """

    failure_class: FailureClass
    rule: str
    remedy: str


class Task(NamedTuple):
    """One background task as the service showed it.

    :ivar id: the vendor's id, opaque
    :ivar status: the vendor's own word
    :ivar code: the vendor's failure code, empty if none
    :ivar message: the vendor's failure text, empty if none
    :ivar created: epoch seconds
    :ivar expires: epoch seconds after which the service no longer shows the task
    :ivar finished: epoch seconds of the last end of work; a later one tells a new failure from the old one
    :ivar barred: why a retry of it would surely be refused
    :ivar healthy: whether it does what it is there for, as a replication that never ends does while it is running
    """

    id: str
    scope: Scope
    status: str
    state: State
    code: str = ""
    message: str = ""
    created: float | None = None
    expires: float | None = None
    finished: float | None = None
    barred: Finding | None = None
    healthy: bool = False

    @property
    def key(self) -> TaskKey:
        """What identifies the task within one run."""
        return (self.scope, self.id)

    def fails_like(self, before: Task) -> bool:
        """Whether it failed of the same as when `before` was read, by the code or, without one, by the message."""
        return self.code == before.code and (bool(self.code) or self.message == before.message)

    def moved_since(self, before: Task) -> bool:
        """Whether the service did anything with the task since `before` was read.

        An end that is not told any more is no sign of a new one.
        """
        ended_anew = self.finished is not None and self.finished != before.finished
        return ended_anew or (self.state, self.code, self.message) != (before.state, before.code, before.message)


class Failure(NamedTuple):
    """Why a task failed and what can heal it."""

    failure_class: FailureClass
    rule: str
    code: str
    message: str
    remedy: str


class Window(NamedTuple):
    """Creation times that are looked at, epoch seconds, both ends included."""

    since: int
    until: int

    def holds(self, task: Task) -> bool:
        """Whether the task was created in the window; one without a time was."""
        return task.created is None or self.since <= task.created <= self.until


class ItemError(NamedTuple):
    """Why a retry of one task was not accepted."""

    code: str
    message: str
    request_id: str = ""


class Answer(enum.Enum):
    """What a service says to the retry of one task."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_NOW = "not_now"
    """The task's state does not allow it, so the state has to be read again."""
    SILENT = "silent"
    """Not a word: it may have been accepted."""


class Verdict(NamedTuple):
    """A service's answer to the retry of one task.

    :ivar error: the service's words, unless it was accepted
    :ivar finding: what a refusal tells of the task itself
    """

    answer: Answer
    error: ItemError | None = None
    finding: Finding | None = None


ACCEPTED = Verdict(Answer.ACCEPTED)


class Result(NamedTuple):
    """What came of one decision.

    An outcome of C(none) takes the decision back: when the retry was to be sent, the task was another than when it was
    decided.

    :ivar state_after: the state read after the retry, or just before it if nothing was to be done any more
    :ivar note: added to the decision's reason
    :ivar finding: what a refusal told of the task
    :ivar recovered: whether the retry was seen to have healed the task
    :ivar failed_as: the task as it failed once more
    """

    outcome: Outcome
    state_after: State | None = None
    error: ItemError | None = None
    note: str = ""
    finding: Finding | None = None
    recovered: bool = False
    failed_as: Task | None = None


NOT_REACHED = Result(Outcome.NOT_ATTEMPTED, note="the run ended before it")
"""What holds for a task until something else is known."""
