# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CLS refuses and with which words, and what its answers look like."""

from __future__ import annotations

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from contract.wire import Signed
from contract.wire_cls import (
    HOUR,
    KEY,
    REGION,
    SECRET,
    SHIPPER,
    STS_KEY,
    STS_SECRET,
    STS_TOKEN,
    TASK,
    call,
    listing,
    retry_of,
    send,
    shippers,
    window,
)
from local_cloud import faults
from local_cloud.services.cls import RollingSecond, shown_request_id
from local_cloud.services.cls_tasks import ShipperTasks
from local_cloud.tasks import Clock, ScenarioError
from local_cloud.testing import LocalCloud

NOW = int(time.time() * 1000)
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def accounts(cloud: LocalCloud) -> None:
    cloud.world.add_account(KEY, SECRET, region=REGION, account_id="100000000001")
    cloud.world.add_account(STS_KEY, STS_SECRET, security_token=STS_TOKEN, region=REGION)


@pytest.fixture
def shipper(cloud: LocalCloud) -> ShipperTasks:
    return cloud.world.cls.add_shipper(SHIPPER)


# -- the reply --------------------------------------------------------------------------------------------------------


def test_every_reply_names_its_request_in_the_body(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    replies = [
        send(cloud, listing()),
        send(cloud, window(NOW, NOW)),
        send(cloud, listing(secret="wrong")),
        send(cloud, call("Nothing")),
    ]
    ids = [reply.response["RequestId"] for reply in replies]
    assert ids == [shown_request_id(request.request_id) for request in cloud.requests]
    assert all(str(uuid.UUID(one)) == one for one in ids)
    assert len(set(ids)) == 4


def test_errors_come_with_status_200(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    for request in (listing(secret="wrong"), call("Nothing"), retry_of(TASK), window(1, 2)):
        reply = send(cloud, request)
        assert (reply.status, reply.content_type) == (200, "application/json")
        assert set(reply.response) == {"Error", "RequestId"}
        assert set(reply.response["Error"]) == {"Code", "Message"}


def test_content_type_can_have_a_charset(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(content_type="application/json; charset=utf-8")
    assert send(cloud, listing()).content_type == "application/json; charset=utf-8"


def test_accepted_retry_says_nothing_but_its_request_id(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks()
    assert set(send(cloud, retry_of(task_id)).response) == {"RequestId"}
    assert cloud.executed() == cloud.retried() == Counter([task_id])


@pytest.mark.parametrize(("language", "chinese"), [(None, True), ("zh-CN", True), ("en-US", False)])
@pytest.mark.parametrize(
    "request_",
    [
        lambda language: retry_of(TASK, language=language),
        lambda language: retry_of(TASK, "another", language=language),
        lambda language: listing(secret="wrong", language=language),
        lambda language: call("DescribeShippers", {"Limit": 0}, language=language),
        lambda language: call("DescribeShippers", {"Foo": 0}, language=language),
        lambda language: call("Nothing", language=language),
    ],
)
def test_messages_are_chinese_unless_english_is_asked_for(
    cloud: LocalCloud, shipper: ShipperTasks, request_: Callable[..., Signed], language: str | None, chinese: bool
) -> None:
    assert bool(CHINESE.search(send(cloud, request_(language)).message)) == chinese


def test_faults_speak_the_callers_language(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.faults.add(faults.error(times=2), faults.throttle(times=1))
    replies = [send(cloud, listing(language=language)) for language in (None, "en-US", "en-US")]
    assert [(reply.code, reply.message) for reply in replies] == [
        ("InternalError", "内部错误。"),
        ("InternalError", "Internal error."),
        ("RequestLimitExceeded", "The number of requests exceeds the frequency limit."),
    ]


@pytest.mark.parametrize(
    "code",
    [
        *("InvalidParameter", "InvalidParameterValue", "MissingParameter", "AuthFailure.SignatureExpire"),
        *("FailedOperation", "InternalError.ServerBusy", "OperationDenied", "RequestLimitExceeded.UinLimitExceeded"),
    ],
)
def test_fault_has_words_for_its_code(cloud: LocalCloud, shipper: ShipperTasks, code: str) -> None:
    cloud.faults.add(faults.error(code=code))
    reply = send(cloud, listing())
    assert reply.code == code
    assert re.fullmatch(r"[A-Z][\w/ -]+ [\w/ -]+\.|Missing parameter\.", reply.message)


def test_hostile_answer_can_echo_the_callers_secrets(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.faults.add(faults.error(echo="{secret} {token} {authorization} {body}"))
    request = listing(key=STS_KEY, secret=STS_SECRET, token=STS_TOKEN)
    message = send(cloud, request).message
    for part in (STS_SECRET, STS_TOKEN, request.headers["Authorization"], request.body.decode()):
        assert part in message


def test_records_shorten_secrets(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    request = listing(key=STS_KEY, secret=STS_SECRET, token=STS_TOKEN)
    send(cloud, request)
    (recorded,) = cloud.requests
    assert STS_TOKEN not in str(recorded)
    assert request.headers["Authorization"] not in str(recorded)
    assert (recorded.service, recorded.operation, recorded.shipper) == ("cls", "DescribeShipperTasks", SHIPPER)


# -- who calls --------------------------------------------------------------------------------------------------------


GENUINE = [
    ({"secret": "wrong"}, "AuthFailure.SignatureFailure"),
    ({"service": "cvm"}, "AuthFailure.SignatureFailure"),
    ({"day": "2023-11-14"}, "AuthFailure.SignatureFailure"),
    ({"key": "nobody"}, "AuthFailure.SecretIdNotFound"),
    ({"clock_off": -330}, "AuthFailure.SignatureExpire"),
    ({"clock_off": 330}, "AuthFailure.SignatureExpire"),
    ({"signed": ("host",)}, "AuthFailure.InvalidAuthorization"),
    ({"signed": ("content-type",)}, "AuthFailure.InvalidAuthorization"),
    ({"signed": ("host", "content-type")}, "AuthFailure.InvalidAuthorization"),
    ({"signed": ("content-type", "host", "host")}, "AuthFailure.InvalidAuthorization"),
    ({"token": "surprise"}, "AuthFailure.TokenFailure"),
    ({"key": STS_KEY, "secret": STS_SECRET}, "AuthFailure.TokenFailure"),
    ({"key": STS_KEY, "secret": STS_SECRET, "token": "another"}, "AuthFailure.TokenFailure"),
    ({"version": None}, "NoSuchVersion"),
    ({"version": "2020-10-17"}, "NoSuchVersion"),
    ({"content_type": "text/plain"}, "InvalidRequest"),
    ({"content_type": "multipart/form-data; boundary=x"}, "InvalidRequest"),
    ({"method": "PUT"}, "UnsupportedProtocol"),
    ({"path": "/tasks"}, "InvalidRequest"),
    ({"query": "ShipperId=x"}, "InvalidRequest"),
]


@pytest.mark.parametrize(("more", "code"), GENUINE, ids=[f"{row[0]}" for row in GENUINE])
def test_call_that_is_not_as_it_should_be(
    cloud: LocalCloud, shipper: ShipperTasks, more: dict[str, Any], code: str
) -> None:
    (task_id,) = shipper.add_tasks()
    more = dict(more)
    if "clock_off" in more:
        more["at"] = time.time() + more.pop("clock_off")
    assert send(cloud, retry_of(task_id, **more)).code == code
    assert cloud.executed() == Counter()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("authorization", "MissingParameter"),
        ("x-tc-timestamp", "MissingParameter"),
        ("x-tc-action", "MissingParameter"),
        ("x-tc-version", "NoSuchVersion"),
        ("content-type", "InvalidRequest"),
    ],
)
def test_missing_header(cloud: LocalCloud, shipper: ShipperTasks, name: str, code: str) -> None:
    assert send(cloud, listing(), drop=name).code == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"x_tc_timestamp": "yesterday"}, "InvalidParameterValue"),
        ({"x_tc_timestamp": "1700000000000"}, "InvalidParameterValue"),
        ({"authorization": "TC3-HMAC-SHA256 nonsense"}, "AuthFailure.InvalidAuthorization"),
        ({"authorization": "SKIP"}, "AuthFailure.InvalidAuthorization"),
        ({"host": "cls.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
        ({"content_type": "application/json; charset=utf-8"}, "AuthFailure.SignatureFailure"),
    ],
    ids=str,
)
def test_header_changed_after_signing(
    cloud: LocalCloud, shipper: ShipperTasks, changed: dict[str, Any], code: str
) -> None:
    assert send(cloud, listing(), **changed).code == code


def test_call_without_an_action_is_ours_by_its_signature(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    assert send(cloud, call(None)).code == "MissingParameter"
    assert [request.service for request in cloud.requests] == ["cls"]


@pytest.mark.parametrize("action", ["DescribeTopics", "retryShipperTask", "RetryShipperTasks", "Unknown"])
def test_unknown_action(cloud: LocalCloud, shipper: ShipperTasks, action: str) -> None:
    assert send(cloud, call(action)).code == "InvalidAction"


def test_further_headers_may_be_signed(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    request = listing(signed=("content-type", "host", "x-tc-action"))
    assert send(cloud, request).code is None
    assert send(cloud, request, x_tc_action="DescribeShippers").code == "AuthFailure.SignatureFailure"


def test_header_that_is_said_to_be_signed_must_be_there(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    request = listing(signed=("content-type", "host", "x-tc-language"))
    assert send(cloud, request, drop="x-tc-language").code == "AuthFailure.SignatureFailure"


def test_payload_may_be_unsigned_when_that_is_announced(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    request = listing(extra={"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert send(cloud, request).code is None
    assert send(cloud, request, drop="x-tc-content-sha256").code == "AuthFailure.SignatureFailure"


def test_temporary_key(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    credentials: dict[str, Any] = {"key": STS_KEY, "secret": STS_SECRET, "token": STS_TOKEN}
    assert send(cloud, listing(**credentials)).code is None
    cloud.world.expire(STS_KEY)
    reply = send(cloud, listing(**credentials))
    assert (reply.code, reply.message) == ("AuthFailure.TokenFailure", "The token has expired.")


def test_disabled_key(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.change_account(KEY, disabled=True)
    assert send(cloud, listing()).code == "AuthFailure.SecretIdNotFound"


def test_denied_action(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.change_account(KEY, deny=("cls:RetryShipperTask",))
    (task_id,) = shipper.add_tasks()
    reply = send(cloud, retry_of(task_id))
    assert reply.code == "AuthFailure.UnauthorizedOperation"
    assert "(cls:RetryShipperTask)" in reply.message
    assert f"(qcs::cls:ap-guangzhou:uin/100000000001:shipper/{SHIPPER})" in reply.message
    assert send(cloud, listing()).code is None
    assert cloud.executed() == Counter()


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("isolated", "OperationDenied.AccountIsolate"),
        ("destroyed", "OperationDenied.AccountDestroy"),
        ("missing", "OperationDenied.AccountNotExists"),
        ("acl_failed", "OperationDenied.ACLFailed"),
    ],
)
def test_account_in_a_bad_state(cloud: LocalCloud, shipper: ShipperTasks, state: str, code: str) -> None:
    cloud.world.cls.configure(account_states={KEY: state})
    assert send(cloud, listing()).code == code
    assert send(cloud, listing(key=STS_KEY, secret=STS_SECRET, token=STS_TOKEN)).code is None


# -- regions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["ap-shanghai", "cn-hangzhou", "ap-shenzhen-fsi"])
def test_shipper_does_not_exist_in_another_region(cloud: LocalCloud, shipper: ShipperTasks, region: str) -> None:
    (task_id,) = shipper.add_tasks()
    assert send(cloud, listing(region=region)).code == "ResourceNotFound.ShipperNotExist"
    assert send(cloud, retry_of(task_id, region=region)).code == "ResourceNotFound.ShipperNotExist"
    assert send(cloud, call("DescribeShippers", region=region)).shippers == []


@pytest.mark.parametrize("region", ["Guangzhou", "ap_guangzhou", "gz", "AP-GUANGZHOU", "ap-guangzhou/x"])
def test_name_that_is_none_of_a_region(cloud: LocalCloud, shipper: ShipperTasks, region: str) -> None:
    assert send(cloud, listing(region=region)).code == "UnsupportedRegion"


def test_region_left_out_is_the_accounts(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    assert send(cloud, listing(region=None)).code is None
    cloud.world.change_account(KEY, region="ap-tokyo")
    assert send(cloud, listing(region=None)).code == "ResourceNotFound.ShipperNotExist"


def test_region_left_out_is_that_of_a_regional_endpoint(cloud: LocalCloud) -> None:
    cloud.world.cls.add_shipper(SHIPPER, region="ap-shanghai")
    host = "cls.ap-shanghai.tencentcloudapi.com"
    assert send(cloud, listing(region=None, host=host)).code is None
    assert send(cloud, listing(region=REGION, host=host)).code == "ResourceNotFound.ShipperNotExist"


@pytest.mark.parametrize(
    "host", ["cls.tencentcloudapi.com", "cls.intl.tencentcloudapi.com", "cls.internal.tencentcloudapi.com", "localhost"]
)
def test_any_host_will_do(cloud: LocalCloud, shipper: ShipperTasks, host: str) -> None:
    assert send(cloud, listing(host=host)).code is None
    assert send(cloud, listing(host=host, region=None)).code is None


# -- parameters -------------------------------------------------------------------------------------------------------


WRONG: list[tuple[str, object, str, str]] = [
    ("RetryShipperTask", {"ShipperId": SHIPPER}, "MissingParameter", "TaskId"),
    ("RetryShipperTask", {"TaskId": TASK}, "MissingParameter", "ShipperId"),
    ("RetryShipperTask", {"ShipperId": SHIPPER, "TaskIds": [TASK]}, "UnknownParameter", "TaskIds"),
    ("RetryShipperTask", {"ShipperId": SHIPPER, "TaskId": [TASK]}, "InvalidParameter", "TaskId"),
    ("RetryShipperTask", {"ShipperId": SHIPPER, "TaskId": None}, "InvalidParameter", "TaskId"),
    ("RetryShipperTask", {"ShipperId": SHIPPER, "TaskId": ""}, "InvalidParameterValue", "TaskId"),
    ("RetryShipperTask", {"ShipperId": 1, "TaskId": TASK}, "InvalidParameter", "ShipperId"),
    ("RetryShipperTask", [SHIPPER, TASK], "InvalidParameter", "JSON"),
    ("DescribeShipperTasks", {"ShipperId": SHIPPER, "StartTime": NOW - HOUR}, "MissingParameter", "EndTime"),
    (
        "DescribeShipperTasks",
        {"ShipperId": SHIPPER, "StartTime": NOW - HOUR, "EndTime": NOW, "Status": "failed"},
        "UnknownParameter",
        "Status",
    ),
    (
        "DescribeShipperTasks",
        {"ShipperId": SHIPPER, "StartTime": NOW - HOUR, "EndTime": NOW, "Limit": 10},
        "UnknownParameter",
        "Limit",
    ),
    ("DescribeShippers", {"ShipperId": SHIPPER}, "UnknownParameter", "ShipperId"),
    ("DescribeShippers", {"Limit": 0}, "InvalidParameterValue", "Limit"),
    ("DescribeShippers", {"Limit": 101}, "InvalidParameterValue", "Limit"),
    ("DescribeShippers", {"Limit": "10"}, "InvalidParameter", "Limit"),
    ("DescribeShippers", {"Limit": True}, "InvalidParameter", "Limit"),
    ("DescribeShippers", {"Offset": -1}, "InvalidParameterValue", "Offset"),
    ("DescribeShippers", {"Offset": 1 << 63}, "InvalidParameter", "Offset"),
    ("DescribeShippers", {"PreciseSearch": 2}, "InvalidParameterValue", "PreciseSearch"),
    ("DescribeShippers", {"Filters": {"Key": "topicId", "Values": ["x"]}}, "InvalidParameter", "Filters"),
    ("DescribeShippers", {"Filters": ["topicId"]}, "InvalidParameter", "Filters"),
    ("DescribeShippers", {"Filters": [{"Key": "topicId"}]}, "MissingParameter", "Filters.0.Values"),
    ("DescribeShippers", {"Filters": [{"Values": ["x"]}]}, "MissingParameter", "Filters.0.Key"),
    (
        "DescribeShippers",
        {"Filters": [{"Name": "topicId", "Values": ["x"]}]},
        "UnknownParameter",
        "Filters.0.Name",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "topicId", "Values": "x"}]},
        "InvalidParameter",
        "Filters.0.Values",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "taskStatus", "Values": [1]}]},
        "InvalidParameter",
        "Filters.0.Values",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "taskStatus", "Values": ["3"]}]},
        "InvalidParameterValue",
        "Filters.0.Values",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "ShipperId", "Values": ["x"]}]},
        "InvalidParameterValue",
        "Filters.0.Key",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "topicId", "Values": []}]},
        "InvalidParameterValue",
        "Filters.0.Values",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "topicId", "Values": ["x"] * 11}]},
        "InvalidParameterValue",
        "Filters.0.Values",
    ),
    (
        "DescribeShippers",
        {"Filters": [{"Key": "topicId", "Values": ["x"]}] * 11},
        "InvalidParameterValue",
        "Filters",
    ),
]


