# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a plan: nothing twice, nothing lost."""

from __future__ import annotations

from collections import Counter

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils import _engine
from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine, Wait
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Plan, Policy, Selection, build_plan
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    Answer,
    FailureClass,
    Finding,
    ItemError,
    Outcome,
    Result,
    State,
    Task,
    Verdict,
)
from unit.fakes import FACTS, OTHER, FakeClock, FakeService, Reply, failure, task, tasks

REFUSED = Verdict(Answer.REFUSED, ItemError("No", "not this one"))
SPENT = Finding(FailureClass.EXHAUSTED, "fake.spent", "give up")
NOT_NOW = Verdict(Answer.NOT_NOW, ItemError("State", "not in this state"), SPENT)
SILENT = Verdict(Answer.SILENT)
HEALING = FACTS._replace(heals_itself=True)


def plan_for(known: list[Task]) -> Plan:
    return build_plan(known, Selection(), Policy((), frozenset({FailureClass.UNCLASSIFIED})), absent="")


def send(service: FakeService, *, concurrency: int = 1) -> Engine:
    engine = Engine(service, clock=FakeClock(), concurrency=concurrency)
    engine.send(plan_for(list(service.known.values())))
    return engine


def outcomes(engine: Engine) -> Counter[Outcome]:
    return Counter(result.outcome for result in engine.results.values())


def result_of(engine: Engine, task_id: str) -> Result:
    return next(result for (_scope, one), result in engine.results.items() if one == task_id)


class TestHowManyAtOnce:
    def allowed(self, *notes: tuple[bool, int], most: int = 16, alone: int = 4) -> list[int]:
        ramp = _engine._Ramp(most, alone=alone)
        seen = [ramp.allowed]
        for clear, refusals in notes:
            ramp.note(clear=clear, refusals=refusals)
            seen.append(ramp.allowed)
        return seen

    def test_more_go_at_once_for_each_that_went_well(self) -> None:
        assert self.allowed(*[(True, 0)] * 12) == [1, 1, 1, 1, 3, 5, 7, 9, 11, 13, 15, 16, 16]

    def test_a_call_for_one_task_does_less_harm(self) -> None:
        assert self.allowed(*[(True, 0)] * 3, alone=1, most=4) == [1, 3, 4, 4]

    def test_after_a_call_in_doubt_it_is_one_again(self) -> None:
        assert self.allowed(*[(True, 0)] * 5, (False, 0), (True, 0))[-3:] == [5, 1, 1]

    def test_after_a_refusal_for_coming_too_fast_it_is_one_again(self) -> None:
        assert self.allowed(*[(True, 0)] * 5, (True, 2), (True, 2))[-3:] == [5, 1, 1]


class TestSending:
    @pytest.mark.parametrize(
        ("count", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])], ids=str
    )
    def test_batches_hold_what_the_service_takes_at_once(self, count: int, sizes: list[int]) -> None:
        service = FakeService(tasks(count))
        engine = send(service)
        assert [len(call) for call in service.calls] == sizes
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: count} if count else {})

    def test_a_batch_holds_tasks_of_one_scope(self) -> None:
        service = FakeService([task("a"), task("b", scope=OTHER), task("c")])
        send(service)
        assert sorted(service.calls) == [["a", "c"], ["b"]]

    def test_a_refused_task_does_not_take_its_batch_along(self) -> None:
        service = FakeService(tasks(3), script=[{"t001": REFUSED}])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 2, Outcome.REFUSED: 1})
        assert result_of(engine, "t001").error == REFUSED.error

    def test_concurrent_calls_send_each_task_once(self) -> None:
        service = FakeService(tasks(95))
        engine = send(service, concurrency=4)
        assert set(service.sent.values()) == {1}
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 95})


