# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is special to CLS. What all services do alike is in test_conformance.py."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER, Fault
from local_cloud.services.cls_tasks import ShipperTasks
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct, Ran
from modules.services import CLS, CLS_SHIPPER, KEY_ID, SECRET

INFO, RETRY = CLS.info, CLS.act
REGION: dict[str, Any] = {"region": "ap-guangzhou"}
ALL: dict[str, Any] = {**CLS.where, "all_failed": True}
EVERYWHERE: dict[str, Any] = {"all_failed": True}
FAST: dict[str, Any] = {"wait": True, "wait_interval": 0.1, "wait_timeout": 60}
BUSY: dict[str, Any] = {"message": "InternalError: try again."}
TOKEN_ID, TOKEN_SECRET, TOKEN = "testTmpSecretId", "testTmpSecretKey", "testToken/with+chars==.v1"
SHIPPERS, TASKS, RETRIES = "DescribeShippers", "DescribeShipperTasks", "RetryShipperTask"


@pytest.fixture
def shipper(cloud: LocalCloud) -> ShipperTasks:
    """The one shipper of most tests, empty."""
    return cloud.world.cls.add_shipper(CLS_SHIPPER)


def codes(ran: Ran) -> dict[str, str]:
    """The error code of each task that has one."""
    return {task["id"]: task["error"]["code"] for task in ran["tasks"] if "error" in task}


def after(ran: Ran) -> Counter[str]:
    """How many tasks ended in each state."""
    return Counter(task["state_after"] for task in ran["tasks"])


# -- where ------------------------------------------------------------------------------------------------------------


def test_every_shipper_of_the_region_is_looked_at_and_no_other(ansible: Ansible, cloud: LocalCloud) -> None:
    here = {f"here-{number}": cloud.world.cls.add_shipper(f"here-{number}") for number in range(3)}
    ids = {name: tasks.add_tasks(count=2, **BUSY) for name, tasks in here.items()}
    cloud.world.cls.add_shipper("there", region="ap-singapore").add_tasks(count=2, **BUSY)
    ran = ansible(RETRY, EVERYWHERE)
    assert not ran.failed
    assert ran.executed == Counter(one for some in ids.values() for one in some)
    assert {task["id"]: task["scope"] for task in ran["tasks"]} == {
        one: {"shipper_id": name} for name, some in ids.items() for one in some
    }
    assert not cloud.violations


def test_shippers_of_many_pages_are_all_found(module: Direct, cloud: LocalCloud) -> None:
    for number in range(230):
        cloud.world.cls.add_shipper(f"s{number}").add_tasks(**BUSY)
    ran = module(INFO, {"rate_limit": 10_000})
    assert ran.counts("found", "selected") == (230, 230)
    assert len(cloud.calls(SHIPPERS)) == 3


def test_a_region_without_shippers_is_nothing_to_do(module: Direct, cloud: LocalCloud) -> None:
    for empty in ("null", "list", "absent"):
        cloud.world.cls.configure(empty=empty)
        ran = module(RETRY, EVERYWHERE)
        assert not ran.failed
        assert ran.counts("found") == (0,)