@pytest.mark.parametrize(
    ("action", "content", "code", "named"), WRONG, ids=[f"{row[0]}-{row[2]}-{row[3]}" for row in WRONG]
)
def test_wrong_parameter(
    cloud: LocalCloud, shipper: ShipperTasks, action: str, content: object, code: str, named: str
) -> None:
    reply = send(cloud, call(action, content))
    assert reply.code == code
    assert re.search(rf"\b{re.escape(named)}\b", reply.message)


@pytest.mark.parametrize("body", [b"", b"not json", b"null", b'"x"', b"\xff", b'{"Limit": 1, "Limit": 2}', b"[" * 9999])
def test_body_that_is_no_object(cloud: LocalCloud, shipper: ShipperTasks, body: bytes) -> None:
    unsigned = {"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert send(cloud, call("DescribeShippers", body=body, extra=unsigned)).code == "InvalidParameter"


def test_body_above_ten_mib(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    body = b" " * (10 * 1024 * 1024 + 1)
    assert send(cloud, call("DescribeShippers", body=body)).code == "RequestSizeLimitExceeded"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Limit=1&Filters.0.Key=topicId&Filters.0.Values.0=a&Filters.0.Values.1=b", None),
        ("Limit=x", "InvalidParameter"),
        ("Limit=1&Limit=2", "InvalidParameter"),
        ("Filters.Key=topicId", "InvalidParameter"),
        ("Filters=1&Filters.0.Key=topicId", "InvalidParameter"),
        ("Foo=1", "UnknownParameter"),
    ],
)
def test_parameters_in_a_query(cloud: LocalCloud, shipper: ShipperTasks, query: str, code: str | None) -> None:
    assert send(cloud, call("DescribeShippers", method="GET", query=query)).code == code


