# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tasks are looked at and retried."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timezone
from typing import Any

import pytest

from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.sls import ALL, INFO, LOGSTORE, PROJECT, RETRY, WHERE

TRANSIENT: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}


# -- the two selections -----------------------------------------------------------------------------------------------


def test_no_selection_is_refused_and_sends_nothing(ansible: Ansible) -> None:
    ran = ansible(RETRY, WHERE)
    assert ran.failed
    assert "task_ids" in ran.msg
    assert "all_failed" in ran.msg
    assert not ran.arrived


@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"all_failed": False},
        {"all_failed": ""},
        {"task_ids": ""},
        {"ids": ""},
        {"task_ids": "", "all_failed": ""},
        {"task_ids": "  "},
    ],
    ids=str,
)
def test_what_selects_nothing_never_means_everything(module: Direct, selection: dict[str, Any]) -> None:
    ran = module(RETRY, {**WHERE, **selection})
    assert ran.failed
    assert "No selection" in ran.msg
    assert not ran.arrived


def test_both_selections_are_refused(ansible: Ansible, shipper: TaskList) -> None:
    ran = ansible(RETRY, {**ALL, "task_ids": ["a"]})
    assert ran.failed
    assert "both" in ran.msg
    assert not ran.arrived


def test_an_empty_list_beside_all_failed_is_refused_too(module: Direct) -> None:
    assert "both" in module(RETRY, {**ALL, "task_ids": []}).msg


@pytest.mark.parametrize("check", [False, True])
def test_an_empty_list_means_nothing_to_do(ansible: Ansible, check: bool) -> None:
    ran = ansible(RETRY, {**WHERE, "task_ids": []}, check=check)
    assert not ran.failed
    assert ran["tasks"] == []
    assert not ran.arrived


def test_an_empty_list_needs_no_credentials(module: Direct) -> None:
    ran = module(RETRY, {**WHERE, "task_ids": []}, defaults=False)
    assert not ran.failed


def test_an_empty_list_means_nothing_to_look_at(module: Direct) -> None:
    ran = module(INFO, {**WHERE, "task_ids": []})
    assert not ran.failed
    assert not ran.arrived


def test_all_failed_with_nothing_failed_changes_nothing(module: Direct, shipper: TaskList) -> None:
    shipper.add_tasks(count=3, status="success")
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.counts("selected", "retry") == (0, 0)
    assert len(ran.arrived) == 1


# -- by id ------------------------------------------------------------------------------------------------------------


def test_each_kind_of_task_that_is_asked_for_gets_its_due(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList
) -> None:
    failed = shipper.add_tasks(count=2, **TRANSIENT)
    (running,) = shipper.add_tasks(status="running", runs_for={})
    (shipped,) = shipper.add_tasks(status="success")
    (broken,) = shipper.add_tasks(code="InvalidOssBucket")
    shipper.add_tasks(count=2, **TRANSIENT)  # not asked for
    asked = [shipped, failed[1], "unknown-id", failed[0], running, broken, failed[1], shipped]
    ran = ansible(RETRY, {**WHERE, "ids": asked, "fail_on": []})
    assert not ran.failed
    assert ran.ids == [shipped, failed[1], "unknown-id", failed[0], running, broken]
    assert [task["action"] for task in ran["tasks"]] == ["none", "retry", "none", "retry", "none", "skip"]
    assert [task["state"] for task in ran["tasks"]] == ["succeeded", "failed", "missing", "failed", "running", "failed"]
    assert ran.counts("selected", "retry", "none", "skip", "missing") == (6, 2, 2, 1, 1)
    assert [put.ids for put in ran.changes] == [(failed[1], failed[0])]
    assert cloud.executed() == Counter(failed)
    assert not cloud.violations


def test_a_missing_id_fails_the_task_after_the_others_were_retried(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList
) -> None:
    ids = shipper.add_tasks(**TRANSIENT)
    ran = ansible(RETRY, {**WHERE, "task_ids": ["nowhere", *ids]})
    assert ran.failed
    assert ran["changed"] is True
    assert "1 not found" in ran.msg
    assert "48 hours" in ran.by_id()["nowhere"]["reason"]
    assert cloud.executed() == Counter(ids)