class TestAnswersForEachTask:
    def moved(self, service: FakeService, task_id: str, state: State) -> None:
        """Somebody else is ahead of us: the task changes before it is looked at again."""
        key = next(key for key in service.known if key[1] == task_id)
        service.on_look = lambda number: service.known.update({key: service.known[key]._replace(state=state)})

    @pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.SUCCEEDED])
    def test_what_needs_no_retry_any_more_is_no_failure(self, state: State) -> None:
        service = FakeService(tasks(2), script=[{"t001": NOT_NOW}])
        self.moved(service, "t001", state)
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 1, Outcome.NONE: 1})
        assert result_of(engine, "t001").state_after is state

    @pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
    def test_what_the_service_will_not_retry_is_refused_with_what_that_tells(self, state: State) -> None:
        service = FakeService(tasks(2), script=[{"t001": NOT_NOW}])
        self.moved(service, "t001", state)
        result = result_of(send(service), "t001")
        assert (result.outcome, result.finding, result.state_after) == (Outcome.REFUSED, SPENT, state)

    def test_a_refusal_stays_one_when_the_task_cannot_be_looked_at(self) -> None:
        service = FakeService(tasks(1), script=[{"t000": NOT_NOW}], reads=[failure(Kind.TRANSIENT)])
        engine = send(service)
        assert result_of(engine, "t000").outcome is Outcome.REFUSED
        assert "could not be looked at" in engine.warnings[0]

    def test_a_task_without_an_answer_is_read(self) -> None:
        service = FakeService(tasks(3), script=[{"t001": SILENT}])
        self.moved(service, "t001", State.RUNNING)
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 3})
        assert service.sent["t001"] == 1

    def test_a_task_without_an_answer_that_stays_as_it_was_is_unknown(self) -> None:
        service = FakeService(tasks(3), script=[{"t001": SILENT}])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 2, Outcome.UNKNOWN: 1})
        assert service.sent["t001"] == 1


class TestTasksThatHealByThemselves:
    def test_they_are_looked_at_once_more_and_left_alone_when_healed(self) -> None:
        service = FakeService(tasks(12), facts=HEALING)
        healed = next(iter(service.known))
        service.on_look = lambda number: service.known.update({healed: task("t000", State.SUCCEEDED)})
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 11, Outcome.NONE: 1})
        assert "t000" not in service.sent
        assert service.looks == 2

    def test_a_preview_reads_the_same_and_sends_nothing(self) -> None:
        service = FakeService(tasks(12), facts=HEALING)
        healed = next(iter(service.known))
        service.on_look = lambda number: service.known.update({healed: task("t000", State.RUNNING)})
        engine = Engine(service, clock=FakeClock())
        engine.preview(plan_for(list(service.known.values())))
        assert outcomes(engine) == Counter({Outcome.PLANNED: 11, Outcome.NONE: 1})
        assert (service.calls, service.looks) == ([], 2)

    def test_a_preview_whose_look_fails_plans_nothing_more(self) -> None:
        service = FakeService(tasks(12), facts=HEALING, reads=[None, failure(Kind.TRANSIENT)])
        engine = Engine(service, clock=FakeClock())
        with pytest.raises(CallError):
            engine.preview(plan_for(list(service.known.values())))
        assert outcomes(engine) == Counter({Outcome.PLANNED: 10, Outcome.NOT_ATTEMPTED: 2})

    def test_nothing_is_sent_after_a_stop_that_came_during_the_look(self) -> None:
        service = FakeService(tasks(20), facts=HEALING)
        engine = Engine(service, clock=FakeClock())
        stop = failure(Kind.LOCKED)
        service.on_look = lambda number: engine._stop("", stop)
        engine.send(plan_for(list(service.known.values())))
        assert (service.calls, outcomes(engine)) == ([], Counter({Outcome.NOT_ATTEMPTED: 20}))

    def test_without_a_look_nothing_is_sent(self) -> None:
        service = FakeService(tasks(12), facts=HEALING, reads=[failure(Kind.TRANSIENT)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.NOT_ATTEMPTED: 12})
        assert service.calls == []

    def test_a_failure_that_is_new_at_that_look_is_not_taken_for_the_work_of_the_retry(self) -> None:
        lost = failure(Kind.LOST)
        service = FakeService(tasks(1), script=[lost], takes_effect=lambda number: False, facts=HEALING)
        key = next(iter(service.known))
        service.on_look = lambda number: service.known.update({key: service.known[key]._replace(finished=9.0)})
        assert outcomes(send(service)) == Counter({Outcome.UNKNOWN: 1})

    def test_what_failed_anew_for_another_reason_is_left_to_the_next_run(self) -> None:
        service = FakeService(tasks(2), facts=HEALING)
        key = next(iter(service.known))
        service.on_look = lambda number: service.known.update({key: service.known[key]._replace(code="another")})
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 1, Outcome.NONE: 1})
        assert "failed anew" in result_of(engine, "t000").note

    def test_those_that_do_not_are_sent_as_they_were_listed(self) -> None:
        service = FakeService(tasks(12))
        send(service)
        assert service.looks == 0


