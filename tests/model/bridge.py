# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the transport: takes requests to the simulated cloud without a wire, and keeps a ledger of them.

The ledger is what invariants judge by. It holds what the cloud knows, never what a run says of itself.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from local_cloud import faults
from local_cloud.faults import Fault, Wire
from local_cloud.server import Cloud
from local_cloud.services import Answer, Call, Operation
from local_cloud.tasks import Clock, Status
from model.cases import Act, At, Deed, Trouble, Weather, Which
from model.interleaving import Scheduler, Strand
from model.sides import Key, Side, Tracked

BEGINNING = 1_700_000_000.0
TIMEOUT = 30.0
_UNREACHED_AFTER = 0.1


class CloudClock(Clock):
    """The cloud's time is that of the play."""

    def __init__(self) -> None:
        super().__init__(BEGINNING)
        self.scheduler: Scheduler | None = None
        self.kept = BEGINNING

    def now(self) -> float:
        return self.kept if self.scheduler is None else self.scheduler.now


class Reply(Enum):
    """What a run got for a request."""

    NONE_YET = "none yet"
    UNREACHED = "unreached"
    LOST = "lost"
    SPOILT = "spoilt"
    REFUSED = "refused"
    GOOD = "good"


@dataclass(eq=False)
class Entry:
    """One request.

    :ivar run: who sent it
    :ivar started: when; `arrived` and `ended` are None where that never was
    :ivar keys: the tasks that a change names, in its order
    :ivar truths: what these were when the request arrived
    :ivar executed: those of which a retry took effect
    :ivar carried_out: whether the cloud did what it was asked for, whatever it then said
    :ivar accepted: those that a good reply says to be accepted
    :ivar silent: those of which a good reply to a retry does not say a word
    :ivar shown: the service's words for the state of each task in a reply that was fit to be read
    :ivar seen: what every task of the world was when the request had been answered
    :ivar whole: whether nothing went wrong with it and the simulator speaks plainly, so that its reply is clear
    :ivar trouble: what went wrong with it, if that really happened
    :ivar left_as: place of its sending among all sendings and replies; `came_as` is that of its reply
    :ivar begun_after_interrupt: whether its run had been told to end; `excused` if its thread had passed that point
    """

    number: int
    run: Any
    strand: Strand
    started: float
    begun_after_interrupt: bool
    excused: bool
    operation: str = ""
    changes: bool = False
    place: int = 0
    keys: tuple[Key, ...] = ()
    ids: tuple[str, ...] = ()
    arrived: float | None = None
    ended: float | None = None
    truths: Mapping[Key, str] = field(default_factory=dict)
    executed: frozenset[Key] = frozenset()
    carried_out: bool = False
    accepted: frozenset[Key] = frozenset()
    silent: frozenset[Key] = frozenset()
    shown: Mapping[Key, str] = field(default_factory=dict)
    seen: Mapping[Key, str] = field(default_factory=dict)
    reply: Reply = Reply.NONE_YET
    status: int | None = None
    code: str = ""
    trouble: Trouble | None = None
    whole: bool = False
    left_as: int = 0
    came_as: int | None = None

    def id_of(self, key: Key) -> str:
        """The id by which it named the task."""
        return self.ids[self.keys.index(key)]

    def replied_before(self, other: Entry) -> bool:
        """Whether its reply, or that there is none, was known when the other one was sent."""
        return self.came_as is not None and self.came_as < other.left_as

    def __repr__(self) -> str:
        what = f" {[one[1][:8] for one in self.keys]} executed {len(self.executed)}" if self.changes else ""
        trouble = f" ({self.trouble.value})" if self.trouble else ""
        return f"<{self.number} {self.operation}{what}: {self.reply.value} {self.status} {self.code}{trouble}>"