def test_an_id_older_than_the_horizon_is_missing_and_never_sent(module: Direct, shipper: TaskList) -> None:
    ids = shipper.add_tasks(age="49h", **TRANSIENT)
    ran = module(RETRY, {**WHERE, "task_ids": ids, "fail_on": []})
    assert ran.counts("missing", "retry") == (1, 0)
    assert not ran.changes


def test_an_id_of_another_shipper_is_missing(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    ids = cloud.world.add_shipper("shop", "access", "other").add_tasks(**TRANSIENT)
    ran = module(RETRY, {**WHERE, "task_ids": ids, "fail_on": []})
    assert ran.counts("missing") == (1,)
    assert not ran.changes


def test_looking_for_ids_ends_where_the_last_one_is_found(module: Direct, cloud: LocalCloud) -> None:
    one, _two = (cloud.world.add_shipper("shop", "access", name).add_tasks(**TRANSIENT) for name in ("one", "two"))
    ran = module(INFO, {**LOGSTORE, "task_ids": one})
    assert ran.counts("retry", "missing") == (1, 0)
    assert len(ran.arrived) == 2


def test_ids_are_found_in_the_whole_project(module: Direct, cloud: LocalCloud) -> None:
    ids = [
        *cloud.world.add_shipper("shop", "a", "one").add_tasks(**TRANSIENT),
        *cloud.world.add_shipper("shop", "b", "two").add_tasks(**TRANSIENT),
    ]
    ran = module(RETRY, {**PROJECT, "task_ids": ids})
    assert ran.counts("accepted") == (2,)
    assert len(ran.changes) == 2


def test_ids_may_come_as_one_string(module: Direct, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=2, **TRANSIENT)
    ran = module(RETRY, {**WHERE, "task_ids": ",".join(ids)})
    assert ran.ids == ids


# -- filters ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(shipper: TaskList) -> dict[str, str]:
    """Three failed tasks whose codes and messages differ, and a shipped one."""
    ids = {
        "busy": shipper.add_tasks(code="Busy", message="Bucket alpha is busy", age="3h"),
        "slow": shipper.add_tasks(code="Slow", message="bucket ALPHA is slow", age="2h"),
        "busy2": shipper.add_tasks(code="Busy", message="bucket beta", age="1h"),
        "done": shipper.add_tasks(status="success"),
    }
    return {name: one for name, (one,) in ids.items()}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"codes": ["BUSY"]}, ["busy", "busy2"]),
        ({"codes": ["Busy", "Slow"]}, ["busy", "slow", "busy2"]),
        ({"codes": ["Other"]}, []),
        ({"codes": []}, ["busy", "slow", "busy2"]),
        ({"codes": "Busy,Slow"}, ["busy", "slow", "busy2"]),
        ({"message_regex": "bucket alpha"}, ["busy", "slow"]),
        ({"message_regex": "beta$"}, ["busy2"]),
        ({"codes": ["busy"], "message_regex": "alpha"}, ["busy"]),
    ],
    ids=str,
)
def test_all_failed_keeps_what_the_filters_keep(
    module: Direct, mixed: dict[str, str], filters: dict[str, Any], expected: list[str]
) -> None:
    ran = module(RETRY, {**ALL, **filters})
    assert ran.ids == [mixed[name] for name in expected]
    assert sorted(one for put in ran.changes for one in put.ids) == sorted(mixed[name] for name in expected)


def test_a_filter_leaves_out_ids_without_losing_them(module: Direct, mixed: dict[str, str]) -> None:
    ran = module(RETRY, {**WHERE, "task_ids": list(mixed.values()), "codes": ["slow"]})
    assert [task["action"] for task in ran["tasks"]] == ["skip", "retry", "skip", "none"]
    assert "leave it out" in ran.by_id()[mixed["busy"]]["reason"]
    assert [put.ids for put in ran.changes] == [(mixed["slow"],)]


@pytest.mark.parametrize("states", [["succeeded"], ["running", "succeeded"], ["failed", "succeeded"]], ids=str)
def test_info_looks_at_the_states_that_are_asked_for(module: Direct, shipper: TaskList, states: list[str]) -> None:
    for status in ("fail", "success", "running"):
        shipper.add_tasks(status=status, runs_for={})
    ran = module(INFO, {**WHERE, "states": states})
    assert sorted(task["state"] for task in ran["tasks"]) == sorted(states)


# -- where ------------------------------------------------------------------------------------------------------------


