# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Carries out a plan: sends each retry once, settles lost replies by reading, waits and verifies.

A changing call is never sent again after it may have been carried out; see `Caller.change` for what may be repeated.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._plan import Plan
from ansible_collections.redrive.tasks.plugins.module_utils._progress import Sending, Step, Waiting
from ansible_collections.redrive.tasks.plugins.module_utils._service import Diary, Service
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    NOT_REACHED,
    Answer,
    ItemError,
    Outcome,
    Result,
    Scope,
    State,
    Task,
    TaskKey,
    Verdict,
)

Results = Mapping[TaskKey, Result]

# After a lost reply: pauses before each look at the tasks, seconds. The service may need a moment to show the retry.
_SETTLE_PAUSES = (0.0, 1.0, 2.0)
# So many calls in a row whose outcome stays unknown are an outage: stop, rather than leave more in doubt.
_UNKNOWN_IN_A_ROW = 3
# So many calls go well one by one before the next ones go at once, and so many more at once for each that goes well.
_ALONE = 4
_MORE_AT_ONCE = 2
# A task that shows its old failure unchanged after its retry was accepted may still be queued, and one that is not
# shown may come back. Only after this many looks, and the service's own time, it is called failed again, or missing.
_STALE_LOOKS = 3
# A task that never ends by itself is called recovered when so many looks in a row find it doing its work.
_HEALTHY_LOOKS = 2


def _tell_nobody(_step: Step) -> None:
    """Nobody watches."""


class Wait(NamedTuple):
    """How long to wait for retried tasks, and how often to look. Seconds."""

    timeout: float
    interval: float


