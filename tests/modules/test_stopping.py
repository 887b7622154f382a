# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a run ends early: what concerns every task stops it, and waiting ends in time."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.testing import LocalCloud
from modules.harness import Direct, Ran
from modules.services import CLS, DRS, GEELARK, PASSWORD, SERVICES, SLS, Service

# What the service says of the account, and whether that locks it: then nothing was refused.
OF_THE_ACCOUNT = [
    (SLS, 401, "InvalidAccessKeyId", False),
    (SLS, 401, "SecurityTokenExpired", False),
    (SLS, 403, "ProjectForbidden", False),
    (CLS, 200, "AuthFailure.SecretIdNotFound", False),
    (CLS, 200, "AuthFailure.TokenFailure", False),
    (CLS, 200, "OperationDenied.AccountIsolate", False),
    (DRS, 403, "DRS.M00102", False),
    (DRS, 401, "APIGW.0301", False),
    (GEELARK, 200, "40003", False),
    (GEELARK, 200, "41001", False),
    (GEELARK, 200, "46001", False),
    (GEELARK, 200, "40014", True),
    (GEELARK, 200, "43008", True),
]
# What it says of one call alone.
OF_A_CALL = {"sls": (400, "ParameterInvalid"), "cls": (200, "InvalidParameter"), "drs": (400, "DRS.M00200")}
OF_A_CALL["geelark"] = (200, "42001")


class World:
    """One service with so many batches of failed tasks."""

    def __init__(self, cloud: LocalCloud, service: Service, module: Direct) -> None:
        self.cloud = cloud
        self.service = service
        self._module = module
        service.prepare(cloud)

    def add(self, batches: int) -> list[str]:
        return self.service.add(self.cloud, count=batches * self.service.batch, **self.service.transient)

    def act(self, *, check: bool = False, **options: Any) -> Ran:
        return self._module(self.service.act, self.service.all_failed(**options), check=check)


@pytest.fixture
def world(cloud: LocalCloud, service: Service, module: Direct) -> World:
    return World(cloud, service, module)


def reasons(ran: Ran) -> set[str]:
    return {task["reason"] for task in ran["tasks"] if task["outcome"] == "not_attempted"}


@pytest.mark.parametrize(("service", "status", "code", "locks"), OF_THE_ACCOUNT, ids=str)
class TestTheAccount:
    def test_one_refusal_ends_the_run(self, world: World, status: int, code: str, locks: bool) -> None:
        world.add(batches=4)
        refuse = faults.error(world.service.retry, status=status, code=code, skip=1, times=FOREVER)
        world.cloud.faults.add(refuse)
        ran = world.act(concurrency=1)
        assert ran.failed
        size = world.service.batch
        refused = {"not_attempted": 3 * size} if locks else {"refused": size, "not_attempted": 2 * size}
        assert ran.outcomes() == {"accepted": size, **refused}
        assert len(ran.changes) == 2
        assert ran.arrived[-1] == ran.changes[-1]
        assert all(code in reason for reason in reasons(ran))

    def test_calls_at_the_same_time_are_all_that_follow(
        self, world: World, status: int, code: str, locks: bool
    ) -> None:
        world.add(batches=6)
        world.cloud.faults.add(faults.error(world.service.retry, status=status, code=code, times=FOREVER))
        ran = world.act(concurrency=3)
        assert ran.failed
        assert len(ran.changes) <= 3
        assert ran.counts("accepted") == (0,)
        assert ran.counts("not_attempted")[0] >= (6 if locks else 3) * world.service.batch
        assert all(code in reason for reason in reasons(ran))


@pytest.mark.parametrize("service", SERVICES, ids=str)
class TestManyRefusals:
    def test_as_many_as_the_user_allows_end_the_run(self, world: World, service: Service) -> None:
        world.add(batches=5)
        status, code = OF_A_CALL[service.name]
        world.cloud.faults.add(faults.error(service.retry, status=status, code=code, times=FOREVER))
        ran = world.act(stop_at_refusals=2 * service.batch, concurrency=1)
        assert ran.failed
        assert ran.outcomes() == {"refused": 2 * service.batch, "not_attempted": 3 * service.batch}
        assert len(ran.changes) == 2
        (reason,) = reasons(ran)
        assert f"stop_at_refusals asks, when {2 * service.batch} tasks in a row were refused with {code}" in reason

    def test_without_that_each_is_tried(self, world: World, service: Service) -> None:
        world.add(batches=5)
        status, code = OF_A_CALL[service.name]
        world.cloud.faults.add(faults.error(service.retry, status=status, code=code, times=FOREVER))
        ran = world.act(concurrency=1)
        assert ran.outcomes() == {"refused": 5 * service.batch}

    def test_one_at_least(self, world: World, service: Service) -> None:
        ran = world.act(stop_at_refusals=0)
        assert ran.failed
        assert "stop_at_refusals must be between 1 and" in ran.msg


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_a_service_that_hangs_does_not_prolong_the_wait(world: World, service: Service) -> None:
    service.add(world.cloud, **service.transient)
    reads = len(world.act(check=True).arrived)
    world.cloud.faults.add(faults.late(delay=30, skip=reads + 1, times=FOREVER))
    began = time.monotonic()
    ran = world.act(wait=True, wait_timeout=1, wait_interval=0.2, timeout=50, max_attempts=9)
    assert ran.failed
    assert ran["problems"]["timed_out"] == 1
    assert ran.outcomes() == {"accepted": 1}
    assert "no complete reply in time" in ran.msg
    # A second, two for the last request, and what else a run takes on a busy machine.
    assert time.monotonic() - began < 10


# -- a token that ends in mid-run -------------------------------------------------------------------------------------


@pytest.fixture
def short_lived(cloud: LocalCloud) -> None:
    cloud.world.drs.configure(token_seconds=2)


@pytest.mark.parametrize("service", [DRS], ids=str)
@pytest.mark.usefixtures("short_lived")
class TestTokensOfTwoSeconds:
    """They are refused again and again; each is renewed once, whoever meets that first."""

    def hold(self, ran: Ran, *, threads: int) -> None:
        logins = sum(request.operation == "CreateToken" for request in ran.arrived)
        refused = sum(request.status == 401 for request in ran.arrived)
        assert logins >= 2
        assert logins - 1 <= refused <= threads * (logins - 1)
        assert PASSWORD not in ran.output

    def test_while_pages_are_read(self, world: World, module: Direct) -> None:
        ids = world.service.add(world.cloud, count=205, **world.service.transient)
        ran = module(DRS.info, {**DRS.where, "rate_limit": 2})
        assert not ran.failed
        assert sorted(ran.ids) == sorted(ids)
        self.hold(ran, threads=1)

    @pytest.mark.parametrize("threads", [1, 4])
    def test_while_retries_are_sent(self, world: World, threads: int) -> None:
        ids = world.add(batches=8)
        ran = world.act(rate_limit=5, concurrency=threads)
        assert not ran.failed
        assert ran.executed == Counter(ids)
        self.hold(ran, threads=threads)

    def test_while_retried_tasks_are_waited_for(self, world: World) -> None:
        ids = world.service.add(world.cloud, queued_reads=9, **world.service.transient)
        ran = world.act(wait=True, wait_timeout=60, wait_interval=0.4)
        assert not ran.failed
        assert ran.executed == Counter(ids)
        assert ran.counts("recovered") == (1,)
        self.hold(ran, threads=1)