class Bridge:
    """One simulated cloud, what happens to it, and everything that was asked of it."""

    def __init__(self, side: Side, cloud: Cloud, clock: CloudClock) -> None:
        self.side = side
        self.cloud = cloud
        self.clock = clock
        self.tracked: list[Tracked] = []
        self.ledger: list[Entry] = []
        self.touched: set[Key] = set()
        """Tasks to which somebody else did something."""
        self.speaks_unclearly = False
        """Whether the dialect of the service leaves open what a good reply means."""
        self.counts_pages = False
        """Whether the total that the service tells is that of a page."""
        self.interrupt: Callable[[], object] = bool  # of the first run of a play
        self.interrupted_at: int | None = None
        self._weather = Weather()
        self._counts: dict[Which, int] = {}
        self._events = 0
        self._aliases: dict[Key, Key] = {}
        self._folders: dict[int, str] = {}

    def folder(self, machine: int) -> str:
        """Where this machine keeps its locks; one that is gone with the world."""
        if machine not in self._folders:
            path = self._folders[machine] = tempfile.mkdtemp(prefix="redrive-model-")
            weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return self._folders[machine]

    @property
    def usual_way(self) -> float:
        """How long a request is on its way there and back, seconds."""
        return self._weather.ways.usual

    @property
    def scheduler(self) -> Scheduler:
        scheduler = self.clock.scheduler
        if scheduler is None:
            raise RuntimeError("no play is on")
        return scheduler

    def by_key(self) -> dict[Key, Tracked]:
        """Every task of the world."""
        return {one.key: one for one in self.tracked}

    def canonical(self, key: Key) -> Key:
        """The key that the task had when the world began: a service may give it another id with its retry."""
        for one in self.tracked:
            self._aliases[one.key[0], one.task.id] = one.key
        return self._aliases.get(key, key)

    def truths(self) -> dict[Key, str]:
        """What every task is now."""
        return {one.key: one.truth for one in self.tracked}

    def begin(self, weather: Weather) -> None:
        """From now on this is what happens; requests are counted from here."""
        self._weather = weather
        self._counts = dict.fromkeys(Which, 0)
        self.touched.clear()
        self.interrupted_at = None

    # -- a request ----------------------------------------------------------------------------------------------------

    def send(self, run: Any, request: Request) -> Response:
        """As `Transport.send`.

        :raises CallError: as there
        """
        call = self._call(request)
        operation = self._operation(call)
        moments = self._moments(changes=operation.changes)
        entry = self._enter(run, operation)
        self._happen(moments, after=False)
        entry.trouble = next((one for at, one in self._weather.troubles if self._is_at(at, moments)), None)
        if entry.trouble is Trouble.UNREACHED:
            self.scheduler.sleep(_UNREACHED_AFTER)
            entry.reply = Reply.UNREACHED
            self._end(entry)
            raise CallError(Kind.UNREACHED, "the service could not be reached: scripted", code="unreachable")
        ways = self._weather.ways
        self.scheduler.sleep(ways.usual / 2 + ways.late.get(moments[Which.ANY] or 0, 0.0))
        answer, headers, fault = self._answer(entry, call, operation)
        self._happen(moments, after=True)
        self.scheduler.sleep(ways.usual / 2)
        try:
            return self._reply(entry, answer, headers, fault)
        finally:
            self._end(entry)

    def _end(self, entry: Entry) -> None:
        entry.ended, entry.came_as = self.scheduler.now, self._tick()

    def _tick(self) -> int:
        self._events += 1
        return self._events

    def _call(self, request: Request) -> Call:
        headers = dict(request.headers)
        if not any(name.lower() == "host" for name in headers):
            headers["Host"] = urlsplit(request.base_url).netloc
        if request.body:
            headers["Content-Length"] = str(len(request.body))
        number = f"{len(self.ledger):024X}"
        return Call(request.method, request.target, tuple(headers.items()), request.body, number, secure=True)

    def _operation(self, call: Call) -> Operation:
        service = next(one for one in self.cloud.world.services.values() if one.claims(call))
        return service.operation(call)

    def _enter(self, run: Any, operation: Operation) -> Entry:
        scheduler = self.scheduler
        interrupted = self.interrupted_at is not None and run.interrupted
        place = self.side.place_of(operation)
        number = self.side.place_number(place)
        entry = Entry(
            number=len(self.ledger),
            run=run,
            strand=scheduler.strand,
            started=scheduler.now,
            begun_after_interrupt=interrupted,
            excused=run.excuses(scheduler.strand),
            operation=operation.name,
            changes=operation.changes,
            place=place,
            keys=tuple(self.canonical((number, one)) for one in operation.ids),
            ids=tuple(operation.ids),
            left_as=self._tick(),
        )
        self.ledger.append(entry)
        return entry

    def _answer(self, entry: Entry, call: Call, operation: Operation) -> tuple[Answer, Mapping[str, str], Fault | None]:
        world = self.cloud.world
        entry.arrived = self.scheduler.now
        known = self.by_key()
        entry.truths = {key: known[key].truth if key in known else "unknown" for key in entry.keys}
        before = [world.executed[one] for one in entry.ids]
        if entry.trouble is not None:
            self.cloud.faults.add(*fault_of(entry.trouble, self.side))
        outcome = self.cloud.answer(call)
        entry.seen = self.truths()
        struck = outcome.fault
        self.cloud.faults.clear()
        record = self.cloud.requests[-1]
        entry.executed = frozenset(
            key for key, one, times in zip(entry.keys, entry.ids, before) if world.executed[one] > times
        )
        entry.status, entry.code = record.status, record.code or ""
        entry.carried_out = record.took_effect
        if struck is None:
            entry.trouble = None
        return outcome.answer, {name.lower(): value for name, value in outcome.headers}, struck

    def _reply(self, entry: Entry, answer: Answer, headers: Mapping[str, str], fault: Fault | None) -> Response:
        entry.reply = Reply.LOST
        if fault is not None:
            if fault.delay:
                self.scheduler.sleep(TIMEOUT)
                raise CallError(Kind.LOST, "no complete reply in time", code="timeout")
            if fault.wire is Wire.ENDLESS:
                entry.reply = Reply.SPOILT
                raise CallError(Kind.BROKEN, "the reply is larger than 8 MiB", code="reply_too_large", status=200)
            if fault.wire is not Wire.PLAIN:
                text = f"the connection broke before a complete reply: {fault.wire.value}"
                raise CallError(Kind.LOST, text, code="connection_broken")
        if fault is not None and (fault.spoil or fault.answer):
            entry.reply = Reply.SPOILT
        elif entry.code:
            entry.reply = Reply.REFUSED
        else:
            entry.reply, entry.whole = Reply.GOOD, fault is None
            self._note(entry, answer)
        return Response(answer.status, headers, answer.body)

    def _note(self, entry: Entry, answer: Answer) -> None:
        """What a good reply tells."""
        if entry.changes:
            accepted, named = self.side.accepted(entry.ids, answer), self.side.named(answer)
            pairs = list(zip(entry.keys, entry.ids))
            entry.accepted = frozenset(key for key, one in pairs if one in accepted)
            entry.silent = frozenset(key for key, one in pairs if named is not None and one not in named)
        elif answer.body:
            number = self.side.place_number(entry.place)
            content = json.loads(answer.body)
            entry.shown = {self.canonical((number, one)): word for one, word in self.side.shown(content)}

    # -- what others do -----------------------------------------------------------------------------------------------

    def _moments(self, *, changes: bool) -> Mapping[Which, int | None]:
        """The number of this request among all, among those that change something, and among the others."""
        mine = {Which.ANY, Which.CHANGES if changes else Which.READS}
        moments = {which: self._counts[which] if which in mine else None for which in Which}
        for which in mine:
            self._counts[which] += 1
        return moments

    @staticmethod
    def _is_at(at: At, moments: Mapping[Which, int | None]) -> bool:
        return moments[at.which] == at.number

    def _happen(self, moments: Mapping[Which, int | None], *, after: bool) -> None:
        for act in self._weather.acts:
            if act.at.after == after and self._is_at(act.at, moments):
                self.do(act)
        at = self._weather.interrupt
        if at is not None and at.after == after and self._is_at(at, moments) and self.interrupted_at is None:
            self.interrupted_at = len(self.ledger)
            self.interrupt()

    def do(self, act: Act) -> None:
        """Somebody else does this now."""
        if act.deed is Deed.EXPIRE:
            self._expire()
            return
        if not self.tracked:
            return
        chosen = self.tracked[act.task % len(self.tracked)]
        if act.deed is Deed.REMOVE_PLACE:
            if self.side.gone is not None:
                chosen.home.vanished = True
                self.touched.update(one.key for one in self.tracked if one.home is chosen.home)
            return
        self._do_to(chosen, act.deed)

    def _do_to(self, one: Tracked, deed: Deed) -> None:
        task, now = one.task, self.clock.now()
        self.touched.add(one.key)
        if deed is Deed.RETRY:
            if task.can_be_retried():
                task.retry(now)
        elif deed is Deed.HEAL:
            task.succeed(now)
        elif deed is Deed.FAIL_ANEW:
            task.fail(now, "" if not self.side.has_codes else task.code or "77776", "It failed anew.")
        elif deed is Deed.STOP and self.side.stop is not None:
            task.fail(now, "", "")
            task.status = Status.STOPPED
        elif deed is Deed.REMOVE:
            if self.side.name == "drs":
                task.details["deleted"] = True
            else:
                one.home._tasks.pop(task.id, None)

    def _expire(self) -> None:
        if self.side.name == "drs":
            self.cloud.world.drs.expire_tokens()


