# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that take turns as a test says, under a clock that moves only when all of them wait.

Of all strands (threads under the scheduler) one runs at a time. It gives way where it would wait: for a reply, for a
time, for a lock, for the result of another strand; and, where turns are fine, at every lock and every look at the
clock as well. Who goes next is the next number of `order`; when the numbers are used up, it is whoever waits longest.
So one list of numbers is one interleaving, always the same, and the empty list is the plainest.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures._base import DoneAndNotDoneFutures
from contextlib import contextmanager
from types import TracebackType
from typing import Any

_REAL_SECONDS = 60.0  # a strand that holds its turn for so long is stuck in something that is no part of the model
_MOST_TURNS = 100_000


class StuckError(AssertionError):
    """The run never ends: everybody waits for somebody else, or it goes on and on."""


class _Abandoned(BaseException):
    """Ends a strand of a scheduler that is stuck."""


class Strand:
    """One thread. `owner` is what it works for, and so do the strands that it starts."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.baton = threading.Semaphore(0)
        self.wake_at = 0.0
        self.ready: Callable[[], bool] | None = None
        self.checked = False
        """Whether it gave way at a fine point, so that it may act on what it saw before."""


_here = threading.local()
_stage: list[Scheduler] = []


def current() -> Scheduler | None:
    """The scheduler that is at work, if one is."""
    return _stage[-1] if _stage else None


class Scheduler:
    """Turns and time of one play."""

    def __init__(self, *, now: float, order: Sequence[int] = (), fine: bool = False) -> None:
        """`now` is in epoch seconds."""
        self.now = now
        self._order = deque(order)
        self._fine = fine
        self._strands: list[Strand] = []
        self._turns = 0
        self._stuck: StuckError | None = None

    @property
    def strand(self) -> Strand:
        """The one whose turn it is."""
        strand: Strand = _here.strand
        return strand

    @property
    def others(self) -> list[Strand]:
        """Those that wait for their turn."""
        return [one for one in self._strands if one is not self.strand]

    def play(self, *mains: tuple[Any, Callable[[], None]]) -> None:
        """Run these to their ends, each for its owner; the first in this thread. None of them raises anything."""
        _stage.append(self)
        try:
            _here.strand = first = Strand(mains[0][0])
            self._strands.append(first)
            for owner, main in mains[1:]:
                self.start(main, owner)
            mains[0][1]()
            self.wait_for(lambda: len(self._strands) == 1)
        finally:
            self._strands.clear()
            _stage.remove(self)

    def start(self, main: Callable[[], None], owner: Any) -> None:
        """A further strand; its first turn comes when somebody gives way."""
        strand = Strand(owner)
        self._strands.append(strand)
        threading.Thread(target=self._live, args=(strand, main), daemon=True).start()

    def _live(self, strand: Strand, main: Callable[[], None]) -> None:
        _here.strand = strand
        try:
            self._await_turn(strand)
            main()
        except _Abandoned:
            return
        self._strands.remove(strand)
        self._next().baton.release()

    def sleep(self, seconds: float, woken: Callable[[], bool] | None = None) -> None:
        """Give way until so many seconds have passed, or `woken`."""
        self._give_way(self.now + max(0.0, seconds), woken)

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Give way until this is so."""
        if not ready():
            self._give_way(math.inf, ready)

    def point(self) -> None:
        """Give way for a moment, where turns are fine."""
        if self._fine and len(self._strands) > 1:
            self.strand.checked = True
            self._give_way(self.now, None)
            self.strand.checked = False

    def _give_way(self, wake_at: float, ready: Callable[[], bool] | None) -> None:
        strand = self.strand
        strand.wake_at, strand.ready = wake_at, ready
        self._strands.remove(strand)
        self._strands.append(strand)
        chosen = self._next()
        if chosen is not strand:
            chosen.baton.release()
            self._await_turn(strand)

    def _await_turn(self, strand: Strand) -> None:
        if not strand.baton.acquire(timeout=_REAL_SECONDS):
            self._stuck = self._stuck or StuckError("a strand holds its turn and waits for what nobody here controls")
            raise self._stuck
        if self._stuck:
            raise _Abandoned

    def _next(self) -> Strand:
        """The strand whose turn is next; time passes until there is one."""
        self._turns += 1
        able = [one for one in self._strands if self._is_able(one)]
        if not able:
            wake_at = min((one.wake_at for one in self._strands), default=math.inf)
            if wake_at == math.inf:
                self._give_up("everybody waits for somebody else")
            self.now = wake_at
            able = [one for one in self._strands if self._is_able(one)]
        if self._turns > _MOST_TURNS:
            self._give_up(f"it has not ended after {_MOST_TURNS} turns")
        return able[self._order.popleft() % len(able)] if len(able) > 1 and self._order else able[0]

    def _is_able(self, strand: Strand) -> bool:
        return strand.wake_at <= self.now or (strand.ready is not None and strand.ready())

    def _give_up(self, why: str) -> None:
        self._stuck = StuckError(why)
        for one in self.others:
            one.baton.release()
        raise self._stuck


