# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Retry modules: find, judge, retry what should be retried, wait and verify."""

from __future__ import annotations

from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._argspec import retry_spec
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, InputError
from ansible_collections.redrive.tasks.plugins.module_utils._module.claim import Claim
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Found, Front, Run
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Plan
from ansible_collections.redrive.tasks.plugins.module_utils._progress import VARIABLE, Board, Sending
from ansible_collections.redrive.tasks.plugins.module_utils._service import Service
from ansible_collections.redrive.tasks.plugins.module_utils._task import State


def run_retry_module(front: Front) -> None:
    """The whole of a retry module."""
    run = Run(front, retry_spec())
    with run.reporting():
        _require_selection(run, front.facts.id_option)
        claim = Claim(run, front.facts.stale_seconds)
        board = Board(run.environ.get(VARIABLE, ""))
        board.show(Sending(0, 0, 0))
        try:
            found = run.find(frozenset({State.FAILED}), before=claim.take)
            _Retry(front, run, found, claim, board).carry_out()
        finally:
            claim.release()


def _require_selection(run: Run, id_option: str) -> None:
    """Exactly one selection: leaving both out must never mean everything."""
    given, all_failed = run.ids is not None, run.params["all_failed"]
    if given and all_failed:
        raise InputError(f"{id_option} and all_failed: true are both given: give one of them.")
    if not (given or all_failed):
        raise InputError(
            f"No selection: give {id_option}, or all_failed: true. An empty selection never means everything."
        )


class _Retry:
    """Carries out a plan and reports it."""

    def __init__(self, front: Front, run: Run, found: Found, claim: Claim, board: Board) -> None:
        self._front = front
        self._run = run
        self._claim = claim
        self._board = board
        self._decide(found)
        self._pending = 0
        self._trouble: CallError | None = None

    def _decide(self, found: Found) -> None:
        self._found = found
        self._plan: Plan = found.plan()
        self._results: _result.Results = _result.not_attempted(self._plan)

    def carry_out(self) -> None:
        """Retry, wait, and end the module."""
        with self._run.reporting(self._result):
            service = self._found.service
            if service is not None:
                self._take_in_earlier_runs(service)
            self._plan.refuse_more_than(self._run.params["max_tasks"])
            if service is not None:
                self._act(service)
            self._finish()

    def _take_in_earlier_runs(self, service: Service) -> None:
        """Decide anew about tasks that a run before this one has sent, once it shows what became of them."""
        seen = self._claim.look_until_shown(self._plan.to_retry, service)
        if seen:
            self._decide(self._found.seen_again(seen))

    def _act(self, service: Service) -> None:
        if not self._plan.to_retry:
            return
        # Imported here, because every run pays for an import and one that finds nothing does not need this one.
        from ansible_collections.redrive.tasks.plugins.module_utils._engine import Engine, Wait

        params, facts = self._run.params, self._front.facts
        run = self._run
        concurrency = params["concurrency"] or facts.concurrency
        engine = Engine(
            service,
            clock=run.clock,
            concurrency=concurrency,
            brake=run.brake,
            diary=self._claim,
            refusals=lambda: run.throttled,
            stop_at_refusals=params["stop_at_refusals"],
            tell=self._board.show,
        )
        self._results = engine.results
        if self._run.check_mode:
            engine.preview(self._plan)
            return
        engine.send(self._plan)
        self._claim.release()  # others need not wait while this one waits for its tasks
        if params["wait"]:
            engine.wait(Wait(params["wait_timeout"], params["wait_interval"] or facts.wait_interval))
        self._pending, self._trouble = engine.pending, engine.trouble
        for warning in engine.warnings:
            self._run.warn(warning)

    def _finish(self) -> None:
        result = self._result()
        problems = result["problems"]
        failures = _result.failures(problems, self._run.params["fail_on"])
        interrupted = self._run.brake.interrupted.is_set()
        if not (failures or interrupted):
            self._run.exit(result)
        words = [result["msg"]]
        if interrupted:
            words.append(f"{self._run.brake.reason}.")
        if failures:
            words.append(f"Failed, as fail_on asks: {', '.join(failures)}.")
        words += _result.first_error(result["tasks"])
        words += [str(self._trouble)] if self._trouble and problems["timed_out"] else []
        if problems["unknown"] or problems["not_attempted"]:
            words.append("Run again: the next run reads the states first, and retries only what is still failed.")
        self._run.fail(" ".join(words), result)

    def _result(self) -> dict[str, Any]:
        results = self._results
        plan = _result.amended(self._plan, results)
        count = _result.counts(plan, results)
        return {
            "changed": _result.changed(results),
            "msg": _result.sentence(count, check_mode=self._run.check_mode, waited=self._run.params["wait"]),
            "tasks": _result.tasks(plan, results, self._found.policy.rules),
            "counts": count,
            "problems": _result.problems(count, results, self._pending),
            "causes": _result.causes(plan),
            "requests": self._run.requests(),
            "diff": _result.diff(plan, results, self._front.facts.retried_state),
        }
