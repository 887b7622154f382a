# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four services as their documentation describes them: genuine replies, and what alone is an acceptance."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.redrive.tasks.plugins.module_utils._drs.complaints import Who
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._service import Service
from ansible_collections.redrive.tasks.plugins.module_utils._services.cls import ClsService
from ansible_collections.redrive.tasks.plugins.module_utils._services.drs import DrsService
from ansible_collections.redrive.tasks.plugins.module_utils._services.geelark import GeelarkService
from ansible_collections.redrive.tasks.plugins.module_utils._services.sls import SlsService
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response
from fuzz.hostile import json_of, member
from unit.fakes import NOW, FakeClock, FakeTransport, caller, reply

Genuine = Callable[[Request], Response]
Warn = Callable[[str], None]
IDS = ("t1", "t2", "t3")
CREATED = int(NOW) - 600


@dataclass(frozen=True)
class Target:
    """One service to be lied to.

    :ivar make: the service, over whatever answers
    :ivar genuine: answers as the service does
    :ivar changes: whether a request is a retry
    :ivar accepts: whether a reply to a retry says, by the documentation, that this task's was accepted
    :ivar readable: whether a reply to a retry is one of the service's at all
    """

    name: str
    make: Callable[[Genuine, FakeClock, Warn], Service]
    genuine: Genuine
    changes: Callable[[Request], bool]
    accepts: Callable[[Response, str, Sequence[str]], bool]
    readable: Callable[[Response], bool]


def _asked(request: Request) -> Any:
    return json.loads(request.body or b"null")


# -- SLS --------------------------------------------------------------------------------------------------------------


def _sls(answer: Genuine, clock: FakeClock, warn: Warn) -> Service:
    return SlsService(
        caller(FakeTransport(answer), clock, max_attempts=2),
        Endpoint("https", "cn-hangzhou.log.aliyuncs.com"),
        project="shop",
        logstore=None,
        shipper=None,
        clock=clock,
        warn=warn,
    )


def _sls_genuine(request: Request) -> Response:
    ids = {"x_log_requestid": "5B0A6B60BB6EE39764D458B5"}
    if request.method == "PUT":
        return reply(200, "", **ids)
    if request.path == "/logstores":
        return reply(200, {"count": 1, "total": 1, "logstores": ["access"]}, **ids)
    if request.path.endswith("/shipper"):
        return reply(200, {"count": 1, "total": 1, "shipper": ["to-oss"]}, **ids)
    offset = int(parse_qs(urlsplit(request.url).query)["offset"][0])
    tasks = [
        {
            "id": one,
            "taskStatus": "fail",
            "taskMessage": "Timeout of OSS",
            "taskCode": "InternalServerError",
            "taskCreateTime": CREATED,
            "taskLastDataReceiveTime": CREATED,
            "taskFinishTime": CREATED + 60,
        }
        for one in IDS
    ][offset:]
    sums = {"running": 0, "success": 0, "fail": 3}
    return reply(200, {"count": len(tasks), "total": 3, "statistics": sums, "tasks": tasks}, **ids)


def _sls_readable(response: Response) -> bool:
    return not response.body.strip() or json_of(response) is not None or response.body.strip() == b"null"


def _sls_accepts(response: Response, task_id: str, sent: Sequence[str]) -> bool:
    """A status of success, and a body that is empty or JSON without an error."""
    good = 200 <= response.status < 300 and _sls_readable(response)
    return good and not member(json_of(response), "errorCode")


# -- CLS --------------------------------------------------------------------------------------------------------------


def _cls(answer: Genuine, clock: FakeClock, warn: Warn) -> Service:
    return ClsService(
        caller(FakeTransport(answer), clock, max_attempts=2),
        Endpoint("https", "cls.tencentcloudapi.com"),
        region="ap-guangzhou",
        shipper_id=None,
        clock=clock,
        warn=warn,
    )


def _cls_genuine(request: Request) -> Response:
    content: dict[str, Any] = {}
    if request.api == "DescribeShippers":
        shown = [{"ShipperId": "s1", "TopicId": "t", "ShipperName": "to-cos", "Status": True}]
        content = {"Shippers": shown[_asked(request)["Offset"] :], "TotalCount": 1}
    elif request.api == "DescribeShipperTasks":
        content["Tasks"] = [
            {
                "TaskId": one,
                "ShipperId": "s1",
                "TopicId": "t",
                "RangeStart": (CREATED - 300 + number) * 1000,
                "RangeEnd": (CREATED + number) * 1000,
                "StartTime": (CREATED + number) * 1000,
                "EndTime": (CREATED + 30) * 1000,
                "Status": "failed",
                "Message": "cos: internal error",
            }
            for number, one in enumerate(IDS)
        ]
    return reply(200, {"Response": {**content, "RequestId": "6ef60bec-0242-43af-bb20-270359fb54a7"}})


def _cls_answer(response: Response) -> Any:
    return member(json_of(response), "Response")