def fault_of(trouble: Trouble, side: Side) -> list[Fault]:
    """What the simulator is told to do; nothing where this service has no such thing."""
    made: dict[Trouble, Callable[[], Fault]] = {
        Trouble.RESET_BEFORE: faults.reset,
        Trouble.RESET_AFTER: lambda: faults.reset(effect="after"),
        Trouble.CLOSE_BEFORE: faults.close,
        Trouble.CLOSE_AFTER: lambda: faults.close(effect="after"),
        Trouble.CUT: faults.cut,
        Trouble.LATE: lambda: faults.late(delay=TIMEOUT + 1),
        Trouble.ENDLESS: faults.endless,
        Trouble.TOO_FAST: faults.throttle,
        Trouble.TOO_FAST_A_MINUTE: lambda: faults.throttle(retry_after=60),
        Trouble.FAILS_BEFORE: faults.error,
        Trouble.FAILS_AFTER: lambda: faults.error(effect="after"),
        Trouble.PAGE_BEFORE: faults.html,
        Trouble.PAGE_AFTER: lambda: faults.html(effect="after"),
        Trouble.HALF: faults.broken_json,
        Trouble.OTHER_SHAPE: lambda: faults.wrong_shape(shape="list", key=side.list_key),
        Trouble.DENIED: lambda: _error(side.denied),
        Trouble.REJECTED: lambda: _error(side.rejected),
    }
    if trouble in made:
        return [made[trouble]()]
    pair = {Trouble.PARENT_GONE: side.gone, Trouble.LOCKED: side.locked}.get(trouble)
    return [_error(pair)] if pair else []


def _error(pair: tuple[int, str]) -> Fault:
    status, code = pair
    return faults.error(status=status, code=code, message=re.sub(r"[.]", " ", code))