class TestBatchesThatAreTooLarge:
    def test_they_are_sent_one_by_one_and_nothing_twice(self) -> None:
        service = FakeService(tasks(12), script=[failure(Kind.TOO_MANY)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 12})
        assert [len(call) for call in service.calls] == [10, *[1] * 12]

    def test_what_stops_the_run_stops_them_too(self) -> None:
        service = FakeService(tasks(12), script=[failure(Kind.TOO_MANY), None, failure(Kind.LOCKED)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 1, Outcome.NOT_ATTEMPTED: 11})
        assert [len(call) for call in service.calls] == [10, 1, 1]

    def test_a_single_task_that_is_too_many_is_refused(self) -> None:
        service = FakeService(tasks(1), script=[failure(Kind.TOO_MANY)])
        assert outcomes(send(service)) == Counter({Outcome.REFUSED: 1})


class TestStopping:
    def test_a_denial_stops_the_run(self) -> None:
        service = FakeService(tasks(30), script=[None, failure(Kind.DENIED)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 10, Outcome.REFUSED: 10, Outcome.NOT_ATTEMPTED: 10})
        assert "denied" in result_of(engine, "t025").note

    def test_an_unreachable_service_stops_the_run_and_refuses_nothing(self) -> None:
        service = FakeService(tasks(20), script=[failure(Kind.UNREACHED)])
        assert outcomes(send(service)) == Counter({Outcome.NOT_ATTEMPTED: 20})
        assert len(service.calls) == 1

    def test_a_locked_account_stops_the_run_and_refuses_nothing(self) -> None:
        service = FakeService(tasks(30), script=[None, failure(Kind.LOCKED)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 10, Outcome.NOT_ATTEMPTED: 20})
        assert len(service.calls) == 2
        assert "locked" in result_of(engine, "t025").note

    def test_a_locked_account_is_not_even_looked_at(self) -> None:
        service = FakeService(tasks(30), script=[None, failure(Kind.LOCKED)])
        engine = send(service)
        engine.wait(Wait(60, 5))
        assert (service.looks, engine.pending) == (0, 10)
        assert "locked" in engine.warnings[0]

    def test_a_lock_that_a_look_meets_stops_the_run(self) -> None:
        service = FakeService(tasks(30), script=[{"t000": NOT_NOW}], reads=[failure(Kind.LOCKED)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 9, Outcome.REFUSED: 1, Outcome.NOT_ATTEMPTED: 20})

    @pytest.mark.parametrize("kind", [Kind.GONE, Kind.THROTTLED])
    def test_trouble_of_one_scope_leaves_others_alone(self, kind: Kind) -> None:
        known = [*tasks(20), *(task(f"o{number}", scope=OTHER) for number in range(3))]
        service = FakeService(known, script=[failure(kind)])
        # The other scope sorts first, so the trouble strikes it.
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.REFUSED: 3, Outcome.ACCEPTED: 20})

    def test_a_rejected_batch_does_not_stop_the_next(self) -> None:
        service = FakeService(tasks(20), script=[failure(Kind.REJECTED)])
        assert outcomes(send(service)) == Counter({Outcome.REFUSED: 10, Outcome.ACCEPTED: 10})

    def test_three_unknown_calls_in_a_row_stop_the_run(self) -> None:
        script = [failure(Kind.TRANSIENT)] * 5
        service = FakeService(tasks(50), script=script, takes_effect=lambda number: False)
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.UNKNOWN: 30, Outcome.NOT_ATTEMPTED: 20})
        assert set(service.sent.values()) == {1}

    def test_a_clear_outcome_in_between_starts_the_count_anew(self) -> None:
        script = [failure(Kind.LOST), failure(Kind.LOST), None, failure(Kind.LOST), failure(Kind.LOST), None]
        service = FakeService(tasks(60), script=script, takes_effect=lambda number: False)
        assert outcomes(send(service)) == Counter({Outcome.UNKNOWN: 40, Outcome.ACCEPTED: 20})


MAY_HAVE_RUN = [kind for kind in Kind if kind.may_have_run]


