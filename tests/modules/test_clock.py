# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that is wrong here, seen from each service: detected, corrected where calls are refused for it, told."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.testing import LocalCloud
from modules.harness import Direct, Ran
from modules.services import CLS, DRS, GEELARK, KEY_ID, SECRET, SLS, Service

APP_ID, API_KEY = "testAppId0000000000000001", "testApiKey/+=000000000000001"
DRS_KEY: dict[str, Any] = {"access_key": KEY_ID, "secret_key": SECRET}
DRS_KEY.update(dict.fromkeys(("username", "password", "user_domain_name")))
GEELARK_KEY: dict[str, Any] = {"api_token": None, "app_id": APP_ID, "api_key": API_KEY}


@dataclass(frozen=True)
class Way:
    """One way in which calls are let in.

    :ivar options: that choose it
    :ivar old: age of a task that the service is just about to show no longer, by its own clock
    """

    name: str
    service: Service
    options: dict[str, Any]
    old: str = "47h"

    def __str__(self) -> str:
        return self.name


SIGNED = (
    Way("sls-v1", SLS, {}),
    Way("sls-v4", SLS, {"signature_version": "v4", "region": "cn-hangzhou"}),
    Way("cls", CLS, {}, "71h"),
    Way("drs-key", DRS, DRS_KEY),
    Way("geelark-key", GEELARK, GEELARK_KEY, "167h"),
)
UNDATED = (Way("drs-password", DRS, {}), Way("geelark-token", GEELARK, {}))
BEHIND, AHEAD = 7200, -7200


class World:
    """One service whose clock is that of this machine, or `off` by so many seconds."""

    def __init__(self, cloud: LocalCloud, way: Way, module: Direct) -> None:
        self.cloud = cloud
        self.way = way
        self.service = way.service
        self._module = module
        cloud.world.geelark.add_team(APP_ID, API_KEY)
        self.service.prepare(cloud)

    def set_off(self, seconds: float) -> None:
        self.cloud.clock.advance(seconds)

    def add(self, **tasks: Any) -> list[str]:
        given = {**self.service.transient, **tasks}
        if self.way.options is GEELARK_KEY:
            return self.cloud.world.geelark.add_tasks(APP_ID, **given)
        return self.service.add(self.cloud, **given)

    def act(self, options: Mapping[str, Any] | None = None, *, check: bool = False, **more: Any) -> Ran:
        given = self.service.all_failed(**{**self.way.options, **(options or {}), **more})
        return self._module(self.service.act, given, check=check)


@pytest.fixture
def world(cloud: LocalCloud, way: Way, module: Direct) -> World:
    return World(cloud, way, module)


def off_by(ran: Ran) -> list[int]:
    """What is said of the clock, in seconds; positive where it is behind."""
    found = re.findall(r"The clock here is (\d+) s (behind|ahead of) the service's", " ".join(ran["warnings"]))
    return [int(seconds) * (1 if word == "behind" else -1) for seconds, word in found]


def date_of_a_reply(seconds_off: float, world: World) -> str:
    return formatdate(world.cloud.clock.now() + seconds_off, usegmt=True)


@pytest.mark.parametrize("way", SIGNED, ids=str)
@pytest.mark.parametrize("off", [BEHIND, AHEAD])
def test_a_wrong_clock_is_corrected_once_and_told(world: World, off: int) -> None:
    """The window is reckoned anew: tasks from its very beginning and end are found, whichever way the clock is off."""
    if off == AHEAD:
        world.cloud.world.sls.configure(dialect="seed000")  # whose code for it is an older one
    world.set_off(off)
    ids = [*world.add(age=world.way.old), *world.add(age="10m")]
    for check, outcome in ((True, "planned"), (False, "accepted")):
        ran = world.act(check=check)
        assert not ran.failed
        assert ran.outcomes() == {outcome: 2}
        assert ran.executed == Counter([] if check else ids)
        assert sum(request.code in world.service.unread for request in ran.arrived) == 1
        assert ran.arrived[0].code in world.service.unread
        assert off_by(ran) == [pytest.approx(off, abs=3)]
        assert "goes by the service's time" in ran.warnings


@pytest.mark.parametrize("way", SIGNED, ids=str)
def test_a_retry_that_is_refused_for_the_clock_is_sent_again_and_carried_out_once(world: World) -> None:
    ids = world.add(count=10)
    reads = len(world.act(check=True).arrived)
    world.cloud.faults.add(faults.skew(BEHIND, skip=reads))
    ran = world.act(concurrency=1)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert [put.took_effect for put in ran.changes] == [False] + [True] * (len(ran.changes) - 1)


