# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public result: it adds up, and it says what is so."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._classify import rule
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Plan, Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    FailureClass,
    Finding,
    ItemError,
    Outcome,
    Result,
    State,
    TaskKey,
)
from unit.fakes import NOW, SCOPE, task

RULES = (rule("r.fix", FailureClass.FIX, "mend it", codes=("Broken",)),)


@pytest.fixture
def plan() -> Plan:
    known = [task(f"r{number}") for number in range(5)]
    known += [task("broken", code="Broken"), task("running", State.RUNNING)]
    ids = (*(one.id for one in known), "nowhere")
    policy = Policy(RULES, frozenset({FailureClass.UNCLASSIFIED}))
    return build_plan(known, Selection(ids=ids), policy, absent="not shown")


@pytest.fixture
def results() -> dict[TaskKey, Result]:
    outcomes = (
        Result(Outcome.ACCEPTED, state_after=State.SUCCEEDED, recovered=True),
        Result(Outcome.ACCEPTED, state_after=State.FAILED),
        Result(Outcome.REFUSED, error=ItemError("No", "no", "r-1")),
        Result(Outcome.UNKNOWN, state_after=State.FAILED, note="unsettled"),
        Result(Outcome.NOT_ATTEMPTED),
    )
    return {(SCOPE, f"r{number}"): result for number, result in enumerate(outcomes)}


def test_the_counts_add_up(plan: Plan, results: dict[TaskKey, Result]) -> None:
    count = _result.counts(plan, results)
    assert count == {
        "found": 7,
        "selected": 8,
        "retry": 5,
        "none": 1,
        "skip": 1,
        "missing": 1,
        "accepted": 2,
        "refused": 1,
        "unknown": 1,
        "not_attempted": 1,
        "recovered": 1,
        "failed_again": 1,
        "still_running": 0,
    }
    assert count["selected"] == count["retry"] + count["none"] + count["skip"] + count["missing"]


def test_only_what_changes_stands_in_the_diff(plan: Plan, results: dict[TaskKey, Result]) -> None:
    assert _result.diff(plan, results, State.RUNNING) == {
        "before": {"r0": "failed", "r1": "failed"},
        "after": {"r0": "succeeded", "r1": "failed"},
    }


def test_check_mode_shows_the_state_that_is_expected(plan: Plan) -> None:
    planned = {task.key: Result(Outcome.PLANNED) for task in plan.to_retry}
    after = _result.diff(plan, planned, State.RUNNING)["after"]
    assert after == {f"r{number}": "running" for number in range(5)}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.ACCEPTED, True),
        (Outcome.PLANNED, True),
        (Outcome.REFUSED, False),
        (Outcome.UNKNOWN, False),
        (Outcome.NOT_ATTEMPTED, False),
    ],
)
def test_changed_means_that_a_retry_was_accepted(outcome: Outcome, expected: bool) -> None:
    assert _result.changed({(SCOPE, "a"): Result(outcome)}) is expected


def test_a_decision_that_was_taken_back_counts_as_nothing_to_do(plan: Plan, results: dict[TaskKey, Result]) -> None:
    results[SCOPE, "r0"] = Result(Outcome.NONE, state_after=State.RUNNING, note="it runs again")
    amended = _result.amended(plan, results)
    count = _result.counts(amended, results)
    assert [count[name] for name in ("selected", "retry", "none", "skip", "missing", "accepted")] == [8, 4, 2, 1, 1, 1]
    entry = _result.tasks(amended, results)[0]
    assert (entry["action"], entry["outcome"], entry["state_after"]) == ("none", "none", "running")
    assert "r0" not in _result.diff(amended, results, State.RUNNING)["before"]


def test_a_decision_that_was_taken_back_from_a_task_that_is_still_ill_is_a_skip(
    plan: Plan, results: dict[TaskKey, Result]
) -> None:
    results[SCOPE, "r0"] = Result(Outcome.NONE, state_after=State.FAILED, note="it failed anew")
    count = _result.counts(_result.amended(plan, results), results)
    assert [count[name] for name in ("selected", "retry", "none", "skip", "missing")] == [8, 4, 1, 2, 1]