def test_all_failed_reaches_over_every_shipper_of_the_scope(ansible: Ansible, cloud: LocalCloud) -> None:
    ids = {
        (store, name): cloud.world.add_shipper("shop", store, name).add_tasks(count=2, **TRANSIENT)
        for store, name in (("access", "to-oss"), ("access", "to-odps"), ("audit", "to-oss"))
    }
    cloud.world.sls.add_logstore("shop", "without-shipper")
    cloud.world.add_shipper("other", "access", "to-oss").add_tasks(**TRANSIENT)
    ran = ansible(INFO, PROJECT)
    assert sorted(ran.ids) == sorted(one for some in ids.values() for one in some)
    ran = ansible(RETRY, {**LOGSTORE, "all_failed": True})
    assert cloud.executed() == Counter([*ids["access", "to-oss"], *ids["access", "to-odps"]])
    assert len(ran.changes) == 2
    ran = ansible(RETRY, {**PROJECT, "all_failed": True})
    assert cloud.executed() == Counter(one for some in ids.values() for one in some)
    assert len(ran.changes) == 1


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ({"project": "nowhere"}, "ProjectNotExist"),
        ({"project": "shop", "logstore": "nowhere"}, "LogStoreNotExist"),
        ({"project": "shop", "logstore": "access", "shipper": "nowhere"}, "ShipperNotExist"),
    ],
    ids=str,
)
@pytest.mark.parametrize("dialect", ["seed000", "seed001"])
def test_what_does_not_exist_is_said_after_one_request(
    module: Direct, cloud: LocalCloud, shipper: TaskList, where: dict[str, str], code: str, dialect: str
) -> None:
    cloud.world.sls.configure(dialect=dialect)
    ran = module(RETRY, {**where, "all_failed": True})
    assert ran.failed
    assert code in ran.msg
    assert len(ran.arrived) == 1


# -- when -------------------------------------------------------------------------------------------------------------


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("form", ["5h", "300m", "18000s", "iso", "offset", "naive", "epoch", "number", " 5h "])
def test_since_and_until_in_every_form(module: Direct, cloud: LocalCloud, shipper: TaskList, form: str) -> None:
    shipper.add_tasks(age="6h", **TRANSIENT)
    (wanted,) = shipper.add_tasks(age="3h", **TRANSIENT)
    shipper.add_tasks(age="1h", **TRANSIENT)
    moment = int(cloud.clock.now()) - 5 * 3600
    forms: dict[str, Any] = {
        "iso": _iso(moment),
        "offset": _iso(moment + 8 * 3600)[:-1] + "+08:00",
        "naive": _iso(moment)[:-1],
        "epoch": str(moment),
        "number": moment,
    }
    ran = module(INFO, {**WHERE, "since": forms.get(form, form), "until": "2h"})
    assert ran.ids == [wanted]
    assert not ran.result["warnings"]


def test_days_and_weeks_reach_back_to_the_horizon(module: Direct, shipper: TaskList) -> None:
    ids = shipper.add_tasks(age="47h", **TRANSIENT)
    ran = module(INFO, {**WHERE, "since": "2d"})
    assert ran.ids == ids
    assert not ran.result["warnings"]


