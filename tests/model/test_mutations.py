# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model has teeth: bugs of the kind that it is there for are put in, and it finds each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.redrive.tasks.plugins.module_utils import _attempts, _engine, _plan, _result, _window
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter
from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine
from ansible_collections.redrive.tasks.plugins.module_utils._errors import Kind
from ansible_collections.redrive.tasks.plugins.module_utils._module import common
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Action,
    Outcome,
    Result,
    State,
    Task,
    Window,
)
from model.invariants import BrokenError
from model.making import cases
from model.test_runs import IN_ANY_WEATHER, decides_alike, hold_in_any_weather

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch], None]


def _resends_after_a_lost_reply(patch: Patch) -> None:
    patch.setattr(_attempts, "_REPEAT_CHANGE", (Kind.UNREACHED, Kind.THROTTLED, Kind.LOST))


def _resends_after_a_failure_of_the_server(patch: Patch) -> None:
    patch.setattr(_attempts, "_REPEAT_CHANGE", (Kind.UNREACHED, Kind.THROTTLED, Kind.TRANSIENT))


def _sends_what_has_not_failed(patch: Patch) -> None:
    decide = _plan._decide

    def careless(task: Task, selection: Any, policy: Any) -> Any:
        decision = decide(task, selection, policy)
        running = task.state is State.RUNNING
        return decision._replace(action=Action.RETRY) if running else decision

    patch.setattr(_plan, "_decide", careless)
    patch.setattr(_plan, "_selected", lambda task, selection: True)
    selection = common.Run.selection
    patch.setattr(common.Run, "selection", lambda self, states: selection(self, frozenset(State)))


def _sends_without_a_second_look(patch: Patch) -> None:
    patch.setattr(Engine, "_still_to_retry", lambda self, batch: batch)


def _loses_the_end_of_the_last_batch(patch: Patch) -> None:
    batches = _engine._batches

    def lossy(tasks: Sequence[Task], size: int) -> Any:
        made = list(batches(tasks, size))
        return [*made[:-1], made[-1][:-1]] if made and len(made[-1]) > 1 else made

    patch.setattr(_engine, "_batches", lossy)


def _names_a_task_in_two_batches(patch: Patch) -> None:
    batches = _engine._batches

    def overlapping(tasks: Sequence[Task], size: int) -> Any:
        made = list(batches(tasks, size))
        return [*made, made[0][:1]] if len(made) > 1 else made

    patch.setattr(_engine, "_batches", overlapping)


def _counts_twice(patch: Patch) -> None:
    counts = _result.counts

    def more(plan: Any, results: Any) -> dict[str, int]:
        made = counts(plan, results)
        return {**made, "accepted": made["accepted"] + made["unknown"]}

    patch.setattr(_result, "counts", more)


def _check_mode_does_not_look(patch: Patch) -> None:
    def preview(self: Engine, plan: Any) -> None:
        self._results.update(dict.fromkeys((task.key for task in plan.to_retry[:-1]), Result(Outcome.PLANNED)))
        self._results.update(dict.fromkeys((task.key for task in plan.to_retry[-1:]), Result(Outcome.NOT_ATTEMPTED)))

    patch.setattr(Engine, "preview", preview)


def _check_mode_sends(patch: Patch) -> None:
    patch.setattr(Engine, "preview", Engine.send)


def _ignores_the_brake(patch: Patch) -> None:
    patch.setattr(Brake, "stop", lambda self, reason: None)


def _ignores_an_interrupt(patch: Patch) -> None:
    patch.setattr(Brake, "check", lambda self, *, changes: None)


def _records_refused_as_accepted(patch: Patch) -> None:
    handle = Engine._handle_verdicts

    def trusting(self: Engine, batch: Any, verdicts: Mapping[Any, Any]) -> None:
        handle(self, batch, dict.fromkeys(verdicts, ACCEPTED))

    patch.setattr(Engine, "_handle_verdicts", trusting)


def _takes_a_failed_server_for_a_refusal(patch: Patch) -> None:
    patch.setattr(Kind, "may_have_run", property(lambda self: self in (Kind.LOST, Kind.BROKEN)))


def _takes_silence_for_acceptance(patch: Patch) -> None:
    settle = Engine._settle

    def hopeful(self: Engine, batch: Any, error: Any) -> None:
        settle(self, batch, error)
        self._record(batch, Result(Outcome.ACCEPTED))

    patch.setattr(Engine, "_settle", hopeful)


def _believes_the_old_failure(patch: Patch) -> None:
    patch.setattr(_engine, "_STALE_LOOKS", 1)
    patch.setattr(_engine._Watch, "settled", lambda self, now, moment: now is None or not now.state.under_way)


def _looks_back_too_far(patch: Patch) -> None:
    resolve = _window.resolve_window

    def wider(since: Any, until: Any, **more: Any) -> Window:
        window = resolve(since, until, **more)
        return Window(window.since, window.until + 2)

    patch.setattr(common, "resolve_window", wider)


def _forgets_max_tasks(patch: Patch) -> None:
    patch.setattr(_plan.Plan, "refuse_more_than", lambda self, most: None)


def _forgets_the_rate(patch: Patch) -> None:
    patch.setattr(RateLimiter, "wait", lambda self, api: None)


def _forgets_to_count(patch: Patch) -> None:
    add = Counters.add

    def first_only(self: Counters, *, repeated: bool, **more: Any) -> None:
        if not repeated:
            add(self, repeated=repeated, **more)

    patch.setattr(Counters, "add", first_only)