def test_looking_for_ids_ends_at_the_shipper_that_has_them(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.cls.add_shipper("first").add_tasks(**BUSY)
    ids = cloud.world.cls.add_shipper("second").add_tasks(count=2, **BUSY)
    cloud.world.cls.add_shipper("third").add_tasks(**BUSY)
    ran = module(RETRY, {"task_ids": ids})
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert len(cloud.calls(TASKS)) == 2


def test_a_shipper_that_is_not_there_is_an_error_when_it_was_named(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.cls.add_shipper("there", region="ap-singapore").add_tasks(**BUSY)
    ran = module(RETRY, {"shipper_id": "there", "all_failed": True})
    assert ran.failed
    assert "ResourceNotFound.ShipperNotExist: The shipping rule does not exist." in ran.msg
    assert "Check shipper_id, and that region and endpoint are those of the shipping rule." in ran.msg
    assert len(ran.arrived) == 1


def test_a_shipper_that_vanishes_before_it_is_listed_is_left_out(module: Direct, cloud: LocalCloud) -> None:
    doomed = cloud.world.cls.add_shipper("doomed")
    doomed.add_tasks(**BUSY)
    doomed.add_event(after=SHIPPERS, do="vanish")
    ids = cloud.world.cls.add_shipper("other").add_tasks(**BUSY)
    ran = module(RETRY, EVERYWHERE)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert "Left out: " in ran.warnings
    assert "ShipperNotExist" in ran.warnings


def test_a_shipper_that_may_not_be_read_is_left_out_with_a_warning(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.change_account(KEY_ID, deny=(f"{TASKS}@audit",))
    cloud.world.cls.add_shipper("audit").add_tasks(**BUSY)
    ids = cloud.world.cls.add_shipper("other").add_tasks(**BUSY)
    ran = module(RETRY, EVERYWHERE)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert "Left out: POST / (DescribeShipperTasks) failed: AuthFailure.UnauthorizedOperation" in ran.warnings


@pytest.mark.parametrize("denied", [SHIPPERS, TASKS])
def test_what_may_not_be_read_at_all_is_an_error_that_names_the_right(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks, denied: str
) -> None:
    cloud.world.change_account(KEY_ID, deny=(denied,))
    shipper.add_tasks(**BUSY)
    ran = module(RETRY, EVERYWHERE)
    assert ran.failed
    assert f"cls:{denied}" in ran.msg
    assert not ran.changes


def test_a_shipper_that_vanishes_during_the_run_stops_what_belongs_to_it_alone(
    module: Direct, cloud: LocalCloud
) -> None:
    doomed = cloud.world.cls.add_shipper("doomed")
    lost = doomed.add_tasks(count=5, age={"from": "9h", "to": "5h"}, **BUSY)
    doomed.add_event(after=RETRIES, count=2, do="vanish")
    ids = cloud.world.cls.add_shipper("other").add_tasks(count=3, **BUSY)
    ran = module(RETRY, {**EVERYWHERE, "concurrency": 1})
    assert ran.failed
    assert ran.executed == Counter([*lost[:2], *ids])
    assert ran.outcomes() == {"accepted": 5, "refused": 1, "not_attempted": 2}


# -- the region -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["", "cls.intl.tencentcloudapi.com"])
def test_without_a_region_nothing_is_sent_to_the_vendor(ansible: Ansible, endpoint: str) -> None:
    ran = ansible(INFO, {"region": None, "endpoint": endpoint})
    assert ran.failed
    assert "The region is not known" in ran.msg
    assert "TENCENTCLOUD_REGION" in ran.msg
    assert not ran.arrived


def test_an_endpoint_of_somebody_s_own_needs_no_region(module: Direct, cloud: LocalCloud) -> None:
    cloud.world.change_account(KEY_ID, region="ap-guangzhou")
    ran = module(INFO, {"region": None})
    assert not ran.failed
    assert [request.header("x-tc-region") for request in ran.arrived] == [None]


@pytest.mark.parametrize(
    ("option", "variable", "sent"),
    [
        ("ap-guangzhou", "ap-singapore", "ap-guangzhou"),
        (None, "ap-singapore", "ap-singapore"),
        ("", "ap-singapore", "ap-singapore"),
    ],
)
def test_the_region_is_the_option_or_the_variable(
    module: Direct, cloud: LocalCloud, option: str | None, variable: str, sent: str
) -> None:
    ran = module(INFO, {"region": option}, environ={"TENCENTCLOUD_REGION": variable})
    assert not ran.failed
    assert {request.header("x-tc-region") for request in ran.arrived} == {sent}


@pytest.mark.parametrize("environ", [{}, {"TENCENTCLOUD_REGION": "Not A Region"}], ids=["option", "variable"])
def test_what_is_no_region_is_refused_before_anything_is_sent(module: Direct, environ: dict[str, str]) -> None:
    ran = module(INFO, {"region": None if environ else "Guangzhou"}, environ=environ)
    assert ran.failed
    assert "region is not a region id" in ran.msg
    assert not ran.arrived


def test_a_region_that_the_service_does_not_know_is_its_error(module: Direct, cloud: LocalCloud) -> None:
    cloud.faults.add(faults.error("*", code="UnsupportedRegion", message="The region is not supported."))
    ran = module(INFO, {"region": "ap-atlantis"})
    assert ran.failed
    assert "UnsupportedRegion" in ran.msg
    assert "Check endpoint and region" in ran.msg
    assert len(ran.arrived) == 1


@pytest.mark.parametrize(
    "options", [{"shipper_id": "a b"}, {"task_ids": ["a\nb"]}, {"task_ids": ["x" * 257]}], ids=["shipper", "id", "long"]
)
def test_ids_that_are_none_are_refused_before_anything_is_sent(module: Direct, options: dict[str, Any]) -> None:
    ran = module(INFO, options)
    assert ran.failed
    assert "is no id" in ran.msg
    assert not ran.arrived


def test_a_host_for_uploads_is_refused_before_anything_is_sent(module: Direct) -> None:
    ran = module(INFO, {"endpoint": "ap-guangzhou.cls.tencentcs.com"})
    assert ran.failed
    assert "where logs are uploaded to" in ran.msg
    assert "cls.tencentcloudapi.com" in ran.msg


# -- who --------------------------------------------------------------------------------------------------------------

NOBODY: dict[str, Any] = {"secret_id": None, "secret_key": None}
VARIABLES = {"TENCENTCLOUD_SECRET_ID": TOKEN_ID, "TENCENTCLOUD_SECRET_KEY": TOKEN_SECRET}


@pytest.fixture
def temporary(cloud: LocalCloud) -> None:
    """A key with a token; the others of the local cloud have none."""
    cloud.world.add_account(TOKEN_ID, TOKEN_SECRET, security_token=TOKEN)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    "variable", ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN", "TENCENTCLOUD_SESSION_TOKEN"]
)
def test_a_temporary_key_from_variables(module: Direct, shipper: ShipperTasks, variable: str) -> None:
    ids = shipper.add_tasks(count=2, **BUSY)
    ran = module(RETRY, {**ALL, **NOBODY}, environ={**VARIABLES, variable: TOKEN})
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert TOKEN not in ran.output
    assert TOKEN_SECRET not in ran.output


@pytest.mark.usefixtures("temporary")
def test_a_temporary_key_from_options(ansible: Ansible, shipper: ShipperTasks) -> None:
    options = {"secret_id": TOKEN_ID, "secret_key": TOKEN_SECRET, "token": TOKEN}
    ran = ansible(INFO, {**CLS.where, **options}, verbosity=3)
    assert not ran.failed
    assert TOKEN not in ran.output
    assert TOKEN_SECRET not in ran.output


@pytest.mark.usefixtures("temporary")
def test_a_profile_of_the_command_line_with_its_region(module: Direct, tmp_path: Path) -> None:
    folder = tmp_path / ".tccli"
    folder.mkdir()
    key = {"secretId": TOKEN_ID, "secretKey": TOKEN_SECRET, "token": TOKEN}
    (folder / "work.credential").write_text(json.dumps(key))
    (folder / "work.configure").write_text(json.dumps({"_sys_param": {"region": "ap-seoul", "output": "json"}}))
    ran = module(INFO, {**NOBODY, "region": None, "profile": "work"})
    assert not ran.failed
    assert {request.header("x-tc-region") for request in ran.arrived} == {"ap-seoul"}


def test_a_file_of_the_sdk(module: Direct, cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / ".tencentcloud").mkdir()
    (tmp_path / ".tencentcloud" / "credentials").write_text(f"[default]\nsecret_id = {KEY_ID}\nsecret_key = {SECRET}\n")
    assert not module(INFO, NOBODY).failed


def test_without_credentials_every_place_is_named(module: Direct) -> None:
    ran = module(INFO, NOBODY)
    assert ran.failed
    for place in ("secret_id", "TENCENTCLOUD_SECRET_ID", ".tencentcloud/credentials", ".tccli/default.credential"):
        assert place in ran.msg


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secret_key": "anotherSecretKey"}, "The secret does not belong to the key"),
        ({"secret_id": "nobody"}, "Check secret_id, secret_key and token"),
        ({"token": "someOtherToken"}, "get new temporary credentials"),
    ],
)
def test_credentials_that_are_refused_stop_the_run_with_what_to_do(
    module: Direct, shipper: ShipperTasks, options: dict[str, str], words: str
) -> None:
    shipper.add_tasks(count=3, **BUSY)
    ran = module(RETRY, {**ALL, **options})
    assert ran.failed
    assert "AuthFailure." in ran.msg
    assert words in ran.msg
    assert len(ran.arrived) == 1