def test_what_the_service_finds_replaces_what_the_rules_said(plan: Plan, results: dict[TaskKey, Result]) -> None:
    finding = Finding(FailureClass.EXHAUSTED, "r.no_more", "give up")
    results[SCOPE, "r2"] = results[SCOPE, "r2"]._replace(finding=finding)
    amended = _result.amended(plan, results)
    failure = _result.tasks(amended, results)[2]["failure"]
    assert (failure["class"], failure["rule"], failure["remedy"]) == ("exhausted", "r.no_more", "give up")
    assert ["r2"] in [cause["task_ids"] for cause in _result.causes(amended)]


def test_a_task_entry_holds_everything(plan: Plan, results: dict[TaskKey, Result]) -> None:
    entries = {entry["id"]: entry for entry in _result.tasks(plan, results)}
    assert entries["r2"] == {
        "id": "r2",
        "scope": {"project": "shop", "logstore": "access", "shipper": "to-oss"},
        "status": "fail",
        "state": "failed",
        "created": "2023-11-14T22:13:20Z",
        "expires": None,
        "action": "retry",
        "reason": "failed (unclassified): a retry may heal it",
        "outcome": "refused",
        "failure": entries["r0"]["failure"],
        "error": {"code": "No", "message": "no", "request_id": "r-1"},
    }
    assert entries["r3"]["reason"].endswith("; unsettled")
    assert entries["nowhere"]["state"] == "missing"
    assert "failure" not in entries["running"]


def test_a_cause_tells_how_many_and_until_when() -> None:
    known = [task(f"t{number}", code="Broken", created=NOW + number, expires=NOW + 100 + number) for number in range(2)]
    plan = build_plan(known, Selection(), Policy(RULES, frozenset()), absent="")
    assert _result.causes(plan) == [
        {
            "class": "fix",
            "rule": "r.fix",
            "code": "Broken",
            "message": "",
            "remedy": "mend it",
            "count": 2,
            "oldest": "2023-11-14T22:13:20Z",
            "first_expiry": "2023-11-14T22:15:00Z",
            "task_ids": ["t0", "t1"],
        }
    ]


def test_what_fails_the_module_is_said_in_words(plan: Plan, results: dict[TaskKey, Result]) -> None:
    problems = _result.problems(_result.counts(plan, results), results, 3)
    assert _result.failures(problems, list(_result.FAIL_ON)) == [
        "1 not found, or no longer shown",
        "1 refused",
        "1 of unknown outcome",
        "1 not attempted",
        "1 failed again",
        "3 not settled when waiting ended",
    ]
    assert _result.failures(problems, ["refused"]) == ["1 refused"]
    assert _result.failures(problems, []) == []


def test_a_task_that_vanished_after_its_retry_is_missing(plan: Plan) -> None:
    results = {(SCOPE, "r0"): Result(Outcome.ACCEPTED, state_after=State.MISSING)}
    assert _result.problems({**_result.counts(plan, {}), "missing": 0}, results, 0)["missing"] == 1


def test_what_a_refusal_tells_makes_no_failure_of_a_task_that_a_person_stopped() -> None:
    stopped = task(state=State.CANCELLED)
    policy = Policy((), frozenset(), retry_states=frozenset({State.CANCELLED}))
    plan = build_plan([stopped], Selection(ids=(stopped.id,)), policy, absent="")
    spent = Finding(FailureClass.EXHAUSTED, "r.spent", "give up")
    results = {stopped.key: Result(Outcome.REFUSED, error=ItemError("No", "no"), finding=spent)}
    amended = _result.amended(plan, results)
    assert "failure" not in _result.tasks(amended, results)[0]
    assert _result.causes(amended) == []


def test_a_time_that_is_none_is_left_out() -> None:
    plan = build_plan([task(created=1e18)], Selection(), Policy((), frozenset()), absent="")
    assert _result.tasks(plan, {})[0]["created"] is None
