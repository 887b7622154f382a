# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is looked at, and what is decided."""

from __future__ import annotations

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._classify import compile_pattern, rule
from ansible_collections.redrive.tasks.plugins.module_utils._errors import TooManyTasksError
from ansible_collections.redrive.tasks.plugins.module_utils._plan import (
    Plan,
    Policy,
    Selection,
    build_plan,
    fingerprint,
)
from ansible_collections.redrive.tasks.plugins.module_utils._task import Action, FailureClass, Finding, State, Task
from unit.fakes import NOW, OTHER, task, tasks

RULES = (
    rule("r.fix", FailureClass.FIX, "mend it", codes=("Broken",)),
    rule("r.transient", FailureClass.TRANSIENT, "", codes=("Busy",)),
    rule("r.gone", FailureClass.GONE, "lost", codes=("Gone",)),
)
POLICY = Policy(RULES, frozenset({FailureClass.TRANSIENT, FailureClass.UNCLASSIFIED}))


def plan(known: list[Task], selection: Selection | None = None, policy: Policy = POLICY) -> Plan:
    return build_plan(known, selection or Selection(), policy, absent="not shown")


def actions(made: Plan) -> dict[str, Action]:
    return {decision.task.id: decision.action for decision in made.decisions}


class TestDecisions:
    @pytest.mark.parametrize(
        ("code", "action"),
        [("Busy", Action.RETRY), ("", Action.RETRY), ("Broken", Action.SKIP), ("Gone", Action.SKIP)],
    )
    def test_the_class_of_a_failure_decides(self, code: str, action: Action) -> None:
        assert actions(plan([task(code=code)])) == {"t1": action}

    def test_a_class_that_is_asked_for_is_retried(self) -> None:
        policy = Policy(RULES, frozenset({FailureClass.FIX}))
        made = plan([task("a", code="Broken"), task("b", code="Busy")], policy=policy)
        assert actions(made) == {"a": Action.RETRY, "b": Action.SKIP}

    @pytest.mark.parametrize(
        ("state", "action"),
        [
            (State.RUNNING, Action.NONE),
            (State.WAITING, Action.NONE),
            (State.SUCCEEDED, Action.NONE),
            (State.CANCELLED, Action.SKIP),
            (State.PAUSED, Action.SKIP),
            (State.UNKNOWN, Action.SKIP),
        ],
    )
    def test_a_task_that_did_not_fail_is_never_retried(self, state: State, action: Action) -> None:
        assert actions(plan([task(state=state)], Selection(ids=("t1",)))) == {"t1": action}

    def test_a_cancelled_task_is_retried_when_asked_for(self) -> None:
        policy = Policy((), frozenset(), retry_states=frozenset({State.CANCELLED}))
        assert actions(plan([task(state=State.CANCELLED)], Selection(ids=("t1",)), policy)) == {"t1": Action.RETRY}

    def test_a_paused_task_whose_retry_would_be_refused_is_left_alone_even_when_asked_for(self) -> None:
        policy = Policy((), frozenset(), retry_states=frozenset({State.PAUSED}))
        barred = Finding(FailureClass.FIX, "r.parent", "retry its children")
        made = plan([task(state=State.PAUSED, barred=barred)], Selection(ids=("t1",)), policy)
        assert actions(made) == {"t1": Action.SKIP}
        assert "retry its children" in made.decisions[0].reason

    def test_the_remedy_is_part_of_the_reason(self) -> None:
        assert "mend it" in plan([task(code="Broken")]).decisions[0].reason


