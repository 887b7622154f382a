# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run is ended at each of its requests; the next one finishes the rest, and over both each task is retried once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

import running
from local_cloud.gates import Gate, Moment
from local_cloud.testing import LocalCloud
from modules.harness import Direct, Ran, Started
from modules.services import CLS, DRS, SERVICES, SLS, Service

CALLS = 4  # retry calls of each run
LONG = 30  # seconds until something surely has happened on a busy machine
LAG = 2  # looks at which a task still shows its old failure


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


class Place:
    """Failed tasks for several calls in a world of their own, and runs that know of each other only."""

    def __init__(
        self, cloud: LocalCloud, service: Service, module: Direct, name: str, *, calls: int = CALLS, **tasks: object
    ) -> None:
        cloud.load({})
        service.prepare(cloud)
        cloud.world.geelark.configure(queued="failed")
        home = module.home / name
        home.mkdir()
        self.cloud = cloud
        self.service = service
        self.module = Direct(cloud, home, module.stand)
        # One batch for each call but the last, which holds a single task.
        self.ids = service.add(cloud, count=service.batch * (calls - 1) + 1, **{**service.transient, **tasks})
        self.options = service.all_failed(concurrency=1, fail_on=[])

    def run(self) -> Ran:
        return self.module(self.service.act, self.options)

    def ended_at(self, gate: Gate, number: signal.Signals) -> Ran | None:
        """A run that gets the signal when the gate is reached; what it reported, if it could."""
        run = self.start()
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

    def start(self) -> Started:
        return self.module.start(self.service.act, self.options)

    def finish(self) -> Ran:
        """Another run, after which each task has been retried once."""
        ran = self.run()
        assert not ran.failed, ran.msg
        assert self.cloud.executed() == Counter(self.ids)
        return ran


def requests_of(cloud: LocalCloud, service: Service, module: Direct) -> list[str]:
    """The operations of an undisturbed run, one by one."""
    place = Place(cloud, service, module, "undisturbed")
    place.finish()
    operations = [request.operation for request in cloud.requests]
    assert operations.count(service.retry) == CALLS
    return operations


def boundaries(operations: list[str], retry: str, number: signal.Signals) -> Iterator[tuple[int, Moment]]:
    """Each request and moment at which the signal may make a difference."""
    # Both soft signals are handled alike.
    reads = () if number is signal.SIGINT else (Moment.EXECUTED,)
    retries = {
        signal.SIGKILL: tuple(Moment),
        signal.SIGTERM: (Moment.ARRIVED, Moment.EXECUTED),
        signal.SIGINT: (Moment.EXECUTED,),
    }[number]
    for at, operation in enumerate(operations, 1):
        for moment in retries if operation == retry else reads:
            yield at, moment


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_at_each_request(cloud: LocalCloud, service: Service, module: Direct, number: signal.Signals) -> None:
    operations = requests_of(cloud, service, module)
    for at, moment in boundaries(operations, service.retry, number):
        place = Place(cloud, service, module, f"{at}-{moment.value}")
        ran = place.ended_at(cloud.hold(moment, number=at), number)
        if ran is not None:
            assert ran.failed
            assert f"interrupted by {number.name}" in ran.msg
            done = Counter(task["id"] for task in ran.result.get("tasks", ()) if task["outcome"] == "accepted")
            assert cloud.executed() == done
        place.module.an_hour_later()  # or the next run would wait for what may be under way still
        place.finish()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda one: one.name)
def test_what_still_shows_its_old_failure_is_not_sent_again(
    cloud: LocalCloud, service: Service, module: Direct, number: signal.Signals
) -> None:
    place = Place(cloud, service, module, "lagging", queued_reads=LAG)
    place.ended_at(cloud.hold(Moment.EXECUTED, number=2, operation=service.retry), number)
    done = cloud.executed()
    ran = place.finish()
    assert "sent for a retry just now by another run" in ran.warnings
    assert not done & ran.executed
    # They are decided about anew, as if they had been listed when that showed.
    assert set(ran.ids) == set(place.ids) - set(done)


def test_a_call_that_is_carried_out_after_its_sender_was_killed_is_not_repeated(
    cloud: LocalCloud, service: Service, module: Direct
) -> None:
    reads = requests_of(cloud, service, module).index(service.retry)
    place = Place(cloud, service, module, "late")
    gate = cloud.hold(Moment.ARRIVED, number=2, operation=service.retry)
    first = place.start()
    assert gate.reached.wait(LONG)
    first.kill()
    # The next run finds these tasks as they were, and looks again before it sends anything.
    second_look = cloud.hold(Moment.ARRIVED, number=reads + 1)
    second = place.start()
    assert second_look.reached.wait(LONG)
    assert len(cloud.calls(service.retry)) == 1
    gate.open()
    second_look.open()
    ran = second.end(alone=False)
    assert not ran.failed
    assert cloud.executed() == Counter(place.ids)


@pytest.mark.parametrize("service", [SLS, CLS, DRS], ids=str)  # GeeLark is sent one call at a time
def test_calls_under_way_at_the_same_time(cloud: LocalCloud, service: Service, module: Direct) -> None:
    place = Place(cloud, service, module, "together", calls=12)
    place.options["concurrency"] = 2  # both are held, so that nothing else is on its way when the next run begins
    gates = [
        cloud.hold(moment, number=number, operation=service.retry)
        for number, moment in enumerate((Moment.EXECUTED, Moment.ARRIVED), 9)
    ]
    run = place.start()
    assert all(gate.reached.wait(LONG) for gate in gates)
    run.kill()
    for gate in gates:
        gate.lose()
    place.module.an_hour_later()
    place.finish()


# -- a cancelled job --------------------------------------------------------------------------------------------------


# Whoever started the tests in the background may have them ignore an interruption, and that is inherited.
UNDISTURBED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def playbook() -> Iterator[Callable[[Place], subprocess.Popen[bytes]]]:
    """Starts a playbook with such a run in a session of its own, as whoever may want to cancel it does."""
    started: list[subprocess.Popen[bytes]] = []

    def start(place: Place) -> subprocess.Popen[bytes]:
        home = place.module.home
        task = {f"redrive.tasks.{place.service.act}": place.module.arguments(place.service, place.options)}
        (home / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
        with (home / "output").open("wb") as output:
            command = [sys.executable, "-c", UNDISTURBED, "ansible-playbook", str(home / "play.yml")]
            process = subprocess.Popen(
                command, env=running.environ(home), stdout=output, stderr=output, start_new_session=True
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("service", [SLS], ids=str)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_a_cancelled_job(
    cloud: LocalCloud,
    service: Service,
    module: Direct,
    number: signal.Signals,
    playbook: Callable[[Place], subprocess.Popen[bytes]],
) -> None:
    """Who cancels may reach Ansible only, and the module goes on without it; then the next run waits."""
    place = Place(cloud, service, module, "cancelled")
    gate = cloud.hold(Moment.EXECUTED, number=2, operation=service.retry)
    process = playbook(place)
    assert gate.reached.wait(LONG), (place.module.home / "output").read_text()
    os.killpg(process.pid, number)
    process.wait(LONG)
    next_run = place.start()
    gate.open()
    ran = next_run.end(alone=False)
    assert not ran.failed, ran.msg
    assert cloud.executed() == Counter(place.ids)