class TestStoppingAtRefusals:
    """`No` is what the service says to a task, `Other` to another one; both are refusals."""

    OTHER = Verdict(Answer.REFUSED, ItemError("Other", "nor this one"))

    def run(self, script: list[Reply], *, at: int | None, size: int = 1, count: int = 8, threads: int = 1) -> Engine:
        self.service = FakeService(tasks(count), script=script, facts=FACTS._replace(batch_size=size))
        engine = Engine(self.service, clock=FakeClock(), concurrency=threads, stop_at_refusals=at)
        engine.send(plan_for(list(self.service.known.values())))
        return engine

    def refusals(self, number: int, verdict: Verdict = REFUSED, first: int = 0) -> list[Reply]:
        return [{f"t{one:03}": verdict} for one in range(first, first + number)]

    def test_so_many_in_a_row_stop_the_run(self) -> None:
        engine = self.run(self.refusals(8), at=3)
        assert outcomes(engine) == Counter({Outcome.REFUSED: 3, Outcome.NOT_ATTEMPTED: 5})
        note = result_of(engine, "t007").note
        assert "stop_at_refusals" in note
        assert "3 tasks in a row were refused with No: not this one" in note

    def test_without_the_option_they_do_not(self) -> None:
        assert outcomes(self.run(self.refusals(8), at=None)) == Counter({Outcome.REFUSED: 8})

    def test_one_that_is_accepted_starts_the_count_anew(self) -> None:
        script: list[Reply] = [*self.refusals(2), None, *self.refusals(2, first=3), None, *self.refusals(2, first=6)]
        assert outcomes(self.run(script, at=3)) == Counter({Outcome.REFUSED: 6, Outcome.ACCEPTED: 2})

    def test_one_with_another_code_starts_it_anew_too(self) -> None:
        script = [*self.refusals(2), *self.refusals(2, self.OTHER, 2), *self.refusals(4, first=4)]
        assert outcomes(self.run(script, at=4)) == Counter({Outcome.REFUSED: 8})

    def test_tasks_of_one_call_count_one_by_one(self) -> None:
        whole: Reply = failure(Kind.REJECTED)
        engine = self.run([whole, whole], at=3, size=4)
        assert outcomes(engine) == Counter({Outcome.REFUSED: 4, Outcome.NOT_ATTEMPTED: 4})

    def test_what_is_not_known_neither_counts_nor_starts_anew(self) -> None:
        lost: Reply = failure(Kind.LOST)
        script: list[Reply] = [*self.refusals(2), lost, *self.refusals(5, first=3)]
        self.service = FakeService(
            tasks(8), script=script, takes_effect=lambda number: False, facts=FACTS._replace(batch_size=1)
        )
        engine = Engine(self.service, clock=FakeClock(), stop_at_refusals=3)
        engine.send(plan_for(list(self.service.known.values())))
        assert outcomes(engine) == Counter({Outcome.REFUSED: 3, Outcome.UNKNOWN: 1, Outcome.NOT_ATTEMPTED: 4})

    def test_a_task_that_needs_no_retry_any_more_was_not_refused(self) -> None:
        ahead = {f"t{one:03}": NOT_NOW for one in range(8)}
        service = FakeService([], script=[ahead] * 8, facts=FACTS._replace(batch_size=1))
        before = tasks(8)
        service.known = {one.key: one._replace(state=State.SUCCEEDED) for one in before}
        engine = Engine(service, clock=FakeClock(), stop_at_refusals=1)
        engine.send(plan_for(before))
        assert outcomes(engine) == Counter({Outcome.NONE: 8})

    def test_all_threads_count_together(self) -> None:
        engine = self.run([failure(Kind.REJECTED) for _call in range(40)], at=6, count=40, threads=4)
        refused = outcomes(engine)[Outcome.REFUSED]
        assert 6 <= refused <= 6 + 3
        assert outcomes(engine)[Outcome.NOT_ATTEMPTED] == 40 - refused