class TestSelection:
    def test_ids_keep_their_order_and_count_once(self) -> None:
        made = plan(tasks(3), Selection(ids=("t002", "t000", "t002")))
        assert list(actions(made)) == ["t002", "t000"]

    def test_an_unknown_id_is_missing(self) -> None:
        made = plan(tasks(1), Selection(ids=("nowhere",)))
        decision = made.decisions[0]
        assert (decision.task.state, decision.action, decision.reason) == (State.MISSING, Action.NONE, "not shown")
        assert _result.counts(made, {})["missing"] == 1
        assert _result.counts(made, {})["none"] == 0

    def test_a_task_that_is_shown_twice_is_one_task(self) -> None:
        shown = [task("a"), task("b"), task("a", State.RUNNING)]
        for selection in (Selection(ids=("a", "b")), Selection(states=frozenset({State.FAILED, State.RUNNING}))):
            made = plan(shown, selection)
            assert actions(made) == {"a": Action.NONE, "b": Action.RETRY}
            assert (len(made.decisions), made.found) == (2, 2)

    @pytest.mark.parametrize("ids", [None, ("t1",)])
    def test_a_filter_leaves_out_what_a_person_stopped(self, ids: tuple[str, ...] | None) -> None:
        policy = Policy(RULES, frozenset(), frozenset({State.CANCELLED}))
        selection = Selection(ids=ids, states=frozenset({State.CANCELLED}), codes=frozenset({"busy"}))
        assert plan([task(state=State.CANCELLED, code="Busy")], selection, policy).to_retry == []

    def test_an_id_that_two_scopes_share_means_both(self) -> None:
        made = plan([task(), task(scope=OTHER)], Selection(ids=("t1",)))
        assert len(made.decisions) == 2

    def test_all_failed_means_failed_only_and_oldest_first(self) -> None:
        known = [task("new", created=NOW), task("ok", State.SUCCEEDED), task("old", created=NOW - 60)]
        made = plan(known)
        assert list(actions(made)) == ["old", "new"]
        assert made.found == 3

    def test_codes_keep_only_what_carries_one(self) -> None:
        known = [task("a", code="Busy"), task("b", code="Other"), task("c", State.RUNNING)]
        states = frozenset({State.FAILED, State.RUNNING})
        assert list(actions(plan(known, Selection(states=states, codes=frozenset({"busy"}))))) == ["a"]

    def test_message_regex_keeps_only_what_it_finds(self) -> None:
        known = [task("a", message="Bucket x is full"), task("b", message="no")]
        assert list(actions(plan(known, Selection(message=compile_pattern("m", "bucket .* FULL"))))) == ["a"]

    def test_a_named_task_that_a_filter_leaves_out_is_skipped(self) -> None:
        made = plan([task(code="Other")], Selection(ids=("t1",), codes=frozenset({"busy"})))
        assert actions(made) == {"t1": Action.SKIP}


class TestLimit:
    def test_it_names_both_numbers(self) -> None:
        with pytest.raises(TooManyTasksError, match=r"12 tasks .* allows 11"):
            plan(tasks(12)).refuse_more_than(11)

    @pytest.mark.parametrize("limit", [12, None])
    def test_it_lets_pass_what_it_allows(self, limit: int | None) -> None:
        plan(tasks(12)).refuse_more_than(limit)

    def test_only_what_would_be_retried_counts(self) -> None:
        plan([task("a", code="Broken"), task("b", code="Busy")]).refuse_more_than(1)

    def test_zero_allows_none(self) -> None:
        with pytest.raises(TooManyTasksError):
            plan(tasks(1)).refuse_more_than(0)


class TestCauses:
    def test_they_are_folded_and_the_largest_comes_first(self) -> None:
        known = [task("a", code="Broken", message="bucket 1 is gone")]
        known += [task(f"b{n}", code="Busy", message=f"request {n}abcdef0123 timed out") for n in range(3)]
        causes = plan(known).causes()
        assert [len(cause.decisions) for cause in causes] == [3, 1]
        assert [cause.failure.rule for cause in causes] == ["r.transient", "r.fix"]

    def test_names_tell_causes_apart_but_numbers_do_not(self) -> None:
        assert fingerprint("bucket red: 404") != fingerprint("bucket blue: 404")
        assert fingerprint("id 5B0A6B60BB6EE39764D458B5, 3 s") == fingerprint("id 0AA96B60BB6EE39764D458B5, 12 s")
        assert fingerprint("57f5808c-4a55-11eb-b378-0242ac130002") == fingerprint(
            "aaaa808c-4a55-11eb-b378-0242ac130002"
        )
        assert fingerprint("added") == "added"

    def test_they_hold_every_failed_task_once(self) -> None:
        known = [*tasks(7, code="Busy"), task("x", code="Broken"), task("y", State.RUNNING)]
        ids = tuple(one.id for one in known)
        members = [
            decision.task.id for cause in plan(known, Selection(ids=ids)).causes() for decision in cause.decisions
        ]
        assert sorted(members) == sorted(one.id for one in known if one.state is State.FAILED)
