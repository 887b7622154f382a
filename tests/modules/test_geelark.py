# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is special to GeeLark. What all services do alike is in test_conformance.py."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.services.geelark import TeamTasks
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.services import API_TOKEN, GEELARK

INFO, RESTART = GEELARK.info, GEELARK.act
ALL: dict[str, Any] = {"all_failed": True}
FAST: dict[str, Any] = {"wait": True, "wait_interval": 0.1, "wait_timeout": 60}
APP_ID, API_KEY = "testAppId0000000000000001", "testApiKey/+=000000000000001"
HISTORY, QUERY = "task/historyRecords", "task/query"


@pytest.fixture
def team(cloud: LocalCloud) -> TeamTasks:
    """The tasks of one team that may come by token or by key."""
    cloud.world.geelark.add_team(APP_ID, API_KEY, API_TOKEN)
    return cloud.world.geelark.tasks_of(APP_ID)


def codes(ran: Ran) -> dict[str, str]:
    """The error code of each task that has one."""
    return {task["id"]: task["error"]["code"] for task in ran["tasks"] if "error" in task}


# -- who --------------------------------------------------------------------------------------------------------------

BY_KEY: dict[str, Any] = {"api_token": None, "app_id": APP_ID, "api_key": API_KEY}


@pytest.mark.parametrize("options", [{}, BY_KEY], ids=["token", "key"])
def test_a_token_lets_in_and_so_does_a_key(
    module: Direct, cloud: LocalCloud, team: TeamTasks, options: dict[str, Any]
) -> None:
    ids = team.add_tasks(count=3)
    ran = module(RESTART, {**ALL, **options})
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert not cloud.violations


