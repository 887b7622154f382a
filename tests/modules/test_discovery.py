# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding logstores and shippers, in a world that changes meanwhile and does not show everything."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.services import KEY_ID
from modules.sls import INFO, LOGSTORE, PROJECT, RETRY, WHERE

BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}
ALL = {**PROJECT, "all_failed": True}


def test_a_shipper_that_vanishes_before_it_is_listed_is_left_out(ansible: Ansible, cloud: LocalCloud) -> None:
    doomed = cloud.world.add_shipper("shop", "access", "doomed")
    doomed.add_tasks(**BUSY)
    doomed.add_event(after="ListShipper", do="vanish")
    ids = cloud.world.add_shipper("shop", "access", "other").add_tasks(**BUSY)
    ran = ansible(RETRY, ALL)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)
    assert "ShipperNotExist" in ran.warnings


def test_a_logstore_that_refuses_is_left_out_with_a_warning(ansible: Ansible, cloud: LocalCloud) -> None:
    cloud.world.sls.add_logstore("shop", "internal-operation_log", denied=True)
    ids = cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**BUSY)
    ran = ansible(RETRY, ALL)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)
    assert "Left out: GET /logstores/internal-operation_log/shipper failed" in ran.warnings


def test_a_logstore_that_refuses_is_an_error_when_it_was_named(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.sls.add_logstore("shop", "internal-operation_log", denied=True)
    ran = module(RETRY, {**ALL, "logstore": "internal-operation_log"})
    assert ran.failed
    assert "Unauthorized" in ran.msg
    assert len(ran.arrived) == 1


def test_a_project_whose_logstores_all_refuse_is_an_error(module: Direct, cloud: LocalCloud) -> None:
    for name in ("one", "two"):
        cloud.world.sls.add_logstore("shop", name, denied=True)
    ran = module(INFO, PROJECT)
    assert ran.failed
    assert "Unauthorized" in ran.msg


def test_a_shipper_whose_tasks_may_not_be_read_is_left_out_with_a_warning(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.change_account(KEY_ID, deny=("GetShipperStatus@audit",))
    cloud.world.add_shipper("shop", "audit", "to-oss").add_tasks(**BUSY)
    ids = cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**BUSY)
    ran = module(INFO, PROJECT)
    assert ran.ids == ids
    assert "audit" in ran.warnings


@pytest.mark.parametrize("operation", ["ListLogstores", "ListShipper"])
def test_discovery_that_ram_denies_says_which_right_is_missing(
    module: Direct, cloud: LocalCloud, operation: str
) -> None:
    cloud.world.change_account(KEY_ID, deny=(operation,))
    cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**BUSY)
    ran = module(RETRY, ALL)
    assert ran.failed
    assert operation.lower() in ran.msg.lower()
    assert not ran.changes


@pytest.mark.parametrize("where", [PROJECT, LOGSTORE], ids=["project", "logstore"])
def test_an_empty_scope_is_nothing_to_do(module: Direct, cloud: LocalCloud, where: dict[str, str]) -> None:
    cloud.world.sls.add_logstore("shop", "access")
    ran = module(RETRY, {**where, "all_failed": True})
    assert not ran.failed
    assert ran["tasks"] == []


def test_a_project_of_somebody_else_is_refused(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.change_account(KEY_ID, projects=("mine",))
    cloud.world.add_shipper("shop", "access", "to-oss")
    ran = module(INFO, WHERE)
    assert ran.failed
    assert "does not belong to you" in ran.msg


def test_six_hundred_shippers_are_all_found(module: Direct, cloud: LocalCloud) -> None:
    for number in range(600):
        cloud.world.add_shipper("shop", "access", f"s{number:03}")
    (one,) = cloud.world.add_shipper("shop", "access", "s599").add_tasks(**BUSY)
    ran = module(INFO, LOGSTORE)
    assert ran.ids == [one]
    assert len(cloud.calls("ListShipper")) == 2


@pytest.mark.parametrize("operation", ["ListLogstores", "ListShipper"])
@pytest.mark.parametrize(
    "body",
    ['{"count":1,"total":9,"%s":["access"]}', '{"total":1,"%s":["access","access"]}', '{"%s":["access"]}'],
    ids=["total too large", "repeated", "no total"],
)
def test_a_listing_with_odd_totals_ends(module: Direct, cloud: LocalCloud, operation: str, body: str) -> None:
    (one,) = cloud.world.add_shipper("shop", "access", "access").add_tasks(**BUSY)
    key = {"ListLogstores": "logstores", "ListShipper": "shipper"}[operation]
    cloud.faults.add(faults.raw(operation, body=body % key, times=None))
    ran = module(INFO, PROJECT)
    assert ran.ids == [one]
    assert len(cloud.calls(operation)) <= 2


@pytest.mark.parametrize("names", ["[1]", "{}", '"ab"', "[null]"])
def test_a_list_of_other_things_than_names_is_an_error(module: Direct, cloud: LocalCloud, names: str) -> None:
    cloud.world.sls.add_project("shop")
    cloud.faults.add(faults.raw("ListLogstores", body=f'{{"total":1,"logstores":{names}}}', times=None))
    ran = module(INFO, {**PROJECT, "max_attempts": 1})
    assert ran.failed
    assert {request.operation for request in ran.arrived} == {"ListLogstores"}


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\nb", "", "a.b"])
def test_a_listed_name_that_is_not_legal_is_left_out_and_never_becomes_a_path(
    module: Direct, cloud: LocalCloud, name: str
) -> None:
    (one,) = cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**BUSY)
    cloud.faults.add(faults.raw("ListLogstores", body=f'{{"total":2,"logstores":["{name}","access"]}}', times=None))
    ran = module(INFO, PROJECT)
    assert ran.ids == [one]
    assert "no legal name" in ran.warnings
    assert {request.target.split("?")[0] for request in ran.arrived} == {
        "/logstores",
        "/logstores/access/shipper",
        "/logstores/access/shipper/to-oss/tasks",
    }


@pytest.mark.parametrize("operation", ["ListLogstores", "ListShipper"])
def test_a_discovery_call_that_fails_once_is_repeated(module: Direct, cloud: LocalCloud, operation: str) -> None:
    ids = cloud.world.add_shipper("shop", "access", "to-oss").add_tasks(**BUSY)
    cloud.faults.add(faults.error(operation))
    ran = module(INFO, PROJECT)
    assert ran.ids == ids
    assert ran["requests"]["repeated"] == 1
