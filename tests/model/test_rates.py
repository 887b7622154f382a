# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published limits, counted by the simulated services at the moment when a request arrives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bridge import Reply
from model.budget import examples
from model.cases import Case, Choice, Limits, Seed, Ways, Weather
from model.invariants import hold
from model.making import ORDERS
from model.playing import Running, a_run, play
from model.test_runs import world_of

# So many that the limit is met at once if nobody keeps to it: 20 a second, and 200 a minute.
_WORLDS: dict[str, tuple[int, Limits, dict[str, Any]]] = {
    "cls": (45, Limits(), {"published_limit": True}),
    "geelark": (205, Limits(batch=1), {}),
}
_EXAMPLES = {"cls": 12, "geelark": 2}


def run_of_many(service: str, weather: Weather, concurrency: int) -> Running:
    """A run that has as many calls to make."""
    count, limits, dialect = _WORLDS[service]
    choice = Choice(more={"concurrency": concurrency})
    bridge = world_of(Case(service, tuple(Seed(age=3600 + number) for number in range(count)), dialect=dialect))
    run = a_run(bridge, choice)
    play(bridge, weather, run, limits=limits)
    hold(run)
    return run


@pytest.mark.parametrize("service", _WORLDS)
def test_a_published_limit_is_never_met(service: str) -> None:
    """Whatever the threads do, and however late single requests are on their way."""

    @examples(_EXAMPLES[service])
    @given(data=st.data())
    def search(data: st.DataObject) -> None:
        keeps_to_the_limit(service, data)

    search()


def keeps_to_the_limit(service: str, data: st.DataObject) -> None:
    # Not the first ones: how long a request usually takes has to be learnt.
    late = st.dictionaries(st.integers(8, 40), st.sampled_from((0.05, 0.3, 0.9)), max_size=6)
    ways = Ways(data.draw(st.sampled_from((0.0, 0.02, 0.2))), data.draw(late))
    weather = Weather(ways=ways, order=data.draw(ORDERS), fine=data.draw(st.booleans()))
    run = run_of_many(service, weather, data.draw(st.sampled_from((16, 4, 1))))
    assert not [one for one in run.entries if one.reply is Reply.REFUSED]
    assert run.result["counts"]["accepted"] == _WORLDS[service][0]
