# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's Python SDK, unchanged, driven against the local cloud."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aliyun.log import LogClient
from aliyun.log.logexception import LogException
from aliyun.log.shipper_response import GetShipperConfigResponse

from contract.conftest import KEY, SECRET, STS_KEY, STS_SECRET, STS_TOKEN
from local_cloud import faults
from local_cloud.testing import LocalCloud

# The SDK calls datetime.utcnow().
pytestmark = [
    pytest.mark.usefixtures("loopback_names"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Connect = Callable[..., Any]


@pytest.fixture(params=["v1", "v4"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(cloud: LocalCloud, version: str) -> Connect:
    def connect(key: str = KEY, secret: str = SECRET, token: str | None = None, host: str = "127.0.0.1") -> Any:
        endpoint = f"http://{host}:{cloud.port}"
        return LogClient(endpoint, key, secret, token, auth_version=version, region="cn-hangzhou")

    return connect


def tasks_of(client: Any, **more: Any) -> Any:
    now = int(time.time())
    return client.get_shipper_tasks("p", "l", "s", now - 47 * 3600, now + 60, **more)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_lists_projects_logstores_and_shippers(cloud: LocalCloud, connect: Connect, host: str) -> None:
    for name in ("one", "two"):
        cloud.world.add_shipper("p", "l", name)
    cloud.world.add_shipper("q", "other", "three")
    client = connect(host=host)
    assert [project["projectName"] for project in client.list_project().get_projects()] == ["p", "q"]
    assert client.list_logstore("p").get_logstores() == ["l"]
    assert client.list_shipper("p", "l").get_entities() == ["one", "two"]


@pytest.mark.parametrize("credentials", [(KEY, SECRET), (STS_KEY, STS_SECRET, STS_TOKEN)], ids=["key", "sts"])
def test_failed_tasks_are_listed_retried_and_succeed(
    cloud: LocalCloud, connect: Connect, credentials: tuple[str, ...]
) -> None:
    shipper = cloud.world.add_shipper("p", "l", "s")
    failed = shipper.add_tasks(count=3, message="task {n}")
    shipper.add_tasks(count=2, status="success")
    client = connect(*credentials)
    listed = tasks_of(client, status_type="fail")
    assert sorted(listed.get_fail_task_ids()) == sorted(failed)
    client.retry_shipper_tasks("p", "l", "s", failed)
    assert tasks_of(client).get_running_task_count() == 3
    assert tasks_of(client).get_success_task_count() == 5
    assert cloud.executed() == cloud.retried() == Counter(failed)
    assert cloud.violations == []


def test_size_minus_one_pages_through_1200_tasks(cloud: LocalCloud, connect: Connect) -> None:
    ids = cloud.world.add_shipper("p", "l", "s").add_tasks(count=1200, age={"from": "40h", "to": "5m"})
    listed = tasks_of(connect(), status_type="fail", size=-1)
    assert [task.task_id for task in listed.get_tasks()] == ids[::-1]
    assert [call.target.partition("&offset=")[2] for call in cloud.calls("GetShipperStatus")] == [
        "0&size=500",
        "500&size=500",
        "1000&size=500",
    ]


def test_shipper_config_is_understood(cloud: LocalCloud, connect: Connect) -> None:
    cloud.world.add_shipper("p", "l", "s", target="odps")
    config = connect().get_shipper("p", "l", "s")
    # The SDK's own model of the reply, which its get_shipper does not use any more.
    parsed = GetShipperConfigResponse(config.get_entity(), {})
    assert (parsed.type, parsed.get_config().odps_project) == ("odps", "local_project")


def problem(call: Callable[[], object]) -> tuple[int, str, str]:
    with pytest.raises(LogException) as caught:
        call()
    assert len(caught.value.get_request_id()) == 24
    return caught.value.resp_status, caught.value.get_error_code(), caught.value.get_error_message()


def test_wrong_secret(cloud: LocalCloud, connect: Connect) -> None:
    cloud.world.add_shipper("p", "l", "s")
    status, code, message = problem(lambda: connect(secret="wrong").list_shipper("p", "l"))
    assert (status, code) == (401, "SignatureNotMatch")
    assert message.endswith("not matched.")


def test_unknown_key(connect: Connect) -> None:
    assert problem(lambda: connect(key="nobody").list_project()) == (
        401,
        "Unauthorized",
        "AccessKeyId not found: nobody",
    )


@pytest.mark.parametrize(
    ("code", "configured"),
    [("Unauthorized", {}), ("SecurityTokenExpired", {"expired_token_code": "SecurityTokenExpired"})],
)
def test_expired_token(cloud: LocalCloud, connect: Connect, code: str, configured: dict[str, str]) -> None:
    cloud.world.sls.configure(**configured)
    cloud.world.expire(STS_KEY)
    call = connect(STS_KEY, STS_SECRET, STS_TOKEN).list_project
    assert problem(call) == (401, code, "The security token you provided has expired.")


@pytest.mark.parametrize("token", [None, "another"])
def test_missing_or_wrong_token(connect: Connect, token: str | None) -> None:
    call = connect(STS_KEY, STS_SECRET, token).list_project
    assert problem(call) == (401, "Unauthorized", "The security token you provided is invalid.")


def test_denied_operation(cloud: LocalCloud, connect: Connect) -> None:
    cloud.world.add_account("reader", "secret", deny=["RetryShipperTask"])
    ids = cloud.world.add_shipper("p", "l", "s").add_tasks()
    client = connect("reader", "secret")
    assert tasks_of(client).get_fail_task_count() == 1
    resource = "acs:log:cn-hangzhou:1234567890123456:project/p/logstore/l/shipper/s"
    assert problem(lambda: client.retry_shipper_tasks("p", "l", "s", ids)) == (
        401,
        "Unauthorized",
        f"denied by sts or ram, action: log:RetryShipperTask, resource: {resource}",
    )
    assert cloud.executed() == Counter()


@pytest.mark.parametrize(
    ("dialect", "status", "project"),
    [("seed000", 400, "Project x does not exist."), ("seed001", 404, "The Project does not exist : x")],
)
def test_unknown_names(cloud: LocalCloud, connect: Connect, dialect: str, status: int, project: str) -> None:
    cloud.world.sls.configure(dialect=dialect)
    cloud.world.add_shipper("p", "l", "s")
    client = connect()
    assert problem(lambda: client.list_shipper("x", "l")) == (404, "ProjectNotExist", project)
    assert problem(lambda: client.list_shipper("p", "x")) == (404, "LogStoreNotExist", "Logstore x does not exist.")
    assert problem(lambda: client.retry_shipper_tasks("p", "l", "x", ["a"])) == (
        status,
        "ShipperNotExist",
        "Shipper does not exist.",
    )


def test_eleven_ids(cloud: LocalCloud, connect: Connect) -> None:
    ids = cloud.world.add_shipper("p", "l", "s").add_tasks(count=11)
    assert problem(lambda: connect().retry_shipper_tasks("p", "l", "s", ids)) == (
        400,
        "ParameterInvalid",
        "Each time allows 10 task retries only.",
    )
    assert cloud.executed() == Counter()


def test_throttling(cloud: LocalCloud, connect: Connect) -> None:
    ids = cloud.world.add_shipper("p", "l", "s").add_tasks()
    cloud.faults.add(faults.throttle("RetryShipperTask"))
    client = connect()
    assert problem(lambda: client.retry_shipper_tasks("p", "l", "s", ids)) == (
        403,
        "MetaOperationQpsLimitExceeded",
        "Qps limit for the meta operation is exceeded.",
    )
    client.retry_shipper_tasks("p", "l", "s", ids)
    assert (cloud.retried()[ids[0]], cloud.executed()[ids[0]]) == (2, 1)


def test_every_documented_field_reaches_the_sdk(cloud: LocalCloud, connect: Connect) -> None:
    shipper = cloud.world.add_shipper("p", "l", "s")
    (task_id,) = shipper.add_tasks(message="The specified bucket does not exist.", age="2h")
    (task,) = tasks_of(connect()).get_tasks()
    living = shipper.get(task_id)
    assert living is not None
    shown = (task.task_id, task.task_status, task.task_message, task.task_create_time, task.task_finish_time)
    assert shown == (task_id, "fail", living.message, living.created, living.created + 60)
    assert task.task_last_data_receive_time <= living.created


def _probes() -> list[Any]:
    path = Path(__file__).parent.parent / "data" / "captures" / "sls_response_parsing.json"
    probes = json.loads(path.read_text())["probes"]
    return [pytest.param(probe, id=probe["probe"]) for probe in probes if "reply" in probe]


@pytest.mark.parametrize("probe", _probes())
def test_sdk_makes_of_any_answer_what_was_recorded(
    cloud: LocalCloud, connect: Connect, probe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aliyun.log.logclient.time.sleep", lambda _: None)  # the SDK repeats after a second, ten times
    cloud.world.add_shipper("p", "l", "s")
    reply = probe["reply"]
    cloud.faults.add(faults.raw(status=reply["status"], body=reply["body"], headers=dict(reply["headers"]), times=None))
    client = connect()
    calls: dict[str, Callable[[], object]] = {
        "retry": lambda: client.retry_shipper_tasks("p", "l", "s", ["a"]),
        "tasks": lambda: tasks_of(client),
        "list": lambda: client.list_shipper("p", "l"),
    }
    try:
        calls[probe["probe"].partition(":")[0]]()
        outcome, code = "accepted", None
    except LogException as error:
        outcome, code = "raised LogException", error.get_error_code()
    except (KeyError, TypeError) as error:
        outcome, code = f"raised {type(error).__name__}", None
    recorded = probe["result"]
    assert (outcome, code) == (probe["outcome"], recorded.get("code") if isinstance(recorded, dict) else None)
    assert len(cloud.requests) == probe["requests_sent"]
