# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs at once in the same place: one after the other, and over both each task is retried once."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.gates import Moment
from local_cloud.testing import LocalCloud
from modules.harness import Direct, Ran, Started
from modules.services import CLS, CLS_SHIPPER, SERVICES, SLS, Service

LONG = 30  # seconds until something surely has happened on a busy machine


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


class World:
    """One service's tasks, and runs in the background, of which none outlives its test."""

    def __init__(self, cloud: LocalCloud, service: Service, module: Direct) -> None:
        self.cloud = cloud
        self.service = service
        self.module = module
        self.started: list[Started] = []
        service.prepare(cloud)

    def add(self, batches: int = 2) -> list[str]:
        """Tasks for so many calls."""
        return self.service.add(self.cloud, count=self.service.batch * (batches - 1) + 1, **self.service.transient)

    def start(self, *, check: bool = False, environ: dict[str, str] | None = None, **options: Any) -> Started:
        arguments = {**self.service.where, "concurrency": 1, "all_failed": True, **options}
        run = self.module.start(self.service.act, arguments, check=check, environ=environ)
        self.started.append(run)
        return run

    def run(self, *, check: bool = False, **options: Any) -> Ran:
        return self.start(check=check, **options).end(alone=False)

    def held(self) -> Started:
        """A run that has sent its first retry, and waits for the reply until `let_go`."""
        self._gate = self.cloud.hold(Moment.EXECUTED, operation=self.service.retry)
        run = self.start()
        assert self._gate.reached.wait(LONG)
        return run

    def let_go(self) -> None:
        self._gate.open()

    def locks(self) -> list[Path]:
        return list(self.module.home.glob("redrive.tasks-*.lock"))


@pytest.fixture
def world(cloud: LocalCloud, service: Service, module: Direct) -> Iterator[World]:
    made = World(cloud, service, module)
    yield made
    for run in made.started:
        run.discard()


def test_the_second_waits_and_then_finds_nothing_to_do(world: World) -> None:
    ids = world.add(3)
    first = world.held()
    arrived = len(world.cloud.requests)
    second = world.start()
    second.wait_until_it_waits()
    assert {one.operation for one in world.cloud.requests[arrived:]} <= {"CreateToken"}  # the login of DRS
    world.let_go()
    ran, later = first.end(alone=False), second.end(alone=False)
    assert not ran.failed
    assert not later.failed
    assert ran.counts("accepted") == (len(ids),)
    assert later.counts("retry") == (0,)
    assert world.cloud.executed() == Counter(ids)


def test_two_that_start_together_retry_each_task_once(world: World) -> None:
    ids = world.add(3)
    runs = [world.start(), world.start()]
    results = [run.end(alone=False) for run in runs]
    assert not any(ran.failed for ran in results)
    assert world.cloud.executed() == Counter(ids)
    assert sum(ran["counts"]["accepted"] for ran in results) == len(ids)


def test_who_may_not_wait_is_told_who_has_it(world: World) -> None:
    world.add()
    first = world.held()
    arrived = len(world.cloud.requests)
    ran = world.run(lock_timeout=0)
    assert ran.failed
    for word in (f"redrive.tasks.{world.service.act}, process {first.pid} of user", "lock_timeout", "run again"):
        assert word in ran.msg
    assert not [one for one in world.cloud.requests[arrived:] if one.changes]
    assert "tasks" not in ran.result
    world.let_go()
    assert not first.end(alone=False).failed


def test_check_mode_waits_as_well_and_leaves_no_trace(world: World) -> None:
    ids = world.add()
    assert world.run(check=True).counts("retry") == (len(ids),)
    assert world.locks() == []
    first = world.held()
    check = world.start(check=True)
    check.wait_until_it_waits()
    world.let_go()
    first.end(alone=False)
    ran = check.end(alone=False)
    assert ran.counts("retry") == (0,)
    assert not ran["changed"]


def test_an_owner_that_stands_still_keeps_it(world: World) -> None:
    ids = world.add()
    first = world.held()
    first.send(signal.SIGSTOP)
    world.let_go()
    ran = world.run(lock_timeout=1)
    assert ran.failed
    assert f"process {first.pid} of user" in ran.msg
    first.send(signal.SIGCONT)
    assert first.end(alone=False).counts("accepted") == (len(ids),)
    assert world.run().counts("retry") == (0,)
    assert world.cloud.executed() == Counter(ids)


