# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One world that lives on: runs, looks in check mode, other people, outages and time come in any order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from model.bridge import Bridge
from model.budget import examples
from model.cases import Act, At, Case, Deed, Limits, Weather
from model.invariants import hold
from model.making import LIMITS, calm_weathers, choices, dialects, seeds, weathers
from model.playing import Running, a_run, play
from model.sides import SIDES
from model.test_runs import world_of

_MOST = 8


class World(RuleBasedStateMachine):
    """Everything that can happen to one account. After each step all invariants hold."""

    service = ""

    def __init__(self) -> None:
        super().__init__()
        self.bridge: Bridge | None = None
        self.limits = Limits()
        self.last: Running | None = None

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A world with some tasks."""
        made = tuple(data.draw(st.lists(seeds(self.service), min_size=1, max_size=_MOST)))
        self.limits = Limits(None if self.service == "cls" else data.draw(LIMITS).page, None)
        self.bridge = world_of(Case(self.service, made, dialect=data.draw(dialects(self.service))))

    @property
    def world(self) -> Bridge:
        assert self.bridge is not None
        return self.bridge

    def play(self, run: Running, weather: Weather) -> None:
        play(self.world, weather, run, limits=self.limits)
        self.last = run
        hold(run)

    @rule(data=st.data())
    def a_run_in_any_weather(self, data: st.DataObject) -> None:
        """With troubles, other people, and an interrupt, as it happens."""
        choice = data.draw(choices(self.service, len(self.world.tracked)))
        self.play(a_run(self.world, choice), data.draw(weathers()))

    @rule(data=st.data())
    def a_run_in_calm_weather(self, data: st.DataObject) -> None:
        """With all that is due retried."""
        choice = data.draw(choices(self.service, len(self.world.tracked), plain=True))
        self.play(a_run(self.world, choice), data.draw(calm_weathers()))

    @rule(data=st.data())
    def a_look_in_check_mode(self, data: st.DataObject) -> None:
        """Nothing is sent."""
        choice = data.draw(choices(self.service, len(self.world.tracked)))
        self.play(a_run(self.world, choice, check=True), data.draw(weathers(interrupts=False)))

    @rule(deed=st.sampled_from([one for one in Deed if one is not Deed.REMOVE_PLACE]), task=st.integers(0, _MOST))
    def somebody_acts(self, deed: Deed, task: int) -> None:
        """In the console, say."""
        self.world.do(Act(At(), deed, task))

    @rule(hours=st.sampled_from((0.002, 0.02, 1, 30)))
    def time_passes(self, hours: float) -> None:
        """Lets go of what is too old."""
        self.world.clock.kept += hours * 3600

    @precondition(lambda self: self.last is not None)
    @rule()
    def it_is_run_again_as_it_was(self) -> None:
        """As who was told to do so does."""
        assert self.last is not None
        self.play(a_run(self.world, self.last.choice), Weather())

    @invariant()
    def every_retry_was_asked_for(self) -> None:
        """The cloud carried out no more retries of a task than runs sent it."""
        if self.bridge is not None:
            sent = Counter(key for entry in self.bridge.ledger for key in set(entry.keys))
            done = Counter(key for entry in self.bridge.ledger for key in entry.executed)
            assert not done - sent


@pytest.mark.parametrize("service", SIDES)
def test_a_long_life(service: str) -> None:
    machine = type(f"{service.title()}World", (World,), {"service": service})
    run_state_machine_as_test(machine, settings=examples(12, steps=8))
