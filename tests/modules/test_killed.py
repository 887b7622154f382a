# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run is ended at each of its requests; the next one finishes the rest, and over both each task is retried once."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from local_cloud.gates import Gate, Moment
from local_cloud.testing import LocalCloud
from modules.harness import Direct, Ran
from modules.services import SERVICES, Service

CALLS = 6  # retry calls of each run
LONG = 30  # seconds until something surely has happened on a busy machine
SOFT = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


class Place:
    """Failed tasks for six calls in a world of their own, and runs that know of each other only."""

    def __init__(self, cloud: LocalCloud, service: Service, module: Direct, name: str, **tasks: object) -> None:
        cloud.load({})
        service.prepare(cloud)
        home = module.home / name
        home.mkdir()
        self.cloud = cloud
        self.service = service
        self.module = Direct(cloud, home, module.stand)
        # One batch for each call but the last, which holds a single task.
        self.ids = service.add(cloud, count=service.batch * (CALLS - 1) + 1, **{**service.transient, **tasks})
        self.options = service.all_failed(concurrency=1, fail_on=[])

    def run(self) -> Ran:
        return self.module(self.service.act, self.options)

    def ended_at(self, gate: Gate, number: signal.Signals) -> Ran | None:
        """A run that gets the signal when the gate is reached; what it reported, if it could."""
        run = self.module.start(self.service.act, self.options)
        assert gate.reached.wait(LONG)
        if number is signal.SIGKILL:
            run.kill()
            gate.lose()
            return None
        run.send(number)
        arrived = len(self.cloud.requests) + (gate.moment is Moment.ARRIVED)
        gate.open()
        ran = run.end()
        if gate.moment is not Moment.ANSWERED:  # the next one may be on its way already
            assert len(self.cloud.requests) == arrived, "a request was sent after the signal"
        return ran

    def finish(self) -> None:
        """Another run, after which each task has been retried once."""
        ran = self.run()
        assert not ran.failed, ran.msg
        assert self.cloud.executed() == Counter(self.ids)
        assert not ran["problems"]["unknown"]


def requests_of(cloud: LocalCloud, service: Service, module: Direct) -> list[str]:
    """The operations of an undisturbed run, one by one."""
    place = Place(cloud, service, module, "undisturbed")
    place.finish()
    operations = [request.operation for request in cloud.requests]
    assert operations.count(service.retry) == CALLS
    return operations


def boundaries(operations: list[str], retry: str, moments: list[Moment]) -> Iterator[tuple[int, Moment]]:
    """Each request and moment; reads have no moment at which they are more or less done."""
    for number, operation in enumerate(operations, 1):
        for moment in moments if operation == retry else [Moment.EXECUTED]:
            yield number, moment


@pytest.mark.parametrize("number", [signal.SIGKILL, *SOFT], ids=lambda one: one.name)
def test_at_each_request(cloud: LocalCloud, service: Service, module: Direct, number: signal.Signals) -> None:
    operations = requests_of(cloud, service, module)
    for at, moment in boundaries(operations, service.retry, list(Moment)):
        place = Place(cloud, service, module, f"{at}-{moment.value}")
        ran = place.ended_at(cloud.hold(moment, number=at), number)
        done = cloud.executed()
        if ran is not None:
            assert ran.failed or at == len(operations)
            assert f"interrupted by {number.name}" in ran.msg or at == len(operations)
            assert Counter(task["id"] for task in ran.result.get("tasks", ()) if task["outcome"] == "accepted") == done
        place.module.an_hour_later()  # or the next run would wait for what may be under way still
        place.finish()