def _cls_accepts(response: Response, task_id: str, sent: Sequence[str]) -> bool:
    """A status of success, and under Response no Error, but the id of the request."""
    answer = _cls_answer(response)
    told = isinstance(member(answer, "RequestId"), str) and bool(answer["RequestId"])
    return 200 <= response.status < 300 and told and answer.get("Error") is None


# -- DRS --------------------------------------------------------------------------------------------------------------


def _drs(answer: Genuine, clock: FakeClock, warn: Warn) -> Service:
    return DrsService(
        caller(FakeTransport(answer), clock, max_attempts=2),
        Endpoint("https", "drs.eu-de.otc.t-systems.com"),
        project_id="054babbbde80d4602f5cc0043a40ed8c",
        who=Who.TOKEN,
        db_use_types=("sync",),
        warn=warn,
    )


def _drs_genuine(request: Request) -> Response:
    content = _asked(request)
    if request.path.endswith("/batch-retry-task"):
        results = [{"id": one["job_id"], "status": "success"} for one in content["jobs"]]
        return reply(200, {"count": len(results), "results": results}, x_request_id="req-0001")
    jobs = [
        {
            "id": one,
            "name": f"DRS-{one}",
            "status": "FULL_TRANSFER_FAILED",
            "task_type": "FULL_INCR_TRANS",
            "db_use_type": "sync",
            "create_time": str(CREATED * 1000),
            "error_code": "DRS.M01503",
            "error_message": "Connection to 10.0.0.1 timed out",
            "source_endpoint": {"db_user": "root", "db_password": "s3cr3t-of-db", "ip": "10.0.0.1"},
            "children": [],
            "job_action": {"available_actions": ["RETRY", "DELETE"]},
        }
        for one in IDS
    ]
    if request.path.endswith("/batch-detail"):
        found = [one for one in jobs if one["id"] in content["jobs"]]
        return reply(200, {"count": len(found), "results": found}, x_request_id="req-0001")
    start = (content["cur_page"] - 1) * content["per_page"]
    return reply(200, {"total_record": len(jobs), "jobs": jobs[start:]}, x_request_id="req-0001")


def _drs_accepts(response: Response, task_id: str, sent: Sequence[str]) -> bool:
    """An entry of the job that says success, and none that says anything else."""
    results = member(json_of(response), "results")
    rows = [results] if isinstance(results, dict) else results if isinstance(results, list) else []
    mine = [row for row in rows if member(row, "id") == task_id]
    good = [str(row.get("status")).lower() == "success" and not row.get("error_code") for row in mine]
    return bool(good) and all(good) and (200 <= response.status < 300 or response.status == 400)


# -- GeeLark ----------------------------------------------------------------------------------------------------------


def _geelark(answer: Genuine, clock: FakeClock, warn: Warn) -> Service:
    one = caller(FakeTransport(answer), clock, max_attempts=2)
    return GeelarkService(one, Endpoint("https", "openapi.geelark.com"), clock=clock, warn=warn)


def _geelark_genuine(request: Request) -> Response:
    content = _asked(request)
    data: dict[str, Any] = {}
    if request.path.endswith("/restart"):
        refused = [{"id": one, "code": 48002, "msg": "not found"} for one in content["ids"][1:]]
        amounts = {"totalAmount": len(content["ids"]), "successAmount": 1, "failAmount": len(refused)}
        data = {**amounts, "failDetails": refused}
        code = 40006 if refused else 0
        return reply(200, {"traceId": "123456ABCEDF", "code": code, "msg": "words", "data": data})
    items = [
        {"id": one, "status": 4, "scheduleAt": CREATED, "cost": 30, "failCode": 20002, "failDesc": "timed out"}
        for one in IDS
        if one in content.get("ids", IDS) and not content.get("lastId")
    ]
    data = {"total": len(items), "items": items}
    return reply(200, {"traceId": "123456ABCEDF", "code": 0, "msg": "success", "data": data})


def _geelark_accepts(response: Response, task_id: str, sent: Sequence[str]) -> bool:
    """Code 0, or a part that failed; and the task is not named among the failures."""
    content = json_of(response)
    code = str(member(content, "code"))
    if code not in ("0", "40006") and b"40006" not in response.body:
        return False
    if code == "0" and response.status >= 500:
        return False
    details = member(member(content, "data"), "failDetails")
    rows = [details] if isinstance(details, dict) else details if isinstance(details, list) else []
    return not any(member(row, "id") == task_id for row in rows)


def _is_object(response: Response) -> bool:
    return isinstance(json_of(response), dict)


TARGETS = (
    Target("sls", _sls, _sls_genuine, lambda request: request.method == "PUT", _sls_accepts, _sls_readable),
    Target("cls", _cls, _cls_genuine, lambda request: request.api == "RetryShipperTask", _cls_accepts, _is_object),
    Target("drs", _drs, _drs_genuine, lambda request: request.path.endswith("-retry-task"), _drs_accepts, _is_object),
    Target(
        "geelark",
        _geelark,
        _geelark_genuine,
        lambda request: request.path.endswith("/restart"),
        _geelark_accepts,
        # What the vendor's page prints is no JSON.
        lambda response: _is_object(response) or b"failDetails" in response.body,
    ),
)