@pytest.mark.parametrize("request_", [listing, lambda shipper: retry_of(TASK, shipper)])
def test_unknown_shipper(cloud: LocalCloud, shipper: ShipperTasks, request_: Callable[[str], Signed]) -> None:
    assert send(cloud, request_("no-such-shipper")).code == "ResourceNotFound.ShipperNotExist"


# -- DescribeShipperTasks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (0, 0, "InvalidParameterValue"),
        (0, -1, "InvalidParameterValue"),
        (-72 * HOUR - 60_000, 0, "InvalidParameterValue"),
        (-72 * HOUR + 600_000, 0, None),
    ],
)
def test_time_range(cloud: LocalCloud, shipper: ShipperTasks, start: int, end: int, code: str | None) -> None:
    now = int(cloud.clock.now() * 1000)
    assert send(cloud, window(now + start, now + end)).code == code


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (1_699_996_400, 1_700_000_000, "InvalidParameterValue"),  # seconds
        ("1699996400000", "1700000000000", "InvalidParameter"),
        (1_699_996_400_000.0, 1_700_000_000_000.0, "InvalidParameter"),
        (-1, 1_700_000_000_000, "InvalidParameterValue"),
    ],
)
def test_what_is_no_time(cloud: LocalCloud, shipper: ShipperTasks, start: object, end: object, code: str) -> None:
    assert send(cloud, window(start, end)).code == code