@pytest.mark.usefixtures("temporary")
def test_a_token_that_expires_during_the_run_leaves_the_rest_for_the_next_run(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    ids = shipper.add_tasks(count=5, age={"from": "5h", "to": "1h"}, **BUSY)
    expired = faults.error(RETRIES, code="AuthFailure.TokenFailure", message="The token has expired.", skip=2)
    cloud.faults.add(expired)
    who = {"secret_id": TOKEN_ID, "secret_key": TOKEN_SECRET, "token": TOKEN}
    ran = module(RETRY, {**ALL, **who, "concurrency": 1})
    assert ran.failed
    assert ran.outcomes() == {"accepted": 2, "refused": 1, "not_attempted": 2}
    assert "get new temporary credentials" in ran.msg
    again = module(RETRY, {**ALL, **who})
    assert not again.failed
    assert cloud.executed() == Counter(ids)


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("isolated", "OperationDenied.AccountIsolate", "pay first"),
        ("destroyed", "OperationDenied.AccountDestroy", "has been terminated"),
        ("missing", "OperationDenied.AccountNotExists", "use a key of another"),
        ("acl_failed", "OperationDenied.ACLFailed", "cls:RetryShipperTask"),
    ],
)
def test_an_account_that_is_refused_stops_the_run(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks, state: str, code: str, words: str
) -> None:
    cloud.world.cls.configure(account_states={KEY_ID: state})
    ran = module(RETRY, ALL)
    assert ran.failed
    assert code in ran.msg
    assert words in ran.msg
    assert len(ran.arrived) == 1