@pytest.mark.parametrize("way", SIGNED[:3], ids=str)
def test_many_calls_at_once_correct_the_clock_once(world: World) -> None:
    ids = world.add(count=60)
    world.cloud.faults.add(faults.skew(AHEAD, world.service.retry))
    ran = world.act(concurrency=4)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert sum(not put.took_effect for put in ran.changes) <= 4
    assert off_by(ran) == [pytest.approx(AHEAD, abs=3)]


WRONG_SECRET = {"sls": "access_key_secret", "cls": "secret_key", "drs": "secret_key", "geelark": "api_key"}


@pytest.mark.parametrize("way", SIGNED, ids=str)
def test_who_is_refused_with_the_right_time_too_is_told_both(world: World) -> None:
    world.set_off(BEHIND)
    world.add()
    ran = world.act({WRONG_SECRET[world.service.name]: "wrong"})
    assert ran.failed
    assert re.search(r"The clock here is 7(199|20\d) s behind the service's: set it\.", ran.msg)
    assert "refused all the same" in ran.msg
    assert len(ran.arrived) == 2


@pytest.mark.parametrize("way", SIGNED[:1], ids=str)
@pytest.mark.parametrize("off", [BEHIND, AHEAD])
def test_a_date_that_lies_is_believed_for_one_call(world: World, off: int) -> None:
    world.add()
    body = json.dumps({"errorCode": "RequestTimeExpired", "errorMessage": "Off."})
    date = date_of_a_reply(off, world)
    lie = faults.raw(SLS.lists[0], status=400, body=body, headers={"Date": date}, times=FOREVER)
    world.cloud.faults.add(lie)
    ran = world.act()
    assert ran.failed
    assert "RequestTimeExpired" in ran.msg
    assert off_by(ran) == []
    # The second one was refused for its signature, at a time that the service does not have.
    assert len(ran.arrived) == 2


@pytest.mark.parametrize("way", SIGNED[:1], ids=str)
@pytest.mark.parametrize(
    "date", ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "²", "Mon, 1 Xxx 2026"]
)
def test_a_date_that_is_none_does_no_harm(world: World, date: str) -> None:
    world.add()
    body = json.dumps({"errorCode": "RequestTimeExpired", "errorMessage": "Off."})
    world.cloud.faults.add(faults.raw(SLS.lists[0], status=400, body=body, headers={"Date": date}))
    ran = world.act()
    assert ran.failed
    assert "RequestTimeExpired" in ran.msg
    assert len(ran.arrived) == 1
    assert "The clock here" not in ran.msg


@pytest.mark.parametrize("way", [SIGNED[0], SIGNED[2]], ids=str)
@pytest.mark.parametrize("off", [100, -100])
def test_a_clock_that_is_a_little_off_costs_no_task(world: World, off: int) -> None:
    """Too little for a signature to be refused, but a window from then until now may not be one that is shown."""
    world.set_off(off)
    ids = [*world.add(age="1h"), *world.add(age="2h")]
    ran = world.act()
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert off_by(ran) == [pytest.approx(off, abs=3)]


@pytest.mark.parametrize("way", SIGNED, ids=str)
def test_a_clock_that_is_hardly_off_is_no_matter(world: World) -> None:
    world.set_off(25)
    ids = world.add(age="2h")
    ran = world.act()
    assert ran.executed == Counter(ids)
    assert off_by(ran) == []


@pytest.mark.parametrize("way", UNDATED, ids=str)
@pytest.mark.parametrize("off", [BEHIND, AHEAD])
def test_where_no_time_is_signed_a_wrong_clock_is_told_and_nothing_else(world: World, off: int) -> None:
    world.set_off(off)
    ids = world.add(age="3h")
    ran = world.act()
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert off_by(ran) == [pytest.approx(off, abs=3)]
    assert "reckoned by the clock here" in ran.warnings
    assert all(request.status in (200, 201) for request in ran.arrived)


@pytest.mark.parametrize("way", UNDATED, ids=str)
def test_where_no_time_is_signed_a_refusal_is_not_sent_again(world: World) -> None:
    world.set_off(BEHIND)
    wrong = {"password": "wrong"} if world.service is DRS else {"api_token": "wrong"}
    ran = world.act(wrong)
    assert ran.failed
    assert len(ran.arrived) == 1


@pytest.mark.parametrize("way", [Way("drs-key", DRS, DRS_KEY)], ids=str)
def test_the_identity_service_corrects_the_clock_as_well(world: World) -> None:
    """A project is looked up by its name, signed, before the first task is read."""
    world.set_off(BEHIND)
    ids = world.add()
    ran = world.act(project_id=None, project_name="eu-de")
    assert ran.executed == Counter(ids)
    assert [request.operation for request in ran.arrived[:3]] == ["ListProjects", "ListProjects", "ListJobs"]
    assert off_by(ran) == [pytest.approx(BEHIND, abs=3)]