@pytest.mark.parametrize("since", ["3d", "1w", "0", "1", "2020-01-01", "1970-01-01T00:00:00Z"])
def test_a_window_past_the_horizon_is_clamped_with_a_warning_that_says_to_what(
    module: Direct, shipper: TaskList, since: str
) -> None:
    ids = shipper.add_tasks(age="47h", **TRANSIENT)
    ran = module(RETRY, {**ALL, "since": since})
    assert ran.ids == ids
    assert re.search(r"48 hours.*clamped to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ran.warnings)


def test_a_warning_about_the_window_reaches_the_screen(ansible: Ansible, shipper: TaskList) -> None:
    ran = ansible(INFO, {**WHERE, "since": "9d", "until": "2999-01-01"})
    assert "[WARNING]" in ran.output
    assert "since reaches past" in ran.warnings
    assert "until is in the future" in ran.warnings


def test_the_whole_horizon_is_looked_at_without_being_asked(module: Direct, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=5, age={"from": "47h", "to": "1m"}, **TRANSIENT)
    shipper.add_tasks(age="50h", **TRANSIENT)
    ran = module(INFO, WHERE)
    assert ran.ids == ids
    assert not ran.result["warnings"]


UNREADABLE = ("yesterday", "5 h", "-5h", "5y", "2026-13-01", "1e9", "99999999999h", "\u0665h", "now")


@pytest.mark.parametrize(("option", "text"), [("until", "soon"), *(("since", text) for text in UNREADABLE)])
def test_an_unreadable_time_is_refused(module: Direct, option: str, text: str) -> None:
    ran = module(RETRY, {**ALL, option: text})
    assert ran.failed
    assert option in ran.msg
    assert not ran.arrived


@pytest.mark.parametrize(
    "window", [{"since": "1h", "until": "2h"}, {"since": "1h", "until": "1h"}, {"since": "2999-01-01"}, {"until": "3d"}]
)
def test_an_empty_window_is_refused(module: Direct, window: dict[str, str]) -> None:
    ran = module(RETRY, {**ALL, **window})
    assert ran.failed
    assert "window is empty" in ran.msg
    assert not ran.arrived


# -- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (23, [10, 10, 3])])
def test_retries_travel_in_tens(
    module: Direct, cloud: LocalCloud, shipper: TaskList, count: int, sizes: list[int]
) -> None:
    ids = shipper.add_tasks(count=count, age={"from": "9h", "to": "1h"}, **TRANSIENT) if count else []
    ran = module(RETRY, ALL)
    assert [len(put.ids) for put in ran.changes] == sizes
    assert [one for put in ran.changes for one in put.ids] == ids
    assert cloud.executed() == Counter(ids)


@pytest.mark.parametrize("total", ["filtered", "all"])
def test_twelve_hundred_tasks_are_listed_judged_and_retried_once_each(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList, total: str
) -> None:
    cloud.world.sls.configure(total=total)
    ids = shipper.add_tasks(count=1200, age={"from": "40h", "to": "1h"}, **TRANSIENT)
    shipper.add_tasks(count=30, status="success")
    ran = ansible(RETRY, ALL)
    assert not ran.failed
    assert len(ran.changes) == 120
    assert cloud.executed() == cloud.retried() == Counter(ids)
    assert ran.ids == ids
    assert not cloud.violations
    assert ran["causes"][0]["count"] == 1200


def test_tasks_that_arrive_while_paging_hide_none(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    ids = shipper.add_tasks(count=1100, age={"from": "40h", "to": "1h"}, **TRANSIENT)
    for number in (1, 2):
        shipper.add_event(after="GetShipperStatus", count=number, do="add_tasks", age="1m", **TRANSIENT)
    ran = module(RETRY, ALL)
    assert set(ids) <= set(ran.ids)
    assert len(ran.ids) == 1102
    assert cloud.executed() == Counter(ran.ids)


@pytest.mark.parametrize("total", ["filtered", "all"])
def test_tasks_that_heal_while_paging_hide_none_and_are_not_sent(
    module: Direct, cloud: LocalCloud, shipper: TaskList, total: str
) -> None:
    cloud.world.sls.configure(total=total)
    ids = shipper.add_tasks(count=1100, age={"from": "40h", "to": "1h"}, **TRANSIENT)
    healed = ids[-20:]
    shipper.add_event(after="GetShipperStatus", count=1, do="heal", tasks=healed)
    ran = module(RETRY, ALL)
    assert set(ran.ids) == set(ids) - set(healed)
    assert not cloud.violations


def test_an_id_on_the_last_page_is_found_while_others_leave(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    ids = shipper.add_tasks(count=1100, age={"from": "40h", "to": "1h"}, **TRANSIENT)
    shipper.add_event(after="GetShipperStatus", count=1, do="remove", tasks=ids[-20:])
    ran = module(RETRY, {**WHERE, "task_ids": [ids[580], ids[599]]})
    assert not ran.failed
    assert ran.counts("accepted", "missing") == (2, 0)


def test_a_listing_that_ignores_paging_ends(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.sls.configure(shipper_paging="ignored")
    ids = [
        one
        for number in range(7)
        for one in cloud.world.add_shipper("shop", "access", f"s{number}").add_tasks(**TRANSIENT)
    ]
    ran = module(RETRY, {**LOGSTORE, "all_failed": True})
    assert cloud.executed() == Counter(ids)
    assert len(cloud.calls("ListShipper")) == 1
    assert ran.counts("accepted") == (7,)
