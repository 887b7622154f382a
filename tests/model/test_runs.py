# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made-up worlds, options, troubles and turns; after each run every invariant holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bridge import Bridge
from model.budget import examples
from model.cases import Case, Weather
from model.invariants import changes, hold, told
from model.making import UNCLEAR, cases, choices
from model.playing import Running, a_run, build, play
from model.sides import SIDES

IN_ANY_WEATHER = 200
SERVICES = pytest.mark.parametrize("service", SIDES)


def world_of(case: Case) -> Bridge:
    """The world of a case."""
    bridge = build(case)
    bridge.speaks_unclearly = case.dialect.get("all_failed") in UNCLEAR
    bridge.counts_pages = case.dialect.get("total") == "page"
    return bridge


def hold_in_any_weather(case: Case) -> Running:
    """One run, in whatever weather."""
    return a_run_in(case)


@SERVICES
@examples(IN_ANY_WEATHER)
@given(data=st.data())
def test_every_invariant_holds_in_any_weather(service: str, data: st.DataObject) -> None:
    hold_in_any_weather(data.draw(cases(service)))


def a_run_in(case: Case, **how: bool) -> Running:
    """A run in a new world of the case's own."""
    bridge = world_of(case)
    run = a_run(bridge, case.choice, **how)
    play(bridge, case.weather, run, limits=case.limits)
    hold(run)
    return run


def decisions(run: Running) -> list[tuple[object, ...]]:
    """What was decided about each task, and why; without what was noted behind the reason later."""
    return [
        (
            task["id"],
            task["scope"],
            task["state"],
            task["action"],
            task["reason"].partition("; ")[0],
            task.get("failure"),
        )
        for task in run.result.get("tasks", ())
    ]


@SERVICES
@examples(50)
@given(data=st.data())
def test_check_mode_decides_as_the_real_run_does_on_the_same_state(service: str, data: st.DataObject) -> None:
    decides_alike(data.draw(cases(service, calm=True)))


def decides_alike(case: Case) -> None:
    """The info module, check mode and the real run, each in a world of its own of the same making, decide alike."""
    informed, checked, real = (a_run_in(case, **how) for how in ({"informs": True}, {"check": True}, {}))
    if "tasks" not in real.result:
        assert ("tasks" in checked.result, checked.result["msg"]) == (False, real.result["msg"])
        return
    if case.choice.tasks is not None or not case.choice.stopped_too:  # an info module names states
        assert decisions(informed) == decisions(checked)
    assert list(told(checked)) == list(told(real))
    planned = {key for key, task in told(checked).items() if task["outcome"] == "planned"}
    in_the_dark = real.result["counts"]["unknown"] >= 3  # which ends the run
    assert planned == {key for entry in changes(real) for key in entry.keys} or in_the_dark
    # What the service says to a retry can take a decision back.
    for key, task in told(real).items():
        if "error" not in task and "state_after" not in task:
            assert told(checked)[key]["action"] == task["action"]


@SERVICES
@examples(50)
@given(data=st.data())
def test_a_second_run_on_a_healed_world_changes_nothing(service: str, data: st.DataObject) -> None:
    """After a run in whatever weather everything heals; the next run, with the same options, sends nothing."""
    case = data.draw(cases(service))
    bridge = world_of(case)
    play(bridge, case.weather, a_run(bridge, case.choice), limits=case.limits)
    heal(bridge)
    second = a_run(bridge, replace(case.choice, stopped_too=False))
    play(bridge, Weather(ways=case.weather.ways, order=case.weather.order), second, limits=case.limits)
    hold(second)
    assert not changes(second)
    assert second.result.get("changed", False) is False
    assert not {task["action"] for task in second.result.get("tasks", ())} - {"none", "skip"}


@SERVICES
@examples(60)
@given(data=st.data())
def test_a_second_run_retries_just_what_is_failed_then(service: str, data: st.DataObject) -> None:
    """After a run in whatever weather, interrupted as it may be, one in calm weather does the rest and no more.

    That is held against the world as it is then: what the first run did, or believes to have done, plays no part.
    """
    case = data.draw(cases(service))
    bridge = world_of(case)
    play(bridge, case.weather, a_run(bridge, case.choice), limits=case.limits)
    second = a_run(bridge, case.choice)
    play(bridge, Weather(ways=case.weather.ways, order=case.weather.order, fine=True), second, limits=case.limits)
    hold(second)


def heal(bridge: Bridge) -> None:
    """Every task of the world is done, and what was to happen to it later is off."""
    for one in bridge.tracked:
        one.task.succeed(bridge.clock.now())
        one.task.details.pop("status", None)


@SERVICES
@examples(30)
@given(data=st.data())
def test_threads_and_their_turns_do_not_show_in_the_result(service: str, data: st.DataObject) -> None:
    """In calm weather a run of many threads, in whatever order, tells just what a run of one thread tells."""
    case = data.draw(cases(service, calm=True, plain=True))
    results = []
    for concurrency in (1, data.draw(st.integers(2, 8), label="concurrency")):
        more = {**case.choice.more, "concurrency": concurrency, "wait": False}
        bridge = world_of(case)
        run = a_run(bridge, replace(case.choice, more=more))
        play(bridge, case.weather, run, limits=case.limits)
        hold(run)
        results.append({name: value for name, value in run.result.items() if name != "requests"})
    assert results[0] == results[1]


@SERVICES
@examples(80)
@given(data=st.data())
def test_two_runs_at_once(service: str, data: st.DataObject) -> None:
    """On two machines nothing keeps two runs apart but the service; on one, they exclude each other.

    Each keeps to all that holds for a single one: it sends a task at most once, and none that it saw otherwise than
    failed at its last look. On one machine no task is retried by both, unless it failed anew in between.
    """
    case = data.draw(cases(service, most=6))
    second = data.draw(choices(service, len(case.seeds)))
    machine = data.draw(st.integers(0, 1), label="machine of the second run")
    bridge = world_of(case)
    runs = [a_run(bridge, case.choice), a_run(bridge, second, machine=machine)]
    play(bridge, case.weather, *runs, limits=case.limits)
    for run in runs:
        hold(run)