@pytest.mark.parametrize(
    "environ",
    [
        {"GEELARK_BEARER_TOKEN": API_TOKEN},
        {"GEELARK_TOKEN": API_TOKEN},
        {"GEELARK_APP_ID": APP_ID, "GEELARK_API_KEY": API_KEY},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_the_environment_lets_in(module: Direct, team: TeamTasks, environ: dict[str, str]) -> None:
    ids = team.add_tasks(count=1)
    ran = module(INFO, {"api_token": None}, environ=environ)
    assert ran.ids == ids


@pytest.mark.parametrize("options", [{"api_token": "wrong"}, {**BY_KEY, "api_key": "wrong"}], ids=["token", "key"])
def test_a_caller_who_is_not_let_in_is_told_what_to_check(
    module: Direct, team: TeamTasks, options: dict[str, Any]
) -> None:
    ran = module(RESTART, {**ALL, **options})
    assert ran.failed
    assert "40003" in ran.msg
    assert "Check api_token" in ran.msg
    assert len(ran.arrived) == 1


def test_no_credentials_name_every_place(module: Direct, team: TeamTasks) -> None:
    ran = module(INFO, {"api_token": None})
    assert ran.failed
    assert all(name in ran.msg for name in ("api_token", "app_id", "GEELARK_BEARER_TOKEN", "GEELARK_APP_ID"))


def test_a_region_means_nothing_and_hurts_nobody(module: Direct, team: TeamTasks) -> None:
    team.add_tasks(count=1)
    assert module(INFO, {"region": "anywhere"}).counts("selected") == (1,)


# -- which tasks ------------------------------------------------------------------------------------------------------


def test_ids_that_yaml_takes_for_numbers_keep_every_digit(ansible: Ansible, team: TeamTasks) -> None:
    team.add_tasks(id="571222333444555667")
    ran = ansible(RESTART, {"task_ids": [571222333444555667]})
    assert not ran.failed
    assert ran.ids == ["571222333444555667"]
    assert ran.executed == Counter({"571222333444555667": 1})


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("total", ["window", "page"])
@pytest.mark.parametrize("shape", [{}, {"short_pages": True}, {"repeat_last": True}, {"null_items": True}], ids=str)
def test_a_history_is_read_to_its_end_whatever_its_habits(
    module: Direct, cloud: LocalCloud, team: TeamTasks, order: str, total: str, shape: dict[str, Any]
) -> None:
    cloud.world.geelark.configure(order=order, total=total, **shape)
    ids = team.add_tasks(count=230, age={"from": "6d", "to": "1h"})
    ran = module(INFO, {})
    assert ran.ids == ids
    assert not ran.result["warnings"]


def test_a_task_that_vanishes_with_the_cursor_hides_no_others(
    module: Direct, cloud: LocalCloud, team: TeamTasks
) -> None:
    ids = team.add_tasks(count=230, age={"from": "6d", "to": "1h"})
    team.add_event(after=HISTORY, count=1, do="remove", tasks=[99])
    ran = module(INFO, {})
    assert set(ids) - set(ran.ids) <= {ids[-100]}


def test_cancelled_tasks_are_restarted_only_when_asked_for(module: Direct, team: TeamTasks) -> None:
    failed = team.add_tasks(count=2, age={"from": "9h", "to": "8h"})
    cancelled = team.add_tasks(count=2, age={"from": "7h", "to": "6h"}, status="cancelled")
    assert module(RESTART, ALL, check=True).ids == failed
    assert module(INFO, {"include_cancelled": True}).counts("selected", "retry") == (4, 4)
    named = module(RESTART, {"task_ids": cancelled})
    assert named.counts("skip", "accepted") == (2, 0)
    assert "left alone unless you ask for it" in named["tasks"][0]["reason"]
    assert module(RESTART, {**ALL, "include_cancelled": True}).executed == Counter(failed + cancelled)


def test_logs_and_pictures_are_never_asked_for(module: Direct, cloud: LocalCloud, team: TeamTasks) -> None:
    team.add_tasks(count=1, then="success")
    ran = module(RESTART, {**ALL, **FAST})
    assert ran.counts("recovered") == (1,)
    assert {request.operation for request in ran.arrived} == {HISTORY, QUERY, GEELARK.retry}


# -- what a restart says ----------------------------------------------------------------------------------------------

FORMS = ("list", "string_codes", "number_ids", "flat", "mixed", "malformed")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_partial_answer_is_understood(
    module: Direct, cloud: LocalCloud, team: TeamTasks, form: str
) -> None:
    cloud.world.geelark.configure(fail_details=form)
    good = team.add_tasks(count=2)
    spent, expired, deleted = (
        team.add_tasks(count=1, details=details)[0]
        for details in ({"restarts": 5}, {"expired": True}, {"phone_deleted": True})
    )
    ran = module(RESTART, ALL)
    assert ran.failed
    assert ran.outcomes() == {"accepted": 2, "refused": 3}
    assert ran.executed == Counter(good)
    tasks = ran.by_id()
    assert codes(ran) == {spent: "48000", expired: "48003", deleted: "40005"}
    assert [tasks[one]["failure"]["class"] for one in (spent, expired, deleted)] == ["exhausted", "gone", "gone"]
    assert tasks[spent]["failure"]["rule"] == "geelark.retry_limit"
    assert len(ran.changes) == 1


@pytest.mark.parametrize("form", ["one_object", "none", "absent"])
def test_what_an_answer_does_not_explain_is_settled_by_reading(
    module: Direct, cloud: LocalCloud, team: TeamTasks, form: str
) -> None:
    cloud.world.geelark.configure(fail_details=form)
    good = team.add_tasks(count=2)
    bad = team.add_tasks(count=2, details={"restarts": 5})
    ran = module(RESTART, ALL)
    tasks = ran.by_id()
    assert {tasks[one]["outcome"] for one in good} == {"accepted"}
    assert {tasks[one]["outcome"] for one in bad} <= {"refused", "unknown"}
    assert ran.counts("unknown") == ((1,) if form == "one_object" else (2,))
    assert len(ran.changes) == 1


def test_a_wrong_count_is_not_believed(module: Direct, cloud: LocalCloud, team: TeamTasks) -> None:
    cloud.world.geelark.configure(successes="wrong")
    ids = team.add_tasks(count=3)
    ran = module(RESTART, ALL)
    assert ran.outcomes() == {"accepted": 3}
    assert ran.executed == Counter(ids)
    assert "the reply was lost" in ran["tasks"][0]["reason"]


@pytest.mark.parametrize(
    ("all_failed", "outcome"), [("details", "refused"), ("no_data", "unknown"), ("unknown", "unknown")]
)
def test_all_failed_is_told_or_left_open(
    module: Direct, cloud: LocalCloud, team: TeamTasks, all_failed: str, outcome: str
) -> None:
    cloud.world.geelark.configure(all_failed=all_failed)
    team.add_tasks(count=2, details={"restarts": 5})
    ran = module(RESTART, ALL)
    assert ran.outcomes() == {outcome: 2}
    assert len(ran.changes) == 1


@pytest.mark.parametrize(("restart", "outcome"), [("unknown_done", "accepted"), ("unknown_undone", "unknown")])
def test_an_unknown_error_is_settled_by_reading_and_never_sent_again(
    module: Direct, cloud: LocalCloud, team: TeamTasks, restart: str, outcome: str
) -> None:
    cloud.world.geelark.configure(restart=restart)
    team.add_tasks(count=2)
    ran = module(RESTART, ALL)
    assert ran.outcomes() == {outcome: 2}
    assert len(ran.changes) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_results_are_results_whatever_the_status(
    module: Direct, cloud: LocalCloud, team: TeamTasks, status: int
) -> None:
    cloud.world.geelark.configure(http_status_for_errors=status)
    team.add_tasks(count=1)
    spent = team.add_tasks(count=1, details={"restarts": 5})
    ran = module(RESTART, ALL)
    assert ran.outcomes() == {"accepted": 1, "refused": 1}
    assert codes(ran) == {spent[0]: "48000"}


def test_a_cancelled_task_that_is_spent_is_refused_without_a_failure_made_up(module: Direct, team: TeamTasks) -> None:
    spent = team.add_tasks(count=1, status="cancelled", details={"restarts": 5})
    ran = module(RESTART, {"task_ids": spent, "include_cancelled": True})
    assert codes(ran) == {spent[0]: "48000"}
    assert not ran["causes"]


# -- tasks that the vendor retries ------------------------------------------------------------------------------------


def test_a_task_that_healed_before_its_restart_is_left_alone(module: Direct, team: TeamTasks) -> None:
    ids = team.add_tasks(count=3, age={"from": "9h", "to": "7h"})
    team.add_event(after=HISTORY, count=2, do="heal", tasks=[0])
    ran = module(RESTART, ALL)
    assert not ran.failed
    assert ran.outcomes() == {"accepted": 2, "none": 1}
    assert ran.by_id()[ids[-1]]["action"] == "none"


def test_check_mode_reads_the_same_and_decides_the_same(module: Direct, team: TeamTasks) -> None:
    team.add_tasks(count=120)
    check, real = module(RESTART, ALL, check=True), module(RESTART, ALL)
    assert [request.operation for request in check.arrived] == [HISTORY] * 3 + [QUERY] * 2
    assert [task["action"] for task in check["tasks"]] == [task["action"] for task in real["tasks"]]
    assert (check["changed"], real["changed"]) == (True, True)


def test_a_restart_that_is_queued_behind_its_old_failure_is_waited_for(
    module: Direct, cloud: LocalCloud, team: TeamTasks
) -> None:
    cloud.world.geelark.configure(queued="failed")
    team.add_tasks(count=2, then="success", queued_reads=2)
    ran = module(RESTART, {**ALL, **FAST})
    assert ran.counts("recovered", "failed_again") == (2, 0)


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_locked_account_is_asked_once_and_the_module_says_until_when(
    module: Direct, cloud: LocalCloud, team: TeamTasks
) -> None:
    cloud.world.geelark.configure(per_hour=0)
    team.add_tasks(count=1)
    ran = module(RESTART, ALL)
    assert ran.failed
    assert "40014" in ran.msg
    assert "Do not call it before 20" in ran.msg
    assert len(ran.arrived) == 1
    assert not cloud.violations


def test_a_lock_between_two_batches_refuses_nothing(module: Direct, cloud: LocalCloud, team: TeamTasks) -> None:
    team.add_tasks(count=110)
    cloud.faults.add(faults.ok_with_error(QUERY, code="40014", message="locked", skip=1))
    ran = module(RESTART, ALL)
    assert ran.outcomes() == {"accepted": 100, "not_attempted": 10}
    assert "Do not call it before 20" in ran["tasks"][-1]["reason"]
    assert ran.arrived[-1].operation == QUERY
