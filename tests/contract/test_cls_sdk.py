# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's Python SDK, unchanged, driven against the local cloud."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tencentcloud.cls.v20201016 import models
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.retry import StandardRetryer

from contract.wire_cls import HOUR, KEY, REGION, SECRET, SHIPPER, STS_KEY, STS_SECRET, STS_TOKEN, TASK
from local_cloud import faults
from local_cloud.services.cls_tasks import ShipperTasks
from local_cloud.testing import LocalCloud

# The SDK calls datetime.utcnow() and leaves connections to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Connect = Callable[..., Any]


@pytest.fixture(params=["POST", "GET"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shipper(cloud: LocalCloud) -> ShipperTasks:
    return cloud.world.cls.add_shipper(SHIPPER)


@pytest.fixture
def connect(cloud: LocalCloud, method: str) -> Connect:
    cloud.world.add_account(KEY, SECRET, region=REGION)
    cloud.world.add_account(STS_KEY, STS_SECRET, security_token=STS_TOKEN, region=REGION)

    def connect(
        key: str = KEY,
        secret: str = SECRET,
        token: str | None = None,
        *,
        region: str = REGION,
        language: str = "en-US",
        http: Any = None,
        **profile: Any,
    ) -> Any:
        http = http or HttpProfile(protocol="http", endpoint=f"127.0.0.1:{cloud.port}", reqMethod=method)
        return ClsClient(
            Credential(key, secret, token), region, ClientProfile(httpProfile=http, language=language, **profile)
        )

    return connect


def filled(request: Any, **members: Any) -> Any:
    request.from_json_string(json.dumps(members))
    return request


def tasks_of(client: Any, shipper: str = SHIPPER, *, hours: int = 71) -> list[Any]:
    now = int(time.time() * 1000)
    request = filled(
        models.DescribeShipperTasksRequest(), ShipperId=shipper, StartTime=now - hours * HOUR, EndTime=now + 60_000
    )
    return client.DescribeShipperTasks(request).Tasks or []


def retry(client: Any, task_id: str, shipper: str = SHIPPER) -> str:
    request = filled(models.RetryShipperTaskRequest(), ShipperId=shipper, TaskId=task_id)
    return str(client.RetryShipperTask(request).RequestId)


def shippers(client: Any, **members: Any) -> Any:
    return client.DescribeShippers(filled(models.DescribeShippersRequest(), **members))


@pytest.mark.parametrize("credentials", [(KEY, SECRET), (STS_KEY, STS_SECRET, STS_TOKEN)], ids=["key", "sts"])
@pytest.mark.parametrize("region", [REGION, ""])
def test_failed_tasks_are_listed_retried_and_succeed(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, credentials: tuple[str, ...], region: str
) -> None:
    failed = shipper.add_tasks(count=3, message="task {n}")
    shipper.add_tasks(count=2, status="success")
    client = connect(*credentials, region=region)
    listed = [task for task in tasks_of(client) if task.Status == "failed"]
    assert sorted(task.TaskId for task in listed) == sorted(failed)
    request_ids = [retry(client, task_id) for task_id in failed]
    assert all(str(uuid.UUID(one)) == one for one in request_ids)
    assert Counter(task.Status for task in tasks_of(client)) == {"running": 3, "success": 2}
    assert Counter(task.Status for task in tasks_of(client)) == {"success": 5}
    assert cloud.executed() == cloud.retried() == Counter(failed)
    assert cloud.violations == []


@pytest.mark.parametrize("endpoint", [None, "cls.intl.tencentcloudapi.com", "cls.ap-guangzhou.tencentcloudapi.com"])
def test_vendors_own_names_through_a_proxy(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, method: str, endpoint: str | None
) -> None:
    shipper.add_tasks()
    proxy = f"http://127.0.0.1:{cloud.port}"
    client = connect(http=HttpProfile(protocol="http", endpoint=endpoint, proxy=proxy, reqMethod=method))
    assert len(tasks_of(client)) == 1
    assert cloud.requests[0].header("host") == (endpoint or "cls.tencentcloudapi.com")


def test_tls() -> None:
    with LocalCloud(tls=True) as cloud:
        cloud.world.add_account(KEY, SECRET)
        cloud.world.cls.add_shipper(SHIPPER).add_tasks()
        http = HttpProfile(endpoint=f"localhost:{cloud.port}", certification=cloud.ca_file)
        client = ClsClient(Credential(KEY, SECRET), REGION, ClientProfile(httpProfile=http))
        assert len(tasks_of(client)) == 1


def test_shippers_are_paged_through(cloud: LocalCloud, connect: Connect) -> None:
    for number in range(25):
        cloud.world.cls.add_shipper(f"s{number:02}", topic_id=f"t{number % 3}", enabled=number % 5 != 0)
    cloud.world.cls.add_shipper("elsewhere", region="ap-shanghai")
    client = connect()
    pages = [shippers(client, Offset=offset, Limit=10) for offset in (0, 10, 20, 30)]
    assert [page.TotalCount for page in pages] == [25] * 4
    ids = [shipper.ShipperId for page in pages for shipper in page.Shippers or []]
    assert ids == [f"s{number:02}" for number in range(25)]
    assert len(shippers(client).Shippers) == 20
    stopped = shippers(client, Filters=[{"Key": "taskStatus", "Values": ["0"]}, {"Key": "topicId", "Values": ["t0"]}])
    assert [(one.ShipperId, one.Status, one.TaskStatus) for one in stopped.Shippers] == [
        ("s00", False, 0),
        ("s15", False, 0),
    ]


def test_every_documented_field_of_a_task_reaches_the_sdk(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect
) -> None:
    (task_id,) = shipper.add_tasks(message="NoSuchBucket", age="2h")
    (task,) = tasks_of(connect())
    living = shipper.get(task_id)
    assert living is not None
    assert (task.TaskId, task.ShipperId, task.Status, task.Message) == (task_id, SHIPPER, "failed", "NoSuchBucket")
    assert (task.StartTime, task.EndTime) == (living.created * 1000, living.finished * 1000)
    assert task.RangeStart < task.RangeEnd < task.StartTime
    assert task.TopicId == cloud.world.cls.shippers[SHIPPER].topic_id


def test_no_field_of_an_answer_is_unknown_to_the_sdk(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect
) -> None:
    # The SDK warns of members that its models do not have, and a warning is an error here.
    shipper.add_tasks()
    client = connect()
    (task,) = tasks_of(client)
    (rule,) = shippers(client).Shippers
    assert all(value is not None for value in vars(task).values())
    unset = {name for name, value in vars(rule).items() if value is None}
    assert unset == {"_FilterRules"}


@pytest.mark.parametrize("empty", ["null", "list", "absent"])
def test_nothing_there(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, empty: str) -> None:
    cloud.world.cls.configure(empty=empty)
    client = connect()
    assert tasks_of(client) == []
    assert (shippers(client, Offset=5).Shippers or [], shippers(client, Offset=5).TotalCount) == ([], 1)


def test_times_as_strings(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    cloud.world.cls.configure(times="strings")
    shipper.add_tasks()
    (task,) = tasks_of(connect())
    assert task.StartTime.isdigit()


def test_new_id_after_a_retry(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    cloud.world.cls.configure(new_id_on_retry=True)
    (task_id,) = shipper.add_tasks()
    client = connect()
    (before,) = tasks_of(client)
    retry(client, task_id)
    (after,) = tasks_of(client)
    assert after.TaskId != task_id
    assert (after.RangeStart, after.RangeEnd) == (before.RangeStart, before.RangeEnd)


# -- errors -----------------------------------------------------------------------------------------------------------


def problem(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(TencentCloudSDKException) as caught:
        call()
    assert str(uuid.UUID(caught.value.requestId)) == caught.value.requestId
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("language", "message"),
    [("en-US", "The shipping task does not exist."), ("zh-CN", "投递任务不存在。")],
)
def test_unknown_task_in_both_languages(shipper: ShipperTasks, connect: Connect, language: str, message: str) -> None:
    client = connect(language=language)
    assert problem(lambda: retry(client, TASK)) == ("ResourceNotFound.ShipperTaskNotExist", message)


def test_unknown_shipper(connect: Connect) -> None:
    expected = ("ResourceNotFound.ShipperNotExist", "The shipping rule does not exist.")
    assert problem(lambda: retry(connect(), TASK)) == problem(lambda: tasks_of(connect())) == expected


def test_shipper_of_another_region(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    code, _message = problem(lambda: tasks_of(connect(region="ap-shanghai")))
    assert code == "ResourceNotFound.ShipperNotExist"


@pytest.mark.parametrize("group", [{"status": "success"}, {"details": {"refuses_retry": True}}], ids=str)
def test_task_that_is_not_to_be_retried(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, group: dict[str, Any]
) -> None:
    (task_id,) = shipper.add_tasks(**group)
    expected = ("FailedOperation.ShipperTaskNotToRetry", "Shipping task retry is not allowed.")
    assert problem(lambda: retry(connect(), task_id)) == expected
    assert cloud.executed() == Counter()


def test_more_than_three_days(shipper: ShipperTasks, connect: Connect) -> None:
    code, _message = problem(lambda: tasks_of(connect(), hours=73))
    assert code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ((KEY, "wrong"), "AuthFailure.SignatureFailure"),
        (("nobody", SECRET), "AuthFailure.SecretIdNotFound"),
        ((STS_KEY, STS_SECRET), "AuthFailure.TokenFailure"),
        ((STS_KEY, STS_SECRET, "another"), "AuthFailure.TokenFailure"),
    ],
)
def test_wrong_credentials(shipper: ShipperTasks, connect: Connect, credentials: tuple[str, ...], code: str) -> None:
    assert problem(lambda: tasks_of(connect(*credentials)))[0] == code


def test_expired_token(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    client = connect(STS_KEY, STS_SECRET, STS_TOKEN)
    cloud.world.expire(STS_KEY)
    assert problem(lambda: tasks_of(client)) == ("AuthFailure.TokenFailure", "The token has expired.")


def test_denied_action(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    cloud.world.add_account("reader", "secret", deny=["RetryShipperTask"], region=REGION)
    (task_id,) = shipper.add_tasks()
    client = connect("reader", "secret")
    assert len(tasks_of(client)) == 1
    assert problem(lambda: retry(client, task_id))[0] == "AuthFailure.UnauthorizedOperation"


def test_overdue_account(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    cloud.world.cls.configure(account_states={KEY: "isolated"})
    expected = ("OperationDenied.AccountIsolate", "The account has overdue payments.")
    assert problem(lambda: tasks_of(connect())) == expected


def test_action_that_the_local_cloud_does_not_have(connect: Connect) -> None:
    assert problem(lambda: connect().DescribeTopics(models.DescribeTopicsRequest()))[0] == "InvalidAction"


def test_throttling(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    (task_id,) = shipper.add_tasks()
    cloud.faults.add(faults.throttle("RetryShipperTask"))
    client = connect()
    assert problem(lambda: retry(client, task_id)) == (
        "RequestLimitExceeded",
        "The number of requests exceeds the frequency limit.",
    )
    retry(client, task_id)
    assert (cloud.retried()[task_id], cloud.executed()[task_id]) == (2, 1)


def test_gateway_error_hides_the_code_from_the_sdk(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect) -> None:
    cloud.faults.add(faults.html("DescribeShipperTasks"))
    with pytest.raises(TencentCloudSDKException) as caught:
        tasks_of(connect())
    assert caught.value.code == "ServerNetworkError"


def test_charset_in_content_type_hides_errors_from_the_sdk(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect
) -> None:
    cloud.world.cls.configure(content_type="application/json; charset=utf-8")
    retry(connect(), "unknown")  # the SDK notices nothing
    assert [request.code for request in cloud.requests] == ["ResourceNotFound.ShipperTaskNotExist"]


def test_unsigned_payload(cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, method: str) -> None:
    client = connect()
    client.profile.unsignedPayload = True
    shipper.add_tasks()
    assert len(tasks_of(client)) == 1
    assert cloud.requests[0].header("X-TC-Content-SHA256") == "UNSIGNED-PAYLOAD"


def test_charset_of_names(cloud: LocalCloud, connect: Connect) -> None:
    cloud.world.cls.add_shipper(SHIPPER, name="失败 任务é+&=")
    found = shippers(connect(), Filters=[{"Key": "shipperName", "Values": ["任务é+&="]}])
    assert [one.ShipperName for one in found.Shippers] == ["失败 任务é+&="]


def _probes() -> list[Any]:
    path = Path(__file__).parent.parent / "data" / "captures" / "cls_response_parsing.json"
    return [pytest.param(probe, id=probe["probe"]) for probe in json.loads(path.read_text())["probes"]]


def _answers(probe: dict[str, Any]) -> list[faults.Fault]:
    if "reply" in probe:
        reply = probe["reply"]
        kind = dict(reply["headers"]).get("Content-Type", "")
        return [faults.raw(status=reply["status"], body=reply["body"], content_type=kind, times=None)]
    kind = "application/json"
    return [faults.raw(status=status, body=body, content_type=kind) for status, body in probe["replies"]]


@pytest.mark.filterwarnings("ignore:.*useless:UserWarning")
@pytest.mark.parametrize("method", ["POST"])
@pytest.mark.parametrize("probe", _probes())
def test_sdk_makes_of_any_answer_what_was_recorded(
    cloud: LocalCloud, shipper: ShipperTasks, connect: Connect, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tencentcloud.common.retry.time.sleep", slept.append)
    cloud.faults.add(*_answers(probe))
    profile = {"retryer": StandardRetryer()} if probe["probe"].startswith("StandardRetryer") else {}
    client = connect(**profile)
    try:
        if probe["probe"].startswith("tasks"):
            tasks_of(client)
        else:
            retry(client, TASK)
        outcome, code = "accepted", None
    except TencentCloudSDKException as error:
        outcome, code = "raised TencentCloudSDKException", error.code
    assert (outcome, code) == (probe["outcome"], probe["result"].get("code"))
    assert len(cloud.requests) == probe["requests_sent"]
    assert slept == probe["sleeps"]
