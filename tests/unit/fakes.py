# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for time, network and service, whose behaviour a test writes down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter, Signer
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._limits import Rate
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._service import ServiceFacts
from ansible_collections.redrive.tasks.plugins.module_utils._task import (
    ACCEPTED,
    Scope,
    State,
    Task,
    TaskKey,
    Verdict,
    Window,
)
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

NOW = 1_700_000_000.0
SCOPE: Scope = (("project", "shop"), ("logstore", "access"), ("shipper", "to-oss"))
OTHER: Scope = (("project", "shop"), ("logstore", "access"), ("shipper", "to-odps"))


class FakeClock(Clock):
    """Stands still unless somebody sleeps. The machine's time may be off, or jump: `off` by so many seconds."""

    def __init__(self, off: float = 0.0) -> None:
        self.now = NOW
        self.off = off
        self.slept: list[float] = []

    def machine_time(self) -> float:
        return self.now + self.off

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(0.0, seconds)


def task(task_id: str = "t1", state: State = State.FAILED, *, scope: Scope = SCOPE, **fields: Any) -> Task:
    """A task, failed unless said otherwise."""
    words = {State.FAILED: "fail", State.SUCCEEDED: "success", State.RUNNING: "running"}
    return Task(
        **{"id": task_id, "scope": scope, "status": words.get(state, ""), "state": state, "created": NOW, **fields}
    )


def tasks(count: int, **fields: Any) -> list[Task]:
    """That many failed tasks, t000 first."""
    return [task(f"t{number:03}", **fields) for number in range(count)]


FACTS = ServiceFacts(
    name="fake",
    id_option="task_ids",
    absent="not found",
    batch_size=10,
    wait_interval=5.0,
    retried_state=State.RUNNING,
    rules=(),
    horizon=3600,
)

Reply = Union[None, CallError, Mapping[str, Verdict]]
"""What a retry call does: accept all, raise, or say something else of some by id."""


class FakeService:
    """Keeps tasks; `script` says what each retry call does in turn, `life` what a retried task then shows."""

    def __init__(
        self,
        known: Iterable[Task],
        *,
        script: Sequence[Reply] = (),
        takes_effect: Callable[[int], bool] = lambda number: True,
        life: Sequence[State] = (State.RUNNING, State.SUCCEEDED),
        reads: Sequence[CallError | None] = (),
        facts: ServiceFacts = FACTS,
    ) -> None:
        self.facts = facts
        self.known = {one.key: one for one in known}
        self._script = list(script)
        self._takes_effect = takes_effect
        self._life = life
        self._reads = list(reads)
        self._lives: dict[TaskKey, list[State]] = {}
        self.calls: list[list[str]] = []
        self.looks = 0
        self.on_look: Callable[[int], object] = lambda number: None
        self.unreadable: Scope | None = None

    @property
    def sent(self) -> Counter[str]:
        """How often each id was sent."""
        return Counter(one for call in self.calls for one in call)

    def list_tasks(self, window: Window, states: frozenset[State]) -> list[Task]:
        return [one for one in self.known.values() if one.state in states]

    def find_tasks(self, ids: Sequence[str], window: Window) -> list[Task]:
        return list(self.known.values())

    def read_again(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Task]:
        self.looks += 1
        self.on_look(self.looks)
        if any(one.scope == self.unreadable for one in tasks):
            raise failure(Kind.TRANSIENT)
        _raise(self._reads)
        for one in tasks:
            self._live(one.key)
        return {one.key: self.known[one.key] for one in tasks if one.key in self.known}

    def _live(self, key: TaskKey) -> None:
        life, before = self._lives.get(key), self.known.get(key)
        if not life or before is None:
            return
        state = life.pop(0)
        # A task that has not begun to run anew shows the end of its old run.
        begun = before.state is State.RUNNING
        finished = NOW + self.looks if begun and state is not State.RUNNING else before.finished
        self.known[key] = before._replace(state=state, finished=finished)

    def retry(self, tasks: Sequence[Task]) -> Mapping[TaskKey, Verdict]:
        number = len(self.calls)
        self.calls.append([one.id for one in tasks])
        reply = self._script[0] if self._script else None
        refused = reply if isinstance(reply, Mapping) else {}
        if reply is None or isinstance(reply, Mapping) or (reply.kind.may_have_run and self._takes_effect(number)):
            self._lives.update({one.key: list(self._life) for one in tasks if one.id not in refused})
        _raise(self._script)
        return {one.key: refused.get(one.id, ACCEPTED) for one in tasks}


def _raise(script: list[Any]) -> None:
    """Take the next thing off the script, and raise it if it is an error."""
    for error in script[:1]:
        del script[0]
        if isinstance(error, CallError):
            raise error


def failure(kind: Kind, **more: Any) -> CallError:
    """A failed call of that kind."""
    return CallError(kind, f"said {kind.value}", code=kind.value, request_id="r-1", **more)


def reply(status: int = 200, body: Any = "", **headers: str) -> Response:
    """A reply; anything but text becomes JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, text.encode())


class FakeTransport:
    """Answers each request with the next thing written down, or by a function; keeps what was sent, signed."""

    def __init__(self, script: Sequence[Response | CallError] | Callable[[Request], Response]) -> None:
        self._script = script if callable(script) else list(script)
        self.sent: list[Request] = []
        self.fresh: list[bool] = []

    def send(self, request: Request, *, fresh: bool = False) -> Response:
        self.sent.append(request)
        self.fresh.append(fresh)
        answer = self._script(request) if callable(self._script) else self._script.pop(0)
        if isinstance(answer, CallError):
            raise answer
        return answer


def caller(
    transport: FakeTransport,
    clock: FakeClock,
    *,
    max_attempts: int = 5,
    rate: Rate | None = None,
    sign: Signer = lambda request: request,
    counters: Counters | None = None,
) -> Caller:
    """A caller over a fake transport, without jitter."""
    return Caller(
        transport=transport,  # type: ignore[arg-type]
        sign=sign,
        max_attempts=max_attempts,
        limiter=RateLimiter(rate, clock),
        clock=clock,
        random=lambda: 1.0,
        counters=counters or Counters(),
        masker=Masker(),
    )