# -- what is not documented, either way -------------------------------------------------------------------------------

ANY_WAY: list[dict[str, Any]] = [
    {"window_by": "range"},
    {"times": "strings"},
    {"new_start_on_retry": True},
    {"new_id_on_retry": True},
    {"new_id_on_retry": True, "new_start_on_retry": True, "window_by": "range", "times": "strings"},
    {"content_type": "application/json; charset=utf-8"},
]


@pytest.mark.parametrize("options", ANY_WAY, ids=str)
def test_retried_tasks_are_seen_to_recover(
    ansible: Ansible, cloud: LocalCloud, shipper: ShipperTasks, options: dict[str, Any]
) -> None:
    cloud.world.cls.configure(**options)
    ids = shipper.add_tasks(count=4, age={"from": "71h", "to": "2m"}, runs_for={"reads": 2}, **BUSY)
    shipper.add_tasks(count=2, status="success")
    ran = ansible(RETRY, {**ALL, **FAST})
    assert not ran.failed
    assert ran.ids == ids
    assert ran.counts("accepted", "recovered") == (4, 4)
    assert ran.executed == Counter(ids)
    assert not cloud.violations
    again = ansible(RETRY, ALL)
    assert not again["changed"]
    assert not again.changes


@pytest.mark.parametrize("options", ANY_WAY, ids=str)
@pytest.mark.parametrize(
    "fault",
    [
        faults.reset(RETRIES, effect="after", times=FOREVER),
        faults.cut(RETRIES, times=FOREVER),
        faults.error(RETRIES, code="FailedOperation", effect="after", times=FOREVER),
        faults.raw(RETRIES, body='{"Response": {}}', effect="after", times=FOREVER),
    ],
    ids=["reset", "cut", "FailedOperation", "empty"],
)
def test_a_lost_reply_is_settled_by_reading(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks, options: dict[str, Any], fault: Fault
) -> None:
    cloud.world.cls.configure(**options)
    ids = shipper.add_tasks(count=2, runs_for={"reads": 3}, **BUSY)
    cloud.faults.add(fault)
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"accepted": 2}
    assert ran.executed == Counter(ids)