def _mixes_up_the_order(patch: Patch) -> None:
    patch.setattr(_plan, "_age", lambda task: (task.id, task.scope, task.created or 0.0))


def _mixes_up_tasks_of_one_id(patch: Patch) -> None:
    patch.setattr(Task, "key", property(lambda self: ((), self.id)))


def _gives_up_a_parent_for_good(patch: Patch) -> None:
    handle = Engine._handle_verdicts

    def stopping(self: Engine, batch: Any, verdicts: Any) -> None:
        handle(self, batch, verdicts)
        self._stopped_scopes[batch[0].scope] = "enough for today"

    patch.setattr(Engine, "_handle_verdicts", stopping)


def _reads_one_page_only(patch: Patch) -> None:
    from ansible_collections.redrive.tasks.plugins.module_utils import _discovery
    from ansible_collections.redrive.tasks.plugins.module_utils._services import sls

    for module in (_discovery, sls):
        patch.setattr(module, "is_last_page", lambda *_, **__: True)


def _does_not_renew(patch: Patch) -> None:
    patch.setattr(Caller, "renew", bool, raising=False)


def _looks_at_the_brake_too_early(patch: Patch) -> None:
    """Before the wait for its turn, which may be long, instead of after it."""
    wait, check = RateLimiter.wait, Brake.check

    def attempt(self: Caller, request: Any, *args: Any, changes: bool, **more: Any) -> Any:
        check(self.brake, changes=changes)
        return genuine(self, request, *args, changes=changes, **more)

    genuine = Caller._attempt
    patch.setattr(Caller, "_attempt", attempt)
    patch.setattr(Brake, "check", lambda self, *, changes: None)
    patch.setattr(RateLimiter, "wait", wait)


# The bug, the service in whose worlds it is looked for, and the invariants of which one must tell.
MUTATIONS: Sequence[tuple[Mutation, str, tuple[str, ...]]] = (
    (_resends_after_a_lost_reply, "sls", ("nothing_is_sent_twice",)),
    (_resends_after_a_failure_of_the_server, "cls", ("nothing_is_sent_twice",)),
    (_sends_what_has_not_failed, "sls", ("only_what_was_seen_failed_is_sent", "only_what_is_due_is_sent")),
    (_sends_without_a_second_look, "geelark", ("what_may_heal_by_itself_is_looked_at_last",)),
    (_loses_the_end_of_the_last_batch, "drs", ("in_calm_weather_all_that_is_due_is_retried",)),
    (_names_a_task_in_two_batches, "sls", ("nothing_is_sent_twice",)),
    (_counts_twice, "cls", ("counts_add_up",)),
    (_check_mode_sends, "geelark", ("only_a_real_run_sends",)),
    (_ignores_the_brake, "sls", ("the_brake_holds",)),
    (_ignores_an_interrupt, "drs", ("nothing_is_sent_after_an_interrupt", "the_brake_holds")),
    (_records_refused_as_accepted, "geelark", ("accepted_was_executed",)),
    (_takes_a_failed_server_for_a_refusal, "sls", ("what_was_executed_is_never_denied",)),
    (_takes_silence_for_acceptance, "cls", ("accepted_was_executed",)),
    (_believes_the_old_failure, "cls", ("recovered_has_recovered",)),
    (_looks_back_too_far, "geelark", ("only_what_is_due_is_sent",)),
    (_forgets_max_tasks, "drs", ("max_tasks_holds",)),
    (_forgets_the_rate, "sls", ("the_rate_is_kept",)),
    (_forgets_to_count, "geelark", ("requests_are_counted",)),
    (_mixes_up_the_order, "geelark", ("the_order_is_stable",)),
    (_mixes_up_tasks_of_one_id, "cls", ("nothing_is_lost", "every_task_ends_in_one_outcome")),
    (_gives_up_a_parent_for_good, "sls", ("in_calm_weather_all_that_is_due_is_retried",)),
    (_reads_one_page_only, "sls", ("nothing_is_lost",)),
    (_looks_at_the_brake_too_early, "cls", ("the_brake_holds", "nothing_is_sent_after_an_interrupt")),
)

# What can be seen only where nothing else happens.
IN_CALM_WEATHER = (
    _check_mode_sends,
    _loses_the_end_of_the_last_batch,
    _gives_up_a_parent_for_good,
    _looks_back_too_far,
    _reads_one_page_only,
    _mixes_up_tasks_of_one_id,
)

SEARCH = settings(
    max_examples=IN_ANY_WEATHER,  # as many as are tried in CI for each service, of the same making
    derandomize=True,  # what is found today is found tomorrow
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(
    ("mutation", "service", "by"), MUTATIONS, ids=[mutation.__name__.strip("_") for mutation, _on, _by in MUTATIONS]
)
def test_a_bug_is_found(monkeypatch: Patch, mutation: Mutation, service: str, by: tuple[str, ...]) -> None:
    calm = mutation in IN_CALM_WEATHER

    @SEARCH
    @given(data=st.data())
    def search(data: st.DataObject) -> None:
        (decides_alike if calm else hold_in_any_weather)(data.draw(cases(service, calm=calm)))

    mutation(monkeypatch)
    with pytest.raises(BaseException) as found:  # noqa: PT011 - several at once come as a group
        search()
    names = {one.name for one in _each(found.value) if isinstance(one, BrokenError)}
    assert names & set(by) or not by, f"it was found by {names}: {found.value}"


def _each(error: BaseException) -> list[BaseException]:
    """The error, or those that it is a group of."""
    inner = getattr(error, "exceptions", None)
    return [error] if inner is None else [leaf for one in inner for leaf in _each(one)]
