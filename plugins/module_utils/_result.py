# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The public result, made of a plan and of what came of it. Pure. Its shape is documented in RETURN of each module."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._classify import Rule, classify, found
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Cause, Decision, Plan
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    NOT_REACHED,
    Action,
    Failure,
    Outcome,
    Result,
    State,
    TaskKey,
)

Results = Mapping[TaskKey, Result]

# ISO 8601 has four digits for a year.
_YEAR_10000 = 253_402_300_800

FAIL_ON = {
    "missing": "not found, or no longer shown",
    "refused": "refused",
    "unknown": "of unknown outcome",
    "not_attempted": "not attempted",
    "failed_again": "failed again",
    "timed_out": "not settled when waiting ended",
}
"""What can make a module fail, in words."""


def not_attempted(plan: Plan) -> dict[TaskKey, Result]:
    """The results of a run that ended before the first retry."""
    return dict.fromkeys((task.key for task in plan.to_retry), NOT_REACHED)


def amended(plan: Plan, results: Results) -> Plan:
    """The plan with what carrying it out told: decisions that were taken back, and findings of the service."""
    return plan._replace(decisions=tuple(_amended(one, results.get(one.task.key)) for one in plan.decisions))


def _amended(decision: Decision, result: Result | None) -> Decision:
    if result is None:
        return decision
    if result.outcome is Outcome.NONE:
        healed = result.state_after is None or result.state_after.under_way or result.state_after is State.SUCCEEDED
        decision = decision._replace(action=Action.NONE if healed else Action.SKIP)
    if result.finding is not None and decision.failure is not None:  # what a person stopped has not failed
        decision = decision._replace(failure=found(decision.task, result.finding))
    return decision


def changed(results: Results) -> bool:
    """Whether at least one retry was accepted, or would be sent."""
    return any(result.outcome in (Outcome.ACCEPTED, Outcome.PLANNED) for result in results.values())


def tasks(plan: Plan, results: Results, rules: Sequence[Rule] = ()) -> list[dict[str, Any]]:
    """One entry for each decision, in the plan's order. `rules` judge what failed once more."""
    return [_task(decision, results.get(decision.task.key), rules) for decision in plan.decisions]


def _task(decision: Decision, result: Result | None, rules: Sequence[Rule]) -> dict[str, Any]:
    task = decision.task
    entry: dict[str, Any] = {
        "id": task.id,
        "scope": dict(task.scope),
        "status": task.status,
        "state": task.state.value,
        "created": _moment(task.created),
        "expires": _moment(task.expires),
        "action": decision.action.value,
        "reason": decision.reason,
        "outcome": Outcome.NONE.value,
    }
    if decision.failure:
        entry["failure"] = _failure(decision.failure)
    if result:
        entry["outcome"] = result.outcome.value
        if result.note:
            entry["reason"] += f"; {result.note}"
        if result.state_after:
            entry["state_after"] = result.state_after.value
            if result.outcome is Outcome.ACCEPTED:
                entry["recovered"] = result.recovered
        if result.failed_as:
            entry["failure_after"] = _failure(classify(result.failed_as, rules))
        if result.error:
            error = result.error
            entry["error"] = {"code": error.code, "message": error.message, "request_id": error.request_id}
    return entry


def _failure(failure: Failure) -> dict[str, str]:
    return {
        "class": failure.failure_class.value,
        "rule": failure.rule,
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.remedy,
    }


def counts(plan: Plan, results: Results) -> dict[str, int]:
    """How many of what.

    C(selected = retry + none + skip + missing), and outside check mode
    C(retry = accepted + refused + unknown + not_attempted).
    """
    missing = sum(decision.task.state is State.MISSING for decision in plan.decisions)
    actions = [decision.action for decision in plan.decisions]
    outcomes = [result.outcome for result in results.values()]
    accepted = [result for result in results.values() if result.outcome is Outcome.ACCEPTED]
    after = [result.state_after for result in accepted if not result.recovered]
    return {
        "found": plan.found,
        "selected": len(actions),
        "retry": actions.count(Action.RETRY),
        "none": actions.count(Action.NONE) - missing,
        "skip": actions.count(Action.SKIP),
        "missing": missing,
        "accepted": outcomes.count(Outcome.ACCEPTED),
        "refused": outcomes.count(Outcome.REFUSED),
        "unknown": outcomes.count(Outcome.UNKNOWN),
        "not_attempted": outcomes.count(Outcome.NOT_ATTEMPTED),
        "recovered": len(accepted) - len(after),
        "failed_again": after.count(State.FAILED),
        "still_running": after.count(State.RUNNING) + after.count(State.WAITING),
    }