@pytest.mark.parametrize("kind", MAY_HAVE_RUN)
class TestLostReplies:
    def test_a_call_that_took_effect_is_settled_by_reading(self, kind: Kind) -> None:
        service = FakeService(tasks(10), script=[failure(kind)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 10})
        assert len(service.calls) == 1
        assert result_of(engine, "t000").state_after is State.RUNNING

    def test_a_call_without_effect_stays_unknown_and_is_not_repeated(self, kind: Kind) -> None:
        service = FakeService(tasks(10), script=[failure(kind)], takes_effect=lambda number: False)
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.UNKNOWN: 10})
        assert len(service.calls) == 1
        error = result_of(engine, "t000").error
        assert error is not None
        assert error.code == kind.value
        assert error.request_id == "r-1"

    def test_a_retry_that_shows_late_is_settled_all_the_same(self, kind: Kind) -> None:
        life = (State.FAILED, State.FAILED, State.RUNNING)
        service = FakeService([task()], script=[failure(kind)], life=life)
        assert outcomes(send(service)) == Counter({Outcome.ACCEPTED: 1})
        assert service.looks == 3

    def test_a_task_that_vanished_stays_unknown(self, kind: Kind) -> None:
        service = FakeService(tasks(1), script=[failure(kind)])
        engine = Engine(service, clock=FakeClock())
        plan = plan_for(list(service.known.values()))
        service.known.clear()
        engine.send(plan)
        assert outcomes(engine) == Counter({Outcome.UNKNOWN: 1})

    def test_a_read_that_fails_too_stops_the_run(self, kind: Kind) -> None:
        service = FakeService(tasks(20), script=[failure(kind)], reads=[failure(Kind.TRANSIENT)])
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.UNKNOWN: 10, Outcome.NOT_ATTEMPTED: 10})


class TestWaiting:
    def waited(self, service: FakeService, timeout: float = 60, interval: float = 5) -> Engine:
        engine = send(service)
        engine.wait(Wait(timeout, interval))
        return engine

    def test_it_ends_as_soon_as_all_have_settled(self) -> None:
        service = FakeService(tasks(3))
        engine = self.waited(service)
        assert {result.state_after for result in engine.results.values()} == {State.SUCCEEDED}
        assert service.looks == 2
        assert engine.pending == 0

    def test_a_new_failure_is_told_from_the_old_one(self) -> None:
        service = FakeService(tasks(1), life=(State.RUNNING, State.FAILED))
        engine = self.waited(service)
        assert result_of(engine, "t000").state_after is State.FAILED
        assert service.looks == 2

    def stale(self, *wait: float) -> Engine:
        """A retry that was accepted while the task goes on showing its old failure."""
        service = FakeService([task()], life=())
        return self.waited(service, *wait)

    def test_a_queued_retry_that_still_shows_the_old_failure_is_waiting_when_the_time_is_over(self) -> None:
        engine = self.stale(9, 5)
        assert engine.pending == 1
        assert result_of(engine, "t1").state_after is State.WAITING

    def test_an_old_failure_that_does_not_go_away_is_a_failure_in_the_end(self) -> None:
        engine = self.stale(600, 5)
        assert engine.pending == 0
        assert result_of(engine, "t1").state_after is State.FAILED

    def test_a_queued_retry_that_begins_late_is_waited_for(self) -> None:
        service = FakeService([task()], life=(State.FAILED, State.RUNNING, State.SUCCEEDED))
        assert result_of(self.waited(service), "t1").state_after is State.SUCCEEDED

    def test_a_task_that_is_no_longer_shown_is_missing_only_after_several_looks(self) -> None:
        service = FakeService(tasks(1))
        engine = send(service)
        service.known.clear()
        engine.wait(Wait(60, 5))
        assert (engine.pending, service.looks) == (0, 3)
        assert result_of(engine, "t000").state_after is State.MISSING

    def test_a_task_that_is_not_shown_for_a_moment_is_waited_for(self) -> None:
        service = FakeService([task()])
        engine = send(service)
        shown = service.known.copy()
        service.known.clear()
        service.on_look = lambda number: service.known.update(shown) if number == 2 else None
        engine.wait(Wait(60, 5))
        assert result_of(engine, "t1").state_after is State.SUCCEEDED

    def test_a_state_that_is_not_known_does_not_count_as_settled(self) -> None:
        service = FakeService(tasks(1), life=[State.UNKNOWN] * 100)
        assert self.waited(service, 30, 5).pending == 1

    def test_one_scope_that_cannot_be_read_does_not_blind_the_others(self) -> None:
        service = FakeService([task("a"), task("b", scope=OTHER)])
        service.unreadable = OTHER
        engine = self.waited(service, 30, 5)
        assert engine.pending == 1
        assert result_of(engine, "a").state_after is State.SUCCEEDED

    def test_looks_that_never_succeed_are_told(self) -> None:
        service = FakeService(tasks(1), reads=[failure(Kind.TRANSIENT)] * 20)
        engine = self.waited(service, 30, 5)
        assert engine.pending == 1
        assert "said transient" in engine.warnings[0]

    def test_it_ends_in_time_and_counts_what_is_left(self) -> None:
        service = FakeService(tasks(2), life=[State.RUNNING] * 100)
        engine = self.waited(service, timeout=30)
        assert engine.pending == 2
        assert service.looks == 6

    def test_a_passing_failure_of_a_look_does_not_end_it(self) -> None:
        service = FakeService(tasks(1), reads=[failure(Kind.TRANSIENT), failure(Kind.LOST)])
        assert result_of(self.waited(service), "t000").state_after is State.SUCCEEDED

    def test_a_denied_look_ends_it_with_a_warning(self) -> None:
        service = FakeService(tasks(1), reads=[failure(Kind.DENIED)])
        engine = self.waited(service)
        assert engine.pending == 1
        assert "denied" in engine.warnings[0]

    def test_it_settles_an_unknown_outcome_when_the_task_moves(self) -> None:
        life = (State.FAILED,) * 3 + (State.RUNNING, State.SUCCEEDED)
        before = task()
        service = FakeService([before], script=[failure(Kind.LOST)], takes_effect=lambda number: False)
        engine = send(service)
        assert outcomes(engine) == Counter({Outcome.UNKNOWN: 1})
        service._lives[before.key] = list(life[3:])
        engine.wait(Wait(60, 5))
        assert outcomes(engine) == Counter({Outcome.ACCEPTED: 1})
        assert result_of(engine, "t1").state_after is State.SUCCEEDED

    def test_a_task_that_never_ends_has_recovered_when_it_keeps_doing_its_work(self) -> None:
        service = FakeService(tasks(1), life=[State.RUNNING] * 100)
        key = next(iter(service.known))
        service.on_look = lambda number: service.known.update({key: service.known[key]._replace(healthy=number >= 3)})
        engine = self.waited(service)
        assert (engine.pending, service.looks) == (0, 4)
        assert result_of(engine, "t000") == Result(Outcome.ACCEPTED, state_after=State.RUNNING, recovered=True)

    def test_what_was_stopped_and_does_not_begin_never_settles(self) -> None:
        paused = task("t000", State.PAUSED)
        service = FakeService([paused], life=[State.PAUSED] * 100)
        engine = Engine(service, clock=FakeClock())
        policy = Policy((), frozenset(), frozenset({State.PAUSED}))
        engine.send(build_plan([paused], Selection(ids=("t000",)), policy, absent=""))
        engine.wait(Wait(60, 5))
        assert engine.pending == 1
        assert result_of(engine, "t000").state_after is State.WAITING

    def test_nothing_accepted_means_nothing_to_look_at(self) -> None:
        service = FakeService(tasks(1), script=[failure(Kind.DENIED)])
        self.waited(service)
        assert service.looks == 0


