# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge fails as the real transport does over a real wire, and the turns of strands are those that were asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from local_cloud.testing import LocalCloud
from model import bridge as bridge_module
from model.cases import At, Case, Seed, Trouble, Weather
from model.interleaving import Executor, Scheduler, StuckError, replaced
from model.playing import a_run, build, play
from model.sides import SIDES, Sls

ON_THE_WIRE = (
    *(Trouble.UNREACHED, Trouble.RESET_BEFORE, Trouble.RESET_AFTER, Trouble.CLOSE_BEFORE, Trouble.CLOSE_AFTER),
    *(Trouble.CUT, Trouble.LATE, Trouble.ENDLESS),
)
TELLING = (Trouble.TOO_FAST_A_MINUTE, Trouble.FAILS_AFTER, Trouble.PAGE_BEFORE, Trouble.HALF)


def outcome_of(transport: Transport, request: Request) -> object:
    """Kind and code of what went wrong; status, type and pause of a reply."""
    try:
        response = transport.send(request)
    except CallError as error:
        return error.kind, error.code
    return seen_of(response)


def seen_of(response: Response) -> object:
    return response.status, response.headers.get("content-type"), response.headers.get("retry-after"), response.body[:8]


def over_the_bridge(trouble: Trouble) -> tuple[Request, object]:
    """The first request of a run, and how it fared."""
    made = build(Case("sls", (Seed(),)))
    run = a_run(made, Case("sls").choice)
    fared: list[tuple[Request, object]] = []
    send = made.send

    def watched(owner: object, request: Request) -> Response:
        try:
            response = send(owner, request)
        except CallError as error:
            fared.append((request, (error.kind, error.code)))
            raise
        fared.append((request, seen_of(response)))
        return response

    with replaced((made, "send", watched)):
        play(made, Weather(troubles=((At(), trouble),)), run)
    return fared[0]


@pytest.mark.parametrize("trouble", ON_THE_WIRE + TELLING, ids=lambda one: one.value)
def test_the_bridge_fails_as_the_real_transport_does(trouble: Trouble) -> None:
    request, expected = over_the_bridge(trouble)
    side = Sls()
    timeout = 1.0 if trouble is Trouble.LATE else 20.0
    with LocalCloud() as cloud:
        cloud.clock.advance(bridge_module.BEGINNING - cloud.clock.now())
        side.prepare(cloud._cloud, {})
        for fault in bridge_module.fault_of(trouble, side):
            cloud.faults.add(replace(fault, delay=min(fault.delay, 3.0)))
        transport = Transport(timeout=timeout, verify=True, clock=Clock(), use_proxies=False)
        url = "http://127.0.0.1:1" if trouble is Trouble.UNREACHED else cloud.url
        assert outcome_of(transport, replace(request, base_url=url)) == expected


def test_every_trouble_is_known_to_some_service() -> None:
    for trouble in Trouble:
        known = [bridge_module.fault_of(trouble, side()) for side in SIDES.values()]
        assert any(known) or trouble is Trouble.UNREACHED


def test_the_order_of_turns_is_as_asked_and_repeats() -> None:
    def order_of(order: tuple[int, ...]) -> list[str]:
        came: list[str] = []
        scheduler = Scheduler(now=0.0, order=order)

        def strand(name: str) -> None:
            for _turn in range(2):
                scheduler.sleep(0)
                came.append(name)

        scheduler.play(*((name, lambda name=name: strand(name)) for name in "abc"))
        return came

    assert order_of(()) == list("abcabc")
    assert order_of((1,)) == order_of((1,)) == list("acbacb")


def test_time_passes_only_when_everybody_waits() -> None:
    scheduler, moments = Scheduler(now=100.0), []

    def main() -> None:
        with Executor(max_workers=2) as pool:
            for length in (5.0, 3.0, 4.0):
                pool.submit(scheduler.sleep, length)
        moments.append(scheduler.now)

    scheduler.play(("run", main))
    assert moments == [107.0]  # five beside three, and then four


def test_a_play_that_cannot_end_is_ended() -> None:
    scheduler = Scheduler(now=0.0)
    with pytest.raises(StuckError, match="everybody waits"):
        scheduler.play(("run", lambda: scheduler.wait_for(lambda: False)))