class Engine:
    """Carries out one plan against one service. Results are kept by task, so that nothing done is ever lost."""

    def __init__(
        self,
        service: Service,
        *,
        clock: Clock,
        concurrency: int = 1,
        brake: Brake | None = None,
        diary: Diary | None = None,
        refusals: Callable[[], int] = int,
        stop_at_refusals: int | None = None,
        tell: Callable[[Step], None] = _tell_nobody,
    ) -> None:
        """`brake` is the one that the service's calls obey; `refusals` tells how many of them came too fast so far.

        `stop_at_refusals` is the option of that name. `tell` is told of every step, on any thread, one at a time.
        """
        self._service = service
        self._clock = clock
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._tasks: dict[TaskKey, Task] = {}
        self._results: dict[TaskKey, Result] = {}
        self._brake = brake or Brake()
        self._diary = diary or Diary()
        self._refusals = refusals
        self._stopped_scopes: dict[Scope, str] = {}
        self._unknown_in_a_row = 0
        self._stop_at_refusals = stop_at_refusals
        self._refused_in_a_row = 0
        self._refused_code = ""
        self._tell = tell
        self._sent = 0
        self._refused = 0
        self._locked = False
        self._one_at_a_time = False
        self.pending = 0
        """Tasks that had not settled when the time to wait was over."""
        self.trouble: CallError | None = None
        """Why the retried tasks could not be looked at when waiting ended."""
        self.warnings: list[str] = []

    @property
    def results(self) -> Results:
        """What came of each task that was to be retried."""
        return self._results

    def send(self, plan: Plan) -> None:
        """Retry what the plan says, each task in exactly one call. Never raises a CallError: results tell."""
        tasks = plan.to_retry
        self._tasks = {task.key: task for task in tasks}
        self._results.update(dict.fromkeys(self._tasks, NOT_REACHED))
        batches = _batches(tasks, self._service.facts.batch_size)
        if self._concurrency == 1:
            for batch in batches:
                self._send_and_tell(batch)
            return
        # Imported here, because every run pays for an import and few need this one.
        from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

        ramp = _Ramp(self._concurrency, alone=1 if self._service.facts.batch_size == 1 else _ALONE)
        with ThreadPoolExecutor(max_workers=self._concurrency) as pool:
            under_way: dict[Future[None], Sequence[Task]] = {}
            for batch in batches:
                while len(under_way) >= ramp.allowed:
                    wait(under_way, return_when=FIRST_COMPLETED)
                    for sent in [one for one in under_way if one.done()]:
                        sent.result()
                        outcomes = [self._results[task.key].outcome for task in under_way.pop(sent)]
                        ramp.note(clear=Outcome.UNKNOWN not in outcomes, refusals=self._refusals())
                under_way[pool.submit(self._send_and_tell, batch)] = batch
            for sent in under_way:
                sent.result()

    def preview(self, plan: Plan) -> None:
        """Find out what `send` would do, with the same reads and no retry.

        :raises CallError: the service did not show its tasks
        """
        tasks = plan.to_retry
        self._results.update(dict.fromkeys((task.key for task in tasks), NOT_REACHED))
        for batch in _batches(tasks, self._service.facts.batch_size):
            self._record(self._still_to_retry(batch), Result(Outcome.PLANNED))

    def _send_and_tell(self, batch: Sequence[Task]) -> None:
        self._send_batch(batch)
        outcomes = [self._results[task.key].outcome for task in batch]
        refused = outcomes.count(Outcome.REFUSED)
        with self._lock:
            self._sent += refused + outcomes.count(Outcome.ACCEPTED) + outcomes.count(Outcome.UNKNOWN)
            self._refused += refused
            self._tell(Sending(self._sent, len(self._tasks), self._refused))

    def _send_batch(self, batch: Sequence[Task]) -> None:
        if self._one_at_a_time and len(batch) > 1:
            self._send_one_by_one(batch)
            return
        scope = batch[0].scope
        reason = self._brake.reason or self._stopped_scopes.get(scope)
        if reason:
            self._record(batch, Result(Outcome.NOT_ATTEMPTED, note=reason))
            return
        try:
            batch = self._still_to_retry(batch)
        except CallError as exc:
            self._stop("because the tasks could not be looked at before their retry", exc)
            self._record(batch, Result(Outcome.NOT_ATTEMPTED, note=self._brake.reason))
            return
        if not batch:
            return
        if self._brake.reason:  # pulled by another thread, during the look
            self._record(batch, Result(Outcome.NOT_ATTEMPTED, note=self._brake.reason))
            return
        self._retry(batch)

    def _retry(self, batch: Sequence[Task]) -> None:
        self._diary.sending(batch)
        try:
            verdicts = self._service.retry(batch)
        except CallError as exc:
            if not exc.kind.may_have_run:
                self._diary.not_run(batch)
            if exc.kind is Kind.TOO_MANY and len(batch) > 1:
                self._one_at_a_time = True
                self._send_one_by_one(batch)
            else:
                self._handle_failed_call(batch, exc)
            return
        self._handle_verdicts(batch, verdicts)

    def _send_one_by_one(self, batch: Sequence[Task]) -> None:
        for task in batch:
            self._send_batch([task])

    def _still_to_retry(self, batch: Sequence[Task]) -> Sequence[Task]:
        """Those that are still what they were when it was decided to retry them, where that may have changed."""
        if not self._service.facts.heals_itself:
            return batch
        now = self._service.read_again(batch)
        note = "its state changed before the retry was to be sent"
        still = []
        for task in batch:
            seen = now.get(task.key)
            if seen is None or seen.state is not task.state:
                self._take_back(task, seen, note)
            elif not seen.fails_like(task):
                self._take_back(task, seen, "left alone: it failed anew meanwhile, which the next run will judge")
            else:
                # From now on it is compared with this look.
                self._tasks[task.key] = seen
                still.append(seen)
        return still

    def _take_back(self, task: Task, seen: Task | None, note: str) -> None:
        self._record([task], Result(Outcome.NONE, state_after=seen.state if seen else State.MISSING, note=note))

    def _handle_verdicts(self, batch: Sequence[Task], verdicts: Mapping[TaskKey, Verdict]) -> None:
        with self._lock:
            self._unknown_in_a_row = 0
            for task in batch:
                verdict = verdicts[task.key]
                outcome = Outcome.ACCEPTED if verdict.answer is Answer.ACCEPTED else Outcome.REFUSED
                self._results[task.key] = Result(outcome, error=verdict.error, finding=verdict.finding)
        answers = {answer: [task for task in batch if verdicts[task.key].answer is answer] for answer in Answer}
        if answers[Answer.ACCEPTED]:
            self._diary.accepted(answers[Answer.ACCEPTED])
        not_now = answers[Answer.NOT_NOW]
        if answers[Answer.REFUSED] or not_now:
            self._diary.not_run([*answers[Answer.REFUSED], *not_now])
        if not_now:
            self._explain_refusals(not_now)
        silent = answers[Answer.SILENT]
        if silent:
            self._settle(silent, verdicts[silent[0].key].error or ItemError("", "no answer for this task"))
        self._count_refusals(batch)

    def _explain_refusals(self, tasks: Sequence[Task]) -> None:
        """Find out whether tasks whose state does not allow a retry need none any more."""
        try:
            now = self._service.read_again(tasks)
        except CallError as exc:
            self.warnings.append(f"{len(tasks)} tasks whose retry was refused could not be looked at again: {exc}")
            if not exc.kind.passing:
                self._stop("because the tasks could not be looked at", exc)
            return
        for task in tasks:
            seen = now.get(task.key)
            if seen is not None and (seen.state.under_way or seen.state is State.SUCCEEDED):
                self._take_back(task, seen, "nothing to do any more: the service was ahead of the retry")
            else:
                state = seen.state if seen else State.MISSING
                self._record([task], self._results[task.key]._replace(state_after=state))

    def _handle_failed_call(self, batch: Sequence[Task], exc: CallError) -> None:
        error = ItemError(exc.code, str(exc), exc.request_id)
        if exc.kind.may_have_run:
            self._settle(batch, error)
            return
        if exc.kind is Kind.STOPPED:
            self._record(batch, Result(Outcome.NOT_ATTEMPTED, note=exc.text))
            return
        if exc.kind in (Kind.UNREACHED, Kind.LOCKED):
            self._stop("", exc)
            self._record(batch, Result(Outcome.NOT_ATTEMPTED, error=error, note=self._brake.reason))
            return
        if exc.kind in (Kind.DENIED, Kind.EXPIRED):
            self._stop("because every further retry would be refused alike", exc)
        elif exc.kind in (Kind.GONE, Kind.THROTTLED):
            self._stopped_scopes[batch[0].scope] = f"nothing more was sent for the same parent: {exc}"
        self._record(batch, Result(Outcome.REFUSED, error=error))
        self._count_refusals(batch)

    def _count_refusals(self, batch: Sequence[Task]) -> None:
        """Send nothing more once as many tasks in a row as the user allows were refused with the same code."""
        with self._lock:
            for result in (self._results[task.key] for task in batch):
                if result.outcome is Outcome.ACCEPTED:
                    self._refused_in_a_row = 0
                elif result.outcome is Outcome.REFUSED and result.error:
                    same = result.error.code == self._refused_code
                    self._refused_in_a_row = self._refused_in_a_row + 1 if same else 1
                    self._refused_code = result.error.code
                    if self._refused_in_a_row == self._stop_at_refusals:
                        self._brake.stop(
                            f"the run stopped, as stop_at_refusals asks, when {self._stop_at_refusals} tasks in a row"
                            f" were refused with {self._refused_code or 'no code'}: {result.error.message}"
                        )

    def _stop(self, why: str, exc: CallError) -> None:
        """Send nothing more; while the account is locked, not even to look."""
        self._locked = self._locked or exc.kind is Kind.LOCKED
        if exc.kind is not Kind.STOPPED:
            self._brake.stop(f"the run stopped{', ' if why else ''}{why}: {exc}")

    def _settle(self, batch: Sequence[Task], error: ItemError) -> None:
        """Find out by reading what a call did whose reply is lost; what does not show stays unknown."""
        self._record(batch, Result(Outcome.UNKNOWN, error=error, note="no clear reply; reading did not settle it"))
        open_tasks: Sequence[Task] = batch
        for pause in _SETTLE_PAUSES:
            self._clock.sleep(pause)
            try:
                now = self._service.read_again(open_tasks)
            except CallError as exc:
                self._stop("because neither a retry nor a look at its outcome got through", exc)
                return
            for task in open_tasks:
                self._settle_task(task, now.get(task.key))
            open_tasks = [task for task in open_tasks if self._results[task.key].outcome is Outcome.UNKNOWN]
            if not open_tasks:
                break
        with self._lock:
            self._unknown_in_a_row = self._unknown_in_a_row + 1 if len(open_tasks) == len(batch) else 0
            if self._unknown_in_a_row >= _UNKNOWN_IN_A_ROW:
                self._brake.stop(
                    f"the run stopped after {_UNKNOWN_IN_A_ROW} retry calls in a row without a clear outcome:"
                    f" {error.message}"
                )

    def _settle_task(self, before: Task, now: Task | None) -> None:
        """Record as accepted a task whose state shows that the service took its retry."""
        if now is None or not now.moved_since(before):
            return
        note = "the reply was lost, and reading the state again shows that the retry was accepted"
        result = Result(Outcome.ACCEPTED, state_after=now.state, note=note, recovered=now.state is State.SUCCEEDED)
        self._diary.accepted([before])
        self._record([before], result)

    def wait(self, wait: Wait) -> None:
        """Look at the retried tasks until each has settled or the time is over. Never raises a CallError."""
        deadline = self._brake.patience.deadline = Deadline.after(self._clock, wait.timeout)
        stale_seconds = self._service.facts.stale_seconds
        watches = {
            key: _Watch(self._tasks[key], self._clock.monotonic(), stale_seconds)
            for key, result in self._results.items()
            if result.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)
        }
        if self._locked and watches:
            self.warnings.append(f"{len(watches)} tasks were not looked at, because the account is locked.")
        watched = tuple(watches)
        self._tell_of(watched, watches, deadline)
        while watches and not (deadline.passed or self._locked or self._brake.interrupted.is_set()):
            self._clock.sleep(min(wait.interval, deadline.remaining))
            self.trouble, read = self._look_around(watches)
            self._tell_of(watched, watches, deadline)
            if self.trouble and not self.trouble.kind.passing and not read:
                break
        self.pending = len(watches)
        if self.trouble:
            self.warnings.append(f"Waiting ended with {len(watches)} tasks that could not be looked at: {self.trouble}")

    def _tell_of(self, watched: Sequence[TaskKey], open_: Mapping[TaskKey, _Watch], deadline: Deadline) -> None:
        settled = [self._results[key] for key in watched if key not in open_]
        self._tell(
            Waiting(
                retried=len(watched),
                recovered=sum(result.recovered for result in settled),
                failed_again=sum(result.state_after is State.FAILED for result in settled),
                running=len(open_),
                seconds_left=math.ceil(deadline.remaining),
            )
        )

    def _look_around(self, watches: dict[TaskKey, _Watch]) -> tuple[CallError | None, bool]:
        """Look at every watched task, and stop watching what has settled; what went wrong, and whether any was read."""
        trouble: CallError | None = None
        read = False
        for group in _by_scope(watch.before for watch in watches.values()):
            try:
                now = self._service.read_again(group)
            except CallError as exc:
                trouble = exc
                if self._brake.patience.ends_within(0):
                    break
                continue
            read = True
            for task in group:
                if self._look(watches[task.key], now.get(task.key)):
                    del watches[task.key]
        return trouble, read

    def _look(self, watch: _Watch, now: Task | None) -> bool:
        """Take note of a task's state; whether it has settled."""
        key = watch.before.key
        settled = watch.settled(now, self._clock.monotonic())
        if now is not None and self._results[key].outcome is Outcome.UNKNOWN:
            self._settle_task(watch.before, now)
        state = now.state if now else State.MISSING
        accepted = self._results[key].outcome is Outcome.ACCEPTED
        if accepted and state is watch.before.state and not settled:
            # The old failure, still shown: its retry has been accepted and has not begun.
            state = State.WAITING
        if now is not None or settled:
            recovered = settled and now is not None and (now.healthy or now.state is State.SUCCEEDED)
            again = now if settled and accepted and state is State.FAILED else None
            self._results[key] = self._results[key]._replace(state_after=state, recovered=recovered, failed_as=again)
        return settled

    def _record(self, batch: Iterable[Task], result: Result) -> None:
        with self._lock:
            for task in batch:
                self._results[task.key] = result