def causes(plan: Plan) -> list[dict[str, Any]]:
    """Failed tasks folded by what made them fail, largest first."""
    return [_cause(cause) for cause in plan.causes()]


def _cause(cause: Cause) -> dict[str, Any]:
    members = [decision.task for decision in cause.decisions]
    return {
        **_failure(cause.failure),
        "count": len(members),
        "oldest": _moment(min((task.created for task in members if task.created), default=None)),
        "first_expiry": _moment(min((task.expires for task in members if task.expires), default=None)),
        "task_ids": [task.id for task in members],
    }


def diff(plan: Plan, results: Results, retried_state: State) -> dict[str, dict[str, str]]:
    """States by id, before and after, of the tasks that change."""
    before, after = {}, {}
    for task in plan.to_retry:
        result = results[task.key]
        if result.outcome in (Outcome.ACCEPTED, Outcome.PLANNED):
            before[task.id] = task.state.value
            after[task.id] = (result.state_after or retried_state).value
    return {"before": before, "after": after}


def problems(count: Mapping[str, int], results: Results, pending: int) -> dict[str, int]:
    """How many tasks had each outcome that may fail the module. `pending` had not settled when waiting ended."""
    vanished = sum(
        result.outcome is Outcome.ACCEPTED and result.state_after is State.MISSING for result in results.values()
    )
    return {
        "missing": count["missing"] + vanished,
        "refused": count["refused"],
        "unknown": count["unknown"],
        "not_attempted": count["not_attempted"],
        "failed_again": count["failed_again"],
        "timed_out": pending,
    }


def failures(problem: Mapping[str, int], fail_on: list[str]) -> list[str]:
    """What of that makes the module fail, in words."""
    return [f"{problem[name]} {words}" for name, words in FAIL_ON.items() if name in fail_on and problem[name]]


def first_error(entries: list[dict[str, Any]]) -> list[str]:
    """What the service said to the first task whose retry was not accepted, with all that its support asks for."""
    for entry in entries:
        error = entry.get("error")
        if error:
            text = error["message"].rstrip(".")
            text = text if error["code"] in text else f"{error['code']}: {text}"
            known = not error["request_id"] or error["request_id"] in text
            return [f"{text}." if known else f"{text} (request id {error['request_id']})."]
    return []


def found_sentence(count: Mapping[str, int]) -> str:
    """What an info module found, in one sentence."""
    text = f"{_tasks(count['selected'])} of {count['found']} shown"
    return f"{text}: a retry with these options would send {count['retry']} and leave {count['skip']} alone."


def sentence(count: Mapping[str, int], *, check_mode: bool, waited: bool) -> str:
    """The outcome in one sentence that a person can act on."""
    if not count["selected"]:
        return "Nothing to do: no task was selected."
    if not count["retry"]:
        text = f"Nothing to retry among {_tasks(count['selected'])}"
    elif check_mode:
        text = f"Would retry {count['retry']} of {_tasks(count['selected'])}"
    else:
        text = f"Retried {count['accepted']} of {_tasks(count['selected'])}"
        if waited:
            text += f": {count['recovered']} recovered, {count['failed_again']} failed again"
            text += f", {count['accepted'] - count['recovered'] - count['failed_again']} not settled"
    if count["skip"]:
        text += f"; {count['skip']} left alone (see causes)"
    return text + "."


def _tasks(number: int) -> str:
    return f"{number} task" if number == 1 else f"{number} tasks"


def _moment(seconds: float | None) -> str | None:
    """ISO 8601 in UTC, or None where nothing is known or the number is no time."""
    if seconds is None or seconds >= _YEAR_10000:
        return None
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return None