class TestPatience:
    """Waiting ends in time, also when the service hangs."""

    def engine(self, service: FakeService, clock: FakeClock) -> Engine:
        engine = Engine(service, clock=clock, brake=Brake())
        engine.send(plan_for(list(service.known.values())))
        return engine

    def test_the_time_to_wait_bounds_the_calls_from_then_on(self) -> None:
        clock, brake = FakeClock(), Brake()
        service = FakeService(tasks(1), life=[State.RUNNING] * 99)
        engine = Engine(service, clock=clock, brake=brake)
        engine.send(plan_for(list(service.known.values())))
        assert brake.patience.seconds(30) == 30
        left: list[float] = []
        service.on_look = lambda number: left.append(brake.patience.seconds(30))
        engine.wait(Wait(timeout=12, interval=5))
        assert left == [7, 2, 2]

    def test_no_further_scope_is_tried_after_one_that_hung_until_the_end(self) -> None:
        clock = FakeClock()
        service = FakeService([task("a"), task("b", scope=OTHER)], life=[State.RUNNING] * 99)
        engine = self.engine(service, clock)
        service.unreadable = next(iter(engine.results))[0]
        service.on_look = lambda number: clock.sleep(9)
        engine.wait(Wait(timeout=10, interval=5))
        assert service.looks == 1
        assert engine.pending == 2
        assert engine.trouble is not None

    def test_a_wall_clock_that_jumps_changes_nothing(self) -> None:
        clock = FakeClock()
        service = FakeService(tasks(1), life=[State.RUNNING] * 99)
        engine = self.engine(service, clock)

        def jump(number: int) -> None:
            clock.off += 3600 if number % 2 else -7200

        service.on_look = jump
        before = clock.now
        engine.wait(Wait(timeout=60, interval=5))
        assert service.looks == 12
        assert clock.now - before == 60
