# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the real modules, from their options to their results, against a simulated cloud under virtual time.

All that is replaced is what belongs to the machine: AnsibleModule's way in and out, time, threads, and the wire.
"""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from ansible_collections.redrive.tasks.plugins.module_utils._argspec import how_spec, info_spec, retry_spec, what_spec
from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller
from ansible_collections.redrive.tasks.plugins.module_utils._brake import Brake
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._module import claim, common, info, retry
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from local_cloud.server import Cloud
from model.bridge import BEGINNING, TIMEOUT, Bridge, CloudClock, Entry
from model.cases import Case, Choice, Limits, Weather
from model.interleaving import Executor, Lock, Scheduler, Strand, Threading, current, replaced, wait
from model.sides import SIDES, Key, Side, Tracked

PLUGINS = "ansible_collections.redrive.tasks.plugins.module_utils."


class PlayClock(Clock):
    """The clock of a run: that of the play."""

    def __init__(self, woken: threading.Event) -> None:
        super().__init__(woken)
        self._scheduler = _scheduler()
        self._ended_early = woken.is_set

    def machine_time(self) -> float:
        self._scheduler.point()
        return self._scheduler.now

    def monotonic(self) -> float:
        self._scheduler.point()
        return self._scheduler.now - BEGINNING + 5000.0

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._scheduler.sleep(seconds, self._ended_early)


def _scheduler() -> Scheduler:
    scheduler = current()
    if scheduler is None:
        raise RuntimeError("no play is on")
    return scheduler


class _Ended(SystemExit):
    """A module ends."""

    def __init__(self, result: dict[str, Any], *, failed: bool) -> None:
        super().__init__(int(failed))
        self.result = result
        self.failed = failed


class _Module:
    """As much of AnsibleModule as a run needs; it has read the options already."""

    def __init__(self, **_: Any) -> None:
        self._running: Running = _scheduler().strand.owner
        self.params = dict(self._running.options)
        self.check_mode = self._running.check
        self._name = f"{self._running.side.name}_model"
        self.no_log_values: set[str] = set()

    def warn(self, text: str) -> None:
        self._running.warnings.append(text)

    def exit_json(self, **result: Any) -> None:
        raise _Ended(result, failed=False)

    def fail_json(self, **result: Any) -> None:
        raise _Ended(result, failed=True)


class Transport:
    """As the real one, over the bridge."""

    def __init__(self, **_: Any) -> None:
        self._running: Running = _scheduler().strand.owner

    def send(self, request: Request, *, fresh: bool = False) -> Response:
        return self._running.bridge.send(self._running, request)


@dataclass(eq=False)
class Running:
    """One run of a module: what it is told, and what came of it.

    :ivar options: as the module gets them, with defaults
    :ivar machine: on which machine it runs: runs on one exclude each other, and know what was just sent
    """

    bridge: Bridge
    options: Mapping[str, Any]
    choice: Choice
    check: bool = False
    informs: bool = False
    machine: int = 0
    batch: int | None = None
    jitter: float = 0.5
    brake: Brake = field(default_factory=Brake)
    result: dict[str, Any] = field(default_factory=dict)
    failed: bool = False
    warnings: list[str] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    interrupted: bool = False
    fine: bool = False
    weather_was_calm: bool = False
    truths: Mapping[Key, str] = field(default_factory=dict)
    """What every task was when the run began."""
    created: Mapping[Key, float] = field(default_factory=dict)
    """And when it had been created."""
    said: Mapping[Key, str] = field(default_factory=dict)
    """And why it had failed."""
    _excused: set[Strand] = field(default_factory=set)

    @property
    def entries(self) -> list[Entry]:
        """Its requests, in the order in which they were sent."""
        return [one for one in self.bridge.ledger if one.run is self]

    @property
    def side(self) -> Side:
        return self.bridge.side

    def interrupt(self) -> None:
        """Somebody wants it to end: as its signal handler does. Too late for one that has ended."""
        if self.ended:
            return
        self.interrupted = True
        self._excused = {one for one in self.bridge.scheduler.others if one.checked and one.owner is self}
        self.brake.interrupt("The run was interrupted by SIGTERM")

    def excuses(self, strand: Strand) -> bool:
        """Whether this thread was between a look at the brake and its request when the run was interrupted."""
        excused = strand in self._excused
        self._excused.discard(strand)
        return excused

    def main(self) -> None:
        """The whole module."""
        self.began, self.truths = self.bridge.clock.now(), self.bridge.truths()
        self.said = {one.key: one.task.message for one in self.bridge.tracked}
        self.created = {one.key: one.task.created for one in self.bridge.tracked}
        try:
            (info.run_info_module if self.informs else retry.run_retry_module)(self.side.front)
        except _Ended as end:
            self.result, self.failed = end.result, end.failed
        except Exception:  # noqa: BLE001 - it belongs to this run, not to the play
            self.result, self.failed = {"msg": f"This is a bug: not caught: {traceback.format_exc()}"}, True
        self.ended = self.bridge.clock.now()


class _Run(common.Run):
    """A run without an environment, whose pauses are told beforehand."""

    def __init__(self, front: common.Front, own_spec: Any) -> None:
        super().__init__(front, own_spec)
        self.environ = {}
        self._running: Running = _scheduler().strand.owner
        self._running.brake = self.brake

    def caller(self, *args: Any, **kwargs: Any) -> Caller:
        return replace(super().caller(*args, **kwargs), random=lambda: self._running.jitter)


# -- worlds and options ------------------------------------------------------------------------------------------------


def build(case: Case) -> Bridge:
    """The world of a case; two of one case are alike."""
    side, clock = SIDES[case.service](), CloudClock()
    cloud = Cloud(clock)
    side.prepare(cloud, case.dialect)
    bridge = Bridge(side, cloud, clock)
    for seed in case.seeds:
        bridge.tracked.append(side.add(cloud, seed, _twin(bridge.tracked, seed.place) if seed.twin else None))
    side.after_setup(cloud, bridge.tracked)
    return bridge


def _twin(tracked: list[Tracked], place: int) -> str | None:
    """An id that a task of another place has and none of this one."""
    own = {one.key[1] for one in tracked if one.seed.place == place}
    return next((one.key[1] for one in tracked if one.seed.place != place and one.key[1] not in own), None)


@cache
def _defaults(name: str, *, informs: bool) -> dict[str, Any]:
    own = info_spec() if informs else retry_spec()
    spec = {**SIDES[name].front.argument_spec(), **what_spec(), **own, **how_spec()}
    return {name: option.get("default") for name, option in spec.items()}


def options_of(bridge: Bridge, choice: Choice, *, informs: bool = False) -> dict[str, Any]:
    """The options of a run, as the module gets them."""
    side = bridge.side
    options = {
        **_defaults(side.name, informs=informs),
        "timeout": TIMEOUT,
        **side.credentials(bridge.cloud),
        **side.where(choice.one_place),
        **_selection(bridge, choice, informs=informs),
        **(_acting(choice) if not informs else {}),
        "max_tasks": choice.max_tasks,
    }
    if choice.rule:
        options["rules"] = [{"match": "zebra", "class": choice.rule}]
    if choice.classes is not None:
        options["retry_classes"] = list(choice.classes)
    if choice.stopped_too and side.stop:
        options[side.stop] = True
    return options


def _acting(choice: Choice) -> dict[str, Any]:
    return {"all_failed": choice.tasks is None, **choice.more}


def _selection(bridge: Bridge, choice: Choice, *, informs: bool) -> dict[str, Any]:
    side = bridge.side
    options: dict[str, Any] = {}
    if choice.tasks is not None:
        options[side.front.facts.id_option] = [id_of(bridge, number) for number in choice.tasks]
    for name, age in (("since", choice.since), ("until", choice.until)):
        if age is not None:
            options[name] = str(int(BEGINNING) - age)
    if choice.marked_only:
        options["message_regex"] = "ZEBRA"
    if choice.code_of is not None:
        options["codes"] = [side.words(choice.code_of).get("code") or "no-such-code"]
    return options


def id_of(bridge: Bridge, number: int) -> str:
    """The id of the task of that number; one that is unknown for a number too large."""
    if number < len(bridge.tracked):
        return bridge.tracked[number].task.id
    return f"9999{number:08}"


# -- playing -----------------------------------------------------------------------------------------------------------


def play(bridge: Bridge, weather: Weather, *runs: Running, limits: Limits = Limits()) -> None:  # noqa: B008
    """Run these at once, each to its end."""
    scheduler = Scheduler(now=bridge.clock.kept, order=weather.order, fine=weather.fine)
    bridge.begin(weather)
    bridge.interrupt = runs[0].interrupt
    bridge.clock.scheduler = scheduler
    for run in runs:
        run.batch, run.jitter, run.fine = limits.batch, weather.jitter, weather.fine
        run.weather_was_calm = weather.calm and len(runs) == 1
    try:
        with _machine(), replaced(*bridge.side.limited(limits), *_batches(bridge.side, limits)):
            scheduler.play(*((run, run.main) for run in runs))
    finally:
        bridge.clock.kept = scheduler.now
        bridge.clock.scheduler = None


def _batches(side: Side, limits: Limits) -> list[tuple[Any, str, Any]]:
    """What to replace so that a retry call names no more tasks than this."""
    if not limits.batch:
        return []
    service: Any = side.service
    return [(service, "facts", service.facts._replace(batch_size=limits.batch))]


def a_run(bridge: Bridge, choice: Choice, *, check: bool = False, informs: bool = False, machine: int = 0) -> Running:
    """A run that has not begun."""
    options = options_of(bridge, choice, informs=informs)
    return Running(bridge, options, choice, check=check, informs=informs, machine=machine)


class _Folders:
    """The module tempfile, for whoever asks where a machine keeps its locks."""

    @staticmethod
    def gettempdir() -> str:
        running: Running = _scheduler().strand.owner
        return running.bridge.folder(running.machine)


@cache
def _with_threads() -> list[Any]:
    """The modules of the collection that make locks."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(PLUGINS) and hasattr(module, "threading") and not name.endswith(("._http", "._clock"))
    ]


@cache
def _cached_properties() -> list[Any]:
    """Until Python 3.12 each has a lock, one for all objects of its class."""
    values = [value for side in SIDES.values() for value in vars(side.service).values()]
    return [one for one in values if isinstance(one, cached_property) and hasattr(one, "lock")]


@contextmanager
def _machine() -> Iterator[None]:
    """Time, threads and the way into a module, as the play has them."""
    with replaced(
        *((one, "lock", Lock()) for one in _cached_properties()),
        *((module, "threading", Threading) for module in _with_threads()),
        (concurrent.futures, "ThreadPoolExecutor", Executor),
        (concurrent.futures, "wait", wait),
        (retry, "Run", _Run),
        (info, "Run", _Run),
        (common, "_Module", _Module),
        (common, "_ENDINGS", ()),
        (common, "Clock", PlayClock),
        (common, "Transport", Transport),
        (claim, "tempfile", _Folders),
    ):
        yield
