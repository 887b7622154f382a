# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The plan: which tasks are looked at, what each is judged to be, and what will be done. Pure.

Check mode, diff, counts, causes and the real run all come from one `Plan`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import Pattern
from typing import NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._classify import LONGEST_MESSAGE, Rule, classify
from ansible_collections.redrive.tasks.plugins.module_utils._errors import TooManyTasksError
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    Action,
    Failure,
    FailureClass,
    State,
    Task,
)


class Selection(NamedTuple):
    """Which tasks are looked at.

    :ivar ids: exactly these, in this order; None means every task in one of `states`
    :ivar codes: lower-case codes, one of which a failed task must carry; empty means any
    :ivar message: must be found in a failed task's message; None means any
    """

    ids: tuple[str, ...] | None = None
    states: frozenset[State] = frozenset({State.FAILED})
    codes: frozenset[str] = frozenset()
    message: Pattern[str] | None = None

    @property
    def filters(self) -> bool:
        """Whether only some failures are kept, so that a task without any is not."""
        return bool(self.codes or self.message)

    def keeps_failure(self, task: Task) -> bool:
        """Whether a failed task meets the filters."""
        if self.codes and task.code.lower() not in self.codes:
            return False
        return self.message is None or bool(self.message.search(task.message[:LONGEST_MESSAGE]))


class Policy(NamedTuple):
    """What may be retried.

    :ivar rules: all rules in the order in which they are tried
    :ivar retry_classes: classes of failure that may be retried
    :ivar retry_states: other states than C(failed) that may be retried because the user asked for them
    """

    rules: tuple[Rule, ...]
    retry_classes: frozenset[FailureClass]
    retry_states: frozenset[State] = frozenset()


class Decision(NamedTuple):
    """What will be done about one task, and why."""

    task: Task
    action: Action
    reason: str
    failure: Failure | None = None


class Cause(NamedTuple):
    """Failed tasks that were made to fail by the same thing. `decisions` is in the plan's order, never empty."""

    decisions: tuple[Decision, ...]

    @property
    def failure(self) -> Failure:
        """The failure of the first of them."""
        failure = self.decisions[0].failure
        if failure is None:  # causes() groups failures only
            raise ValueError("a cause without a failure")
        return failure


class Plan(NamedTuple):
    """All decisions, in a stable order, and how many tasks the service showed in all."""

    decisions: tuple[Decision, ...]
    found: int

    @property
    def to_retry(self) -> list[Task]:
        """The tasks that will be retried."""
        return [decision.task for decision in self.decisions if decision.action is Action.RETRY]

    def refuse_more_than(self, max_tasks: int | None) -> None:
        """Stop here when more tasks would be retried than the user allows.

        :raises TooManyTasksError: naming both numbers
        """
        count = len(self.to_retry)
        if max_tasks is not None and count > max_tasks:
            raise TooManyTasksError(
                f"{count} tasks would be retried, but max_tasks allows {max_tasks}: nothing was retried."
                " Look at causes, then raise max_tasks or narrow the selection with codes, message_regex or since."
            )

    def causes(self) -> list[Cause]:
        """Failed tasks folded by what made them fail, largest first, then in the order of the plan."""
        folded: dict[tuple[FailureClass, str, str, str], list[Decision]] = {}
        for decision in self.decisions:
            failure = decision.failure
            if failure is not None:
                key = (failure.failure_class, failure.rule, failure.code, fingerprint(failure.message))
                folded.setdefault(key, []).append(decision)
        return sorted((Cause(tuple(group)) for group in folded.values()), key=lambda cause: -len(cause.decisions))


# What differs from task to task in one and the same message: ids, addresses, times, counts.
_VARYING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b|\d+", re.IGNORECASE)


def fingerprint(message: str) -> str:
    """The message without what differs from task to task."""
    return _VARYING.sub("#", message)


def build_plan(tasks: Iterable[Task], selection: Selection, policy: Policy, *, absent: str) -> Plan:
    """Decide about every task that was selected or asked for.

    :param tasks: what the service showed; of a task that it showed more than once, the last counts
    :param absent: why an id that was asked for may be absent, in words
    """
    seen = list({task.key: task for task in tasks}.values())
    if selection.ids is None:
        decisions = [_decide(task, selection, policy) for task in sorted(seen, key=_age) if _selected(task, selection)]
        return Plan(tuple(decisions), len(seen))
    return Plan(tuple(_by_id(seen, selection.ids, selection, policy, absent)), len(seen))


def _by_id(
    seen: Sequence[Task], ids: Iterable[str], selection: Selection, policy: Policy, absent: str
) -> Iterable[Decision]:
    by_id: dict[str, list[Task]] = {}
    for task in seen:
        by_id.setdefault(task.id, []).append(task)
    for task_id in dict.fromkeys(ids):
        if task_id not in by_id:
            missing = Task(id=task_id, scope=(), status="", state=State.MISSING)
            yield Decision(missing, Action.NONE, absent)
        for task in by_id.get(task_id, ()):
            yield _decide(task, selection, policy)


def _age(task: Task) -> tuple[float, tuple[tuple[str, str], ...], str]:
    """Oldest first: that is what expires first."""
    return (task.created or 0.0, task.scope, task.id)


def _selected(task: Task, selection: Selection) -> bool:
    if task.state not in selection.states:
        return False
    return selection.keeps_failure(task) if task.state is State.FAILED else not selection.filters


def _decide(task: Task, selection: Selection, policy: Policy) -> Decision:
    if task.state is State.FAILED:
        return _decide_failed(task, classify(task, policy.rules), selection, policy)
    if task.state in policy.retry_states:
        return _decide_stopped(task, selection)
    if task.state in (State.CANCELLED, State.PAUSED):
        return Decision(task, Action.SKIP, f"{task.state.value} by a person: left alone unless you ask for it")
    if task.state is State.UNKNOWN:
        return Decision(task, Action.SKIP, f"its status {task.status!r} is not known here, so it is left alone")
    return Decision(task, Action.NONE, f"nothing to do: it is {task.state.value}")


def _decide_stopped(task: Task, selection: Selection) -> Decision:
    """A task that a person stopped, and that is asked for."""
    state = task.state.value
    if selection.filters:
        return Decision(task, Action.SKIP, f"{state}, and codes or message_regex leave it out")
    if task.barred:
        return Decision(task, Action.SKIP, f"{state}, and a retry would be refused: {task.barred.remedy}")
    return Decision(task, Action.RETRY, f"{state}, and to be retried because you asked for it")


def _decide_failed(task: Task, failure: Failure, selection: Selection, policy: Policy) -> Decision:
    kind = failure.failure_class.value
    if not selection.keeps_failure(task):
        return Decision(task, Action.SKIP, "failed, but codes or message_regex leave it out", failure)
    if task.barred:
        return Decision(task, Action.SKIP, f"failed ({kind}), and a retry would be refused: {failure.remedy}", failure)
    if failure.failure_class in policy.retry_classes:
        may_heal = failure.failure_class in (FailureClass.TRANSIENT, FailureClass.UNCLASSIFIED)
        why = "a retry may heal it" if may_heal else "to be retried, because retry_classes names this class"
        return Decision(task, Action.RETRY, f"failed ({kind}): {why}", failure)
    return Decision(task, Action.SKIP, f"failed ({kind}), which is not among retry_classes: {failure.remedy}", failure)