@pytest.mark.parametrize("options", ANY_WAY, ids=str)
def test_a_task_that_fails_again_is_told(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks, options: dict[str, Any]
) -> None:
    cloud.world.cls.configure(**options)
    shipper.add_tasks(count=2, then="fail", runs_for={"reads": 1}, **BUSY)
    ran = module(RETRY, {**ALL, **FAST})
    assert ran.failed
    assert ran.counts("failed_again", "recovered") == (2, 0)


def test_a_window_of_either_meaning_shows_the_tasks_whose_run_began_in_it(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    shipper.add_tasks(age="3h", **BUSY)
    ids = shipper.add_tasks(age="118m", **BUSY)
    for meaning in ("start", "range"):
        cloud.world.cls.configure(window_by=meaning)
        assert module(INFO, {**CLS.where, "since": "2h"}).ids == ids


def test_a_failed_operation_that_did_nothing_stays_unknown_and_is_not_sent_again(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    ids = shipper.add_tasks(**BUSY)
    cloud.faults.add(faults.error(RETRIES, code="FailedOperation", message="Operation failed."))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert ran.outcomes() == {"unknown": 1}
    assert codes(ran) == {ids[0]: "FailedOperation"}
    assert len(ran.changes) == 1


# -- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_task_that_must_not_be_retried_is_exhausted(
    ansible: Ansible, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    stuck = shipper.add_tasks(count=2, details={"refuses_retry": True}, **BUSY)
    ids = shipper.add_tasks(count=2, **BUSY)
    ran = ansible(RETRY, ALL)
    assert ran.failed
    assert ran.executed == Counter(ids)
    assert codes(ran) == dict.fromkeys(stuck, "FailedOperation.ShipperTaskNotToRetry")
    failure = ran.by_id()[stuck[0]]["failure"]
    assert (failure["class"], failure["rule"]) == ("exhausted", "cls.not_to_retry")
    assert "Shipping task retry is not allowed." in ran.msg


def test_a_task_that_has_healed_meanwhile_is_nothing_to_do(
    ansible: Ansible, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    ids = shipper.add_tasks(count=2, **BUSY)
    shipper.add_event(after=TASKS, do="heal", tasks=[ids[0]])
    ran = ansible(RETRY, ALL)
    assert not ran.failed
    assert ran.executed == Counter(ids[1:])
    task = ran.by_id()[ids[0]]
    assert (task["action"], task["outcome"]) == ("none", "none")


def test_a_task_that_the_service_has_forgotten_is_gone(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks
) -> None:
    ids = shipper.add_tasks(count=2, **BUSY)
    shipper.add_event(after=TASKS, do="remove", tasks=[ids[0]])
    ran = module(RETRY, ALL)
    assert ran.failed
    assert ran.executed == Counter(ids[1:])
    assert codes(ran) == {ids[0]: "ResourceNotFound.ShipperTaskNotExist"}
    failure = ran.by_id()[ids[0]]["failure"]
    assert (failure["class"], failure["rule"]) == ("gone", "cls.task_not_exist")


# -- how it answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [SHIPPERS, TASKS, RETRIES])
def test_an_error_is_seen_in_a_reply_of_any_type(
    module: Direct, cloud: LocalCloud, shipper: ShipperTasks, operation: str
) -> None:
    cloud.world.cls.configure(content_type="application/json; charset=utf-8")
    cloud.world.change_account(KEY_ID, deny=(operation,))
    shipper.add_tasks(count=3, **BUSY)
    ran = module(RETRY, EVERYWHERE)
    assert ran.failed
    assert "AuthFailure.UnauthorizedOperation" in ran.msg
    assert not ran.executed


def test_messages_are_asked_for_in_english_and_chinese_ones_are_judged_too(
    module: Direct, shipper: ShipperTasks
) -> None:
    shipper.add_tasks(message="账户欠费, 已隔离", age="3h")
    shipper.add_tasks(message="存储桶 logs-1250000000 不存在", age="2h")
    shipper.add_tasks(message="写入超时", age="1h")
    ran = module(INFO, CLS.where)
    assert [(task["failure"]["rule"], task["action"]) for task in ran["tasks"]] == [
        ("cls.account_isolated", "skip"),
        ("cls.cos_bucket", "skip"),
        ("cls.timeout", "retry"),
    ]
    assert {request.header("x-tc-language") for request in ran.arrived} == {"en-US"}


def test_the_published_limit_is_kept(module: Direct, cloud: LocalCloud, shipper: ShipperTasks) -> None:
    """And made use of: the local cloud counts every rolling second."""
    cloud.world.cls.configure(published_limit=True)
    shipper.add_tasks(count=45, **BUSY)
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran["requests"]["throttled"] == 0
    times = sorted(request.time for request in cloud.calls(RETRIES))
    assert times[-1] - times[0] > 2


def test_a_limit_that_others_use_up_is_waited_for(module: Direct, cloud: LocalCloud, shipper: ShipperTasks) -> None:
    ids = shipper.add_tasks(count=3, **BUSY)
    cloud.faults.add(faults.throttle(RETRIES, code="RequestLimitExceeded.UinLimitExceeded", times=2))
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert ran.executed == Counter(ids)
    assert ran["requests"]["throttled"] == 2


def test_each_retry_is_a_call_of_its_own(module: Direct, cloud: LocalCloud, shipper: ShipperTasks) -> None:
    ids = shipper.add_tasks(count=12, **BUSY)
    ran = module(RETRY, ALL)
    assert sorted(json.loads(request.body)["TaskId"] for request in ran.changes) == sorted(ids)
    assert {json.loads(request.body)["ShipperId"] for request in ran.changes} == {CLS_SHIPPER}


# -- what leaves ------------------------------------------------------------------------------------------------------


def test_a_signed_address_in_a_message_is_judged_whole_and_shown_without_its_signature(
    ansible: Ansible, shipper: ShipperTasks
) -> None:
    address = "https://b.cos.ap-x.myqcloud.com/o?q-sign-algorithm=sha1&q-ak=AKIDother&q-signature=0123456789abcdef"
    ids = shipper.add_tasks(message=f"PUT {address}&x=1 was refused.")
    rule = {"match": "q-signature=0123456789abcdef&x=1 was", "class": "fix", "remedy": "Look at it."}
    for ran in (ansible(INFO, {**CLS.where, "rules": [rule]}), ansible(RETRY, {**ALL, "rules": [rule]}, verbosity=3)):
        assert not ran.failed
        failure = ran.by_id()[ids[0]]["failure"]
        assert (failure["class"], failure["rule"]) == ("fix", "rules[0]")
        for shown in (failure, *ran["causes"]):
            assert shown["message"].endswith("q-ak=********&q-signature=********&x=1 was refused.")
        assert "AKIDother" not in ran.output