def test_three_days_are_counted_to_the_millisecond() -> None:
    with LocalCloud(clock=Clock(frozen_at=NOW // 1000)) as cloud:
        cloud.world.add_account(KEY, SECRET)
        cloud.world.cls.add_shipper(SHIPPER)
        oldest = NOW // 1000 * 1000 - 72 * HOUR
        assert send(cloud, window(oldest, NOW)).code is None
        reply = send(cloud, window(oldest - 1, NOW))
        assert (reply.code, "milliseconds" in reply.message) == ("InvalidParameterValue", True)


def test_task_has_every_documented_field(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(message="NoSuchBucket", age="2h")
    (task,) = send(cloud, listing()).tasks
    assert list(task) == [
        *("TaskId", "ShipperId", "TopicId", "RangeStart", "RangeEnd", "StartTime", "EndTime", "Status", "Message")
    ]
    assert (task["TaskId"], task["ShipperId"], task["Status"]) == (task_id, SHIPPER, "failed")
    assert task["Message"] == "NoSuchBucket"
    times = [task[name] for name in ("RangeStart", "RangeEnd", "StartTime", "EndTime")]
    assert times == sorted(times)
    assert abs(task["StartTime"] - (cloud.clock.now() * 1000 - 2 * HOUR)) < 600_000


def test_statuses_are_written_as_cls_does(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    for status in ("fail", "running", "success"):
        shipper.add_tasks(status=status)
    shown = {task["Status"]: (task["Message"], task["EndTime"] > 0) for task in send(cloud, listing()).tasks}
    assert shown == {
        "failed": ("The specified bucket does not exist.", True),
        "running": ("", False),
        "success": ("success", True),
    }


def test_task_messages_stay_as_they_are_in_any_language(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    shipper.add_tasks(message="存储桶不存在")
    assert [send(cloud, listing(language=one)).tasks[0]["Message"] for one in (None, "en-US")] == ["存储桶不存在"] * 2


def test_all_tasks_come_at_once(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    ids = shipper.add_tasks(count=1200, age={"from": "70h", "to": "5m"})
    assert [task["TaskId"] for task in send(cloud, listing()).tasks] == ids[::-1]


@pytest.mark.parametrize(("option", "name"), [("start", "StartTime"), ("range", "RangeStart")])
def test_window_is_one_of_a_tasks_times_with_an_open_end(
    cloud: LocalCloud, shipper: ShipperTasks, option: str, name: str
) -> None:
    cloud.world.cls.configure(window_by=option)
    shipper.add_tasks(age="1h")
    at = send(cloud, listing()).tasks[0][name]
    assert len(send(cloud, window(at, at + 1)).tasks) == 1
    assert send(cloud, window(at - 1, at)).tasks == []
    assert send(cloud, window(at + 1, at + 2)).tasks == []


@pytest.mark.parametrize(("option", "shown"), [("null", {"Tasks": None}), ("list", {"Tasks": []}), ("absent", {})])
def test_no_tasks(cloud: LocalCloud, shipper: ShipperTasks, option: str, shown: dict[str, object]) -> None:
    cloud.world.cls.configure(empty=option)
    response = send(cloud, listing()).response
    response.pop("RequestId")
    assert response == shown


def test_times_can_be_strings_of_digits(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    cloud.world.cls.configure(times="strings")
    shipper.add_tasks()
    (task,) = send(cloud, listing()).tasks
    assert all(task[name].isdigit() for name in ("RangeStart", "RangeEnd", "StartTime", "EndTime"))


# -- DescribeShippers -------------------------------------------------------------------------------------------------


@pytest.fixture
def fleet(cloud: LocalCloud) -> None:
    add = cloud.world.cls.add_shipper
    add("s1", topic_id="t1", name="nginx-access")
    add("s2", topic_id="t1", name="nginx")
    add("s3", topic_id="t2", name="audit", enabled=False)
    add("s4", topic_id="t3", name="payments", abnormal=True)
    add("s5", topic_id="t9", name="nginx", region="ap-shanghai")


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["s1", "s2", "s3", "s4"]),
    ({"Filters": [{"Key": "topicId", "Values": ["t1"]}]}, ["s1", "s2"]),
    ({"Filters": [{"Key": "topicId", "Values": ["t1", "t3", "t9"]}]}, ["s1", "s2", "s4"]),
    ({"Filters": [{"Key": "shipperId", "Values": ["s3"]}]}, ["s3"]),
    ({"Filters": [{"Key": "shipperId", "Values": ["s"]}]}, []),
    ({"Filters": [{"Key": "shipperName", "Values": ["nginx"]}]}, ["s1", "s2"]),
    ({"Filters": [{"Key": "shipperName", "Values": ["nginx"]}], "PreciseSearch": 0}, ["s1", "s2"]),
    ({"Filters": [{"Key": "shipperName", "Values": ["nginx"]}], "PreciseSearch": 1}, ["s2"]),
    ({"Filters": [{"Key": "taskStatus", "Values": ["0"]}]}, ["s3"]),
    ({"Filters": [{"Key": "taskStatus", "Values": ["1", "2"]}]}, ["s1", "s2", "s4"]),
    (
        {"Filters": [{"Key": "topicId", "Values": ["t1"]}, {"Key": "shipperId", "Values": ["s2", "s3"]}]},
        ["s2"],
    ),
    ({"Offset": 1, "Limit": 2}, ["s2", "s3"]),
    ({"Offset": 4}, []),
]


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(("content", "expected"), FILTERS, ids=[f"{row[0]}" for row in FILTERS])
def test_shippers_are_filtered_and_paged(cloud: LocalCloud, content: dict[str, Any], expected: list[str]) -> None:
    reply = send(cloud, shippers(**content))
    assert reply.shippers == expected
    assert reply.response["TotalCount"] == (4 if "Offset" in content else len(expected))


def test_twenty_shippers_make_a_page_unless_said_otherwise(cloud: LocalCloud) -> None:
    for number in range(120):
        cloud.world.cls.add_shipper(f"s{number:03}")
    assert len(send(cloud, shippers()).shippers) == 20
    pages = [send(cloud, shippers(Offset=offset, Limit=100)).shippers for offset in (0, 100, 200)]
    assert [len(page) for page in pages] == [100, 20, 0]
    assert sorted(pages[0] + pages[1]) == [f"s{number:03}" for number in range(120)]


@pytest.mark.usefixtures("fleet")
def test_shipper_tells_whether_it_runs(cloud: LocalCloud) -> None:
    listed = send(cloud, shippers()).response["Shippers"]
    assert [(one["Status"], one["TaskStatus"]) for one in listed] == [(True, 1), (True, 1), (False, 0), (True, 2)]
    assert {(one["ShipperName"], one["TopicId"]) for one in listed} >= {("audit", "t2"), ("payments", "t3")}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", listed[0]["CreateTime"])


# -- RetryShipperTask -------------------------------------------------------------------------------------------------


def violations(cloud: LocalCloud) -> list[tuple[str, str]]:
    return [(one.kind, one.task_id) for one in cloud.violations]


def test_unknown_task(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    assert send(cloud, retry_of("unknown")).code == "ResourceNotFound.ShipperTaskNotExist"
    assert violations(cloud) == [("unknown_id", "unknown")]


def test_task_of_another_shipper_is_unknown(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (elsewhere,) = cloud.world.cls.add_shipper("other").add_tasks()
    assert send(cloud, retry_of(elsewhere)).code == "ResourceNotFound.ShipperTaskNotExist"
    assert cloud.executed() == Counter()


@pytest.mark.parametrize("status", ["running", "success"])
def test_task_that_has_not_failed_is_not_retried(cloud: LocalCloud, shipper: ShipperTasks, status: str) -> None:
    (task_id,) = shipper.add_tasks(status=status)
    assert send(cloud, retry_of(task_id)).code == "FailedOperation.ShipperTaskNotToRetry"
    assert violations(cloud) == [("not_failed", task_id)]
    assert cloud.executed() == Counter()


def test_second_retry_is_refused_and_noted(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(then="stay")
    codes = [send(cloud, retry_of(task_id)).code for _ignored in range(2)]
    assert codes == [None, "FailedOperation.ShipperTaskNotToRetry"]
    assert violations(cloud) == [("not_failed", task_id)]
    assert cloud.executed() == Counter([task_id])


def test_task_can_refuse_its_retry_and_still_show_failed(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    (task_id,) = shipper.add_tasks(details={"refuses_retry": True})
    assert send(cloud, retry_of(task_id)).code == "FailedOperation.ShipperTaskNotToRetry"
    assert send(cloud, listing()).tasks[0]["Status"] == "failed"
    assert violations(cloud) == []
    assert cloud.executed() == Counter()


# -- the rate ---------------------------------------------------------------------------------------------------------


def test_token_bucket_of_the_published_rate() -> None:
    with LocalCloud(clock=Clock(frozen_at=NOW // 1000)) as cloud:
        cloud.world.add_account(KEY, SECRET)
        shipper = cloud.world.cls.add_shipper(SHIPPER)
        cloud.faults.add_rate_limit(rate=20, burst=20, per="", operation="RetryShipperTask")
        ids = shipper.add_tasks(count=24)
        at = NOW // 1000
        codes = [send(cloud, retry_of(one, at=at)).code for one in ids[:22]]
        assert codes == [None] * 20 + ["RequestLimitExceeded"] * 2
        assert send(cloud, listing(at=at)).code is None
        cloud.clock.advance(0.125)
        codes = [send(cloud, retry_of(one, at=at)).code for one in ids[21:]]
        assert codes == [None, None, "RequestLimitExceeded"]


def test_rolling_second_counts_every_call_of_the_last_second() -> None:
    limit = RollingSecond(3)
    moments = (0.0, 0.5, 0.9, 0.95, 1.0, 1.2, 1.51, 1.96, 2.0, 2.21)
    allowed = [limit.allows(("a",), at) for at in moments]
    # At 1.0 the second has 0.5, 0.9, 0.95 and 1.0; at 1.96 it has 1.0, 1.2, 1.51 and 1.96; at 2.0 the 1.0 is gone.
    assert allowed == [True, True, True, False, False, False, False, False, False, False]
    assert limit.allows(("a",), 3.21)
    assert limit.allows(("b",), 0.95)


def test_published_limit_throttles_the_21st_request_within_a_second() -> None:
    with LocalCloud(clock=Clock(frozen_at=NOW // 1000)) as cloud:
        cloud.world.add_account(KEY, SECRET, account_id="1")
        cloud.world.add_account("sameAccount", SECRET, account_id="1")
        cloud.world.add_account("otherAccount", SECRET, account_id="2")
        cloud.world.cls.add_shipper(SHIPPER)
        cloud.world.cls.configure(published_limit=True)
        at = NOW // 1000
        codes = [send(cloud, listing(at=at)).code for _ignored in range(21)]
        assert codes == [None] * 20 + ["RequestLimitExceeded"]
        assert send(cloud, listing(at=at, key="sameAccount")).code == "RequestLimitExceeded"
        assert send(cloud, listing(at=at, key="otherAccount")).code is None
        assert send(cloud, retry_of(TASK, at=at)).code == "ResourceNotFound.ShipperTaskNotExist"
        cloud.clock.advance(0.999)
        assert send(cloud, listing(at=at)).code == "RequestLimitExceeded"
        cloud.clock.advance(0.001)
        assert send(cloud, listing(at=at)).code is None
        assert cloud.summary()["throttled"] == 3


def test_without_the_option_nothing_is_throttled(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    assert {send(cloud, listing()).code for _ignored in range(50)} == {None}


# -- building ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "group",
    [
        {"code": "NoSuchBucket"},
        {"then_code": "x"},
        {"lines": 3},
        {"status": "stopped"},
        {"details": {"refuses": True}},
    ],
    ids=str,
)
def test_tasks_have_nothing_that_cls_does_not_have(shipper: ShipperTasks, group: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match="tasks of CLS"):
        shipper.add_tasks(**group)


def test_shipper_is_added_once(cloud: LocalCloud, shipper: ShipperTasks) -> None:
    with pytest.raises(ScenarioError, match="exists already"):
        cloud.world.cls.add_shipper(SHIPPER)


@pytest.mark.parametrize(
    "scenario",
    [
        {"windowby": "start"},
        {"window_by": "end"},
        {"empty": "no"},
        {"times": "floats"},
        {"published_limit": "yes"},
        {"account_states": {KEY: "asleep"}},
        {"shippers": {"s": {"project": "p"}}},
        {"shippers": {"s": {"tasks": [{"cuont": 1}]}}},
    ],
    ids=str,
)
def test_misspelt_scenario_is_refused(cloud: LocalCloud, scenario: dict[str, object]) -> None:
    with pytest.raises(ScenarioError):
        cloud.load({"cls": scenario})