class _Ramp:
    """How many calls may be under way: one at first, and more for each that went well.

    So a refusal that stops the run costs one call, an outage leaves few in doubt, and a limit that nobody published is
    met by few calls.
    """

    def __init__(self, most: int, *, alone: int) -> None:
        """`most` in the end; `alone` calls go well before there is more than one."""
        self._most = most
        self._alone = alone
        self._well = 0
        self._refusals = 0
        self.allowed = 1

    def note(self, *, clear: bool, refusals: int) -> None:
        """A call has ended: is it clear what came of it, and how many were refused for coming too fast so far."""
        well = clear and refusals == self._refusals
        self._well = self._well + 1 if well else 0
        self._refusals = refusals
        self.allowed = max(1, min(self._most, 1 + _MORE_AT_ONCE * (self._well + 1 - self._alone)))


class _Watch:
    """Tells a new failure from the old one that the service still shows."""

    def __init__(self, before: Task, started: float, stale_seconds: float) -> None:
        self.before = before
        self._started = started
        self._stale_seconds = stale_seconds
        self._looks = 0
        self._healthy_looks = 0
        self._moved = False

    def settled(self, now: Task | None, moment: float) -> bool:
        """Whether no later look will show anything else."""
        self._looks += 1
        old_enough = self._looks >= _STALE_LOOKS and moment - self._started >= self._stale_seconds
        if now is None:
            return old_enough
        self._moved = self._moved or now.moved_since(self.before)
        self._healthy_looks = self._healthy_looks + 1 if now.healthy else 0
        if self._healthy_looks >= _HEALTHY_LOOKS:
            return True
        if now.state.under_way or now.state is State.UNKNOWN:
            return False
        # An old failure that stays is a new one some day; what a person stopped and is stopped still has not begun.
        return self._moved or (old_enough and now.state is State.FAILED)


def _by_scope(tasks: Iterable[Task]) -> list[list[Task]]:
    """Tasks of one scope together, otherwise in their order."""
    groups: dict[Scope, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.scope, []).append(task)
    return list(groups.values())


def _batches(tasks: Sequence[Task], size: int) -> Iterator[list[Task]]:
    """Tasks of one scope together, at most `size` of them."""
    for group in _by_scope(tasks):
        for start in range(0, len(group), size):
            yield group[start : start + size]