def test_a_dead_owner_is_followed_at_once(world: World) -> None:
    ids = world.add()
    first = world.held()
    second = world.start()
    second.wait_until_it_waits()
    first.kill()
    ran = second.end(alone=False)
    assert not ran.failed
    assert ran["requests"]["seconds"] < LONG
    assert world.cloud.executed() == Counter(ids)


def test_who_waits_can_be_interrupted(world: World) -> None:
    world.add()
    first = world.held()
    second = world.start()
    second.wait_until_it_waits()
    second.send(signal.SIGTERM)
    ran = second.end(alone=False)
    assert ran.failed
    assert "interrupted by SIGTERM" in ran.msg
    world.let_go()
    assert not first.end(alone=False).failed


def test_it_is_given_back_before_waiting_for_the_tasks(world: World) -> None:
    ids = world.service.add(world.cloud, count=1, runs_for={"seconds": 3600}, **world.service.transient)
    first = world.start(wait=True, wait_interval=60)
    second_look = world.start(lock_timeout=LONG)
    ran = second_look.end(alone=False)
    assert not ran.failed
    first.send(signal.SIGTERM)
    first.end(alone=False)
    assert world.cloud.executed() == Counter(ids)


def test_nothing_asked_for_takes_nothing(world: World) -> None:
    world.add()
    world.held()
    ran = world.run(lock_timeout=0, all_failed=False, ids=[])
    assert not ran.failed
    world.let_go()


def test_nothing_to_retry_leaves_no_file(world: World) -> None:
    assert not world.run().failed
    assert world.locks() == []


# -- without a lock ---------------------------------------------------------------------------------------------------


def test_runs_that_do_not_share_a_folder_do_not_know_of_each_other(world: World) -> None:
    """As on two machines. What then holds is the service's own: see the guide."""
    ids = world.add(1)
    folders = [world.module.home / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    gate = world.cloud.hold(Moment.ARRIVED, operation=world.service.retry)
    first = world.start(environ={"TMPDIR": str(folders[0])}, fail_on=[])
    assert gate.reached.wait(LONG)
    second = world.start(environ={"TMPDIR": str(folders[1])}, fail_on=[]).end(alone=False)
    gate.open()
    ran = first.end(alone=False)
    assert second.counts("accepted") == (1,)
    # The second call names a task that is under way. All services but SLS say so, and SLS is assumed to do nothing.
    assert world.cloud.executed() == Counter(ids)
    assert ran.counts("accepted") == ((1,) if world.service is SLS else (0,))


@pytest.mark.parametrize("service", [SLS], ids=str)
def test_no_lock_is_a_warning(world: World) -> None:
    ids = world.add()
    assert not world.run().failed
    for file in world.locks():
        file.unlink()
        file.mkdir()
    again = world.add()
    ran = world.run()
    assert not ran.failed
    assert "no lock to be had" in ran.warnings
    assert world.cloud.executed() == Counter([*ids, *again])


# -- which places are the same ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [SLS], ids=str)
def test_another_project_does_not_wait_and_another_shipper_does(world: World) -> None:
    world.add()
    world.cloud.world.add_shipper("shop", "access", "to-odps")
    world.cloud.world.add_shipper("other", "access", "to-oss")
    first = world.held()
    assert not world.run(project="other", lock_timeout=0).failed
    assert world.run(shipper="to-odps", lock_timeout=0).failed
    world.let_go()
    assert not first.end(alone=False).failed


@pytest.mark.parametrize("service", [CLS], ids=str)
def test_another_region_does_not_wait_and_another_shipper_id_does(world: World) -> None:
    world.add()
    other = CLS_SHIPPER[:-1] + "3"
    world.cloud.world.cls.add_shipper(other)
    first = world.held()
    assert not world.run(region="ap-beijing", lock_timeout=0, fail_on=[]).result["msg"].startswith("Another run")
    assert world.run(shipper_id=other, lock_timeout=0).msg.startswith("Another run")
    world.let_go()
    assert not first.end(alone=False).failed


def test_info_modules_never_wait(world: World) -> None:
    world.add()
    first = world.held()
    assert not world.module(world.service.info, world.service.where, all_arrive=False).failed
    world.let_go()
    first.end(alone=False)
