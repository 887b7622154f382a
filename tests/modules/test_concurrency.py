# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several retries under way at once: each task once, nothing lost, and it stops when it has to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.services import KEY_ID
from modules.sls import ALL, FAST, RETRY

PUT = "RetryShipperTask"
BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}
FOUR = {**ALL, "concurrency": 4}


@pytest.fixture
def ids(shipper: TaskList) -> list[str]:
    return shipper.add_tasks(count=205, age={"from": "40h", "to": "1h"}, **BUSY)


def test_four_at_once_retry_each_task_once_in_a_stable_order(
    ansible: Ansible, cloud: LocalCloud, ids: list[str]
) -> None:
    ran = ansible(RETRY, {**FOUR, **FAST, "wait_timeout": 30})
    assert not ran.failed
    assert ran.ids == ids
    assert len(ran.changes) == 21
    assert cloud.executed() == cloud.retried() == Counter(ids)
    assert ran.counts("recovered") == (205,)


def test_four_at_once_stop_at_a_denial(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.world.change_account(KEY_ID, deny=(PUT,))
    ran = module(RETRY, FOUR)
    assert ran.failed
    assert 1 <= len(ran.changes) <= 4
    assert ran.outcomes() == {"refused": 10 * len(ran.changes), "not_attempted": 205 - 10 * len(ran.changes)}


def test_four_at_once_live_with_throttling(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.throttle(PUT, skip=8, times=5))
    ran = module(RETRY, FOUR)
    assert ran.outcomes() == {"accepted": 205}
    assert cloud.executed() == Counter(ids)
    assert ran["requests"]["throttled"] == 5


def test_four_at_once_settle_lost_replies(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.reset(PUT, effect="after", times=4))
    ran = module(RETRY, FOUR)
    assert ran.outcomes() == {"accepted": 205}
    assert cloud.executed() == cloud.retried() == Counter(ids)


def test_an_outage_stops_four_at_once(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.close("*", times=FOREVER, skip=6))
    ran = module(RETRY, {**FOUR, "max_attempts": 1})
    assert ran.failed
    assert ran.counts("accepted") == (50,)
    assert ran.counts("unknown")[0] <= 40
    assert len(ran.changes) <= 5 + 4


def test_more_at_once_than_there_are_batches_is_no_harm(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=3, **BUSY)
    ran = module(RETRY, {**ALL, "concurrency": 64})
    assert ran.counts("accepted") == (3,)
    assert cloud.executed() == Counter(ids)