# -- what stands in for the machine's own ------------------------------------------------------------------------------


class Lock:
    """A lock whose waiting is a matter of turns."""

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        scheduler = current()
        if scheduler is not None:
            scheduler.point()
            if self._held and not blocking:
                return False
            scheduler.wait_for(lambda: not self._held)
        self._held = True
        return True

    def release(self) -> None:
        self._held = False

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Future(Future[Any]):
    def result(self, timeout: float | None = None) -> Any:
        scheduler = current()
        if scheduler is not None:
            scheduler.wait_for(self.done)
        return super().result(timeout)


class Executor:
    """As ThreadPoolExecutor, as far as it is used; its workers are strands."""

    def __init__(self, max_workers: int | None = None, *_: Any, **__: Any) -> None:
        self._most = max_workers or 4
        self._workers = 0
        self._waiting: deque[tuple[_Future, Callable[[], Any]]] = deque()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = _Future()
        self._waiting.append((future, lambda: function(*args, **kwargs)))
        if self._workers < self._most:
            self._workers += 1
            self._scheduler.start(self._work, self._scheduler.strand.owner)
        return future

    def map(self, function: Callable[..., Any], *iterables: Any) -> Iterator[Any]:
        futures = [self.submit(function, *args) for args in zip(*iterables)]
        return (future.result() for future in futures)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        while cancel_futures and self._waiting:
            self._waiting.popleft()[0].cancel()
        if wait:
            self._scheduler.wait_for(lambda: self._workers == 0)

    @property
    def _scheduler(self) -> Scheduler:
        scheduler = current()
        if scheduler is None:
            raise RuntimeError("no play is on")
        return scheduler

    def _work(self) -> None:
        while self._waiting:
            future, call = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except _Abandoned:
                raise
            except BaseException as error:  # noqa: BLE001 - as the executor that this stands in for
                future.set_exception(error)
        self._workers -= 1

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()


def wait(
    futures: Iterable[Future[Any]], timeout: float | None = None, return_when: str = FIRST_COMPLETED
) -> DoneAndNotDoneFutures[Any]:
    """As concurrent.futures.wait, as far as it is used: until one of them is done."""
    scheduler = current()
    waited = list(futures)
    if scheduler is not None:
        scheduler.wait_for(lambda: any(one.done() for one in waited))
    done = {one for one in waited if one.done()}
    return DoneAndNotDoneFutures(done, set(waited) - done)


class Threading:
    """The module threading, for those who make locks of it."""

    Lock = Lock
    RLock = threading.RLock
    Event = threading.Event
    local = threading.local


@contextmanager
def replaced(*names: tuple[Any, str, Any]) -> Iterator[None]:
    """Sets attributes, each given as owner, name and value, and puts the old ones back."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _value in names]
    for owner, name, value in names:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
