# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service refuses and with which words, in both generations of its documentation."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from contract.wire import KEY, TASKS, Signed, exchange, listing, retry_of, send, signed
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture
def shipper(cloud: LocalCloud) -> TaskList:
    return cloud.world.add_shipper("p", "l", "s")


@pytest.fixture(params=["seed000", "seed001"])
def dialect(request: pytest.FixtureRequest, cloud: LocalCloud, shipper: TaskList) -> str:
    cloud.world.sls.configure(dialect=request.param)
    return str(request.param)


# -- the reply --------------------------------------------------------------------------------------------------------


def test_every_reply_names_its_request(cloud: LocalCloud, shipper: TaskList) -> None:
    replies = [
        send(cloud, listing()),
        send(cloud, listing(size=501)),
        exchange(cloud, "GET", "/x", [("Host", "p.localhost")]),
    ]
    ids = [reply.headers["x-log-requestid"] for reply in replies]
    assert ids == [request.request_id for request in cloud.requests]
    assert all(len(one) == 24 and one == one.upper() for one in ids)
    assert all(reply.headers["Date"] and reply.headers["Server"] for reply in replies)


def test_accepted_retry_has_no_body(cloud: LocalCloud, shipper: TaskList) -> None:
    reply = send(cloud, retry_of(*shipper.add_tasks()))
    assert (reply.status, reply.headers["Content-Length"], reply.body) == (200, "0", b"")


def test_task_has_every_documented_field(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(status="running")
    (task,) = send(cloud, listing()).json["tasks"]
    assert set(task) == {
        *("id", "taskStatus", "taskMessage", "taskCode", "taskDataLines"),
        *("taskCreateTime", "taskLastDataReceiveTime", "taskFinishTime"),
    }
    assert (task["taskStatus"], task["taskFinishTime"]) == ("running", 0)


# -- headers ----------------------------------------------------------------------------------------------------------


MISSING = [
    ("authorization", {}, "MissAccessKeyId", "MissingParameter"),
    ("x-log-apiversion", {}, "MissingAPIVersion", "MissingAPIVersion"),
    ("x-log-signaturemethod", {}, "MissingSignatureMethod", "MissingParameter"),
    ("date", {}, "MissingDate", "MissingParameter"),
    ("x-log-date", {"version": "v4"}, "MissingDate", "MissingParameter"),
    ("content-type", {"body": b'["a"]', "method": "PUT"}, "MissingContentType", "MissingContentType"),
    ("content-md5", {"body": b'["a"]', "method": "PUT"}, "ParameterInvalid", "ParameterInvalid"),
]


@pytest.mark.parametrize(("name", "more", "older", "newer"), MISSING, ids=[row[0] for row in MISSING])
def test_missing_header(
    cloud: LocalCloud, dialect: str, name: str, more: dict[str, Any], older: str, newer: str
) -> None:
    reply = send(cloud, signed(**more), drop=name)
    assert (reply.status, reply.code) == (400, older if dialect == "seed000" else newer)


def test_body_size_header_is_needed_in_the_newer_generation_only(cloud: LocalCloud, dialect: str) -> None:
    # "Common error codes" asks for it with compression only, and the RetryShipperTask sample there has none.
    reply = send(cloud, retry_of("a"), drop="x-log-bodyrawsize")
    assert reply.code == ("SignatureNotMatch" if dialect == "seed000" else "MissingParameter")


WRONG = [
    ({"x_log_apiversion": "0.7.0"}, (400, "InvalidAPIVersion"), (400, "InvalidAPIVersion")),
    ({"x_log_bodyrawsize": "7"}, (400, "InvalidBodyRawSize"), (400, "ParameterInvalid")),
    ({"x_log_signaturemethod": "hmac-md5"}, (400, "InvalidSignatureMethod"), (400, "ParameterInvalid")),
    ({"authorization": "Bearer x"}, (400, "MissAccessKeyId"), (400, "ParameterInvalid")),
    ({"date": "yesterday"}, (400, "InvalidDateFormat"), (400, "InvalidRequestTime")),
    ({"date": "Mon, 14 Nov 2023 22:13:20 GMT"}, (400, "InvalidDateFormat"), (400, "InvalidRequestTime")),
    ({"x_log_date": "Tue, 14 Nov 2023 22:13:20 GMT"}, (400, "RequestTimeTooSkewed"), (400, "RequestTimeExpired")),
    ({"content_md5": "0" * 32}, (400, "ParameterInvalid"), (400, "ParameterInvalid")),
    ({"content_type": "text/plain"}, (415, "InvalidContentType"), (400, "InvalidContentType")),
    ({"host": "p/q"}, (400, "InvalidHost"), (400, "InvalidHost")),
]


@pytest.mark.parametrize(("changed", "older", "newer"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_wrong_header(
    cloud: LocalCloud, dialect: str, changed: dict[str, str], older: tuple[int, str], newer: tuple[int, str]
) -> None:
    reply = send(cloud, retry_of("a"), **changed)
    assert (reply.status, reply.code) == (older if dialect == "seed000" else newer)


def test_chunked_body_is_refused(cloud: LocalCloud, shipper: TaskList) -> None:
    request = retry_of("a")
    headers = [*request.pairs(drop="content-length"), ("Transfer-Encoding", "chunked")]
    reply = exchange(cloud, "PUT", TASKS, headers, b'5\r\n["a"]\r\n0\r\n\r\n')
    assert (reply.status, reply.code) == (411, "MissingContentLength")


def test_body_above_ten_mib_is_refused(cloud: LocalCloud, shipper: TaskList) -> None:
    reply = send(cloud, signed("PUT", body=b" " * (10 * 1024 * 1024 + 1)))
    assert (reply.status, reply.code) == (413, "PostBodyTooLarge")


def test_disabled_key(cloud: LocalCloud, shipper: TaskList) -> None:
    cloud.world.change_account(KEY, disabled=True)
    assert send(cloud, listing()).message == f"AccessKeyId is disabled: {KEY}"


def test_project_of_another_account(cloud: LocalCloud, shipper: TaskList) -> None:
    cloud.world.change_account(KEY, projects=("mine",))
    assert send(cloud, listing()).message == "The project does not belong to you."


def test_forbidden_project(cloud: LocalCloud, shipper: TaskList) -> None:
    cloud.world.sls.add_project("p", forbidden=True)
    reply = send(cloud, listing())
    assert (reply.status, reply.code) == (403, "ProjectForbidden")


def test_denied_logstore(cloud: LocalCloud) -> None:
    cloud.world.add_shipper("p", "internal-diagnostic_log", "s")
    cloud.world.sls.add_logstore("p", "internal-diagnostic_log", denied=True)
    reply = send(cloud, signed(path="/logstores/internal-diagnostic_log/shipper"))
    assert (reply.status, reply.code) == (401, "Unauthorized")


def test_v4_is_signed_for_the_region_of_the_project(cloud: LocalCloud) -> None:
    cloud.world.sls.add_project("far", region="eu-central-1")
    request: dict[str, Any] = {"path": "/logstores", "host": "far.127.0.0.1", "version": "v4"}
    assert send(cloud, signed(**request)).code == "SignatureNotMatch"
    assert send(cloud, signed(**request, region="eu-central-1")).status == 200


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        *("p.127.0.0.1", "p.127.0.0.1:8080", "p.localhost", "P.localhost:1", "p.sls.example.com"),
        *("p.cn-hangzhou.log.aliyuncs.com", "p.cn-hangzhou-intranet.log.aliyuncs.com", "p.log-global.aliyuncs.com"),
    ],
)
def test_first_label_of_host_is_the_project(cloud: LocalCloud, shipper: TaskList, host: str) -> None:
    assert send(cloud, signed(path="/logstores", host=host)).json["logstores"] == ["l"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:80", "cn-hangzhou.log.aliyuncs.com", "log-global.aliyuncs.com"]
)
def test_bare_endpoint_lists_projects(cloud: LocalCloud, shipper: TaskList, host: str) -> None:
    assert [one["projectName"] for one in send(cloud, signed(path="/", host=host)).json["projects"]] == ["p"]


def test_regional_endpoint_lists_projects_of_its_region(cloud: LocalCloud, shipper: TaskList) -> None:
    cloud.world.sls.add_project("far", region="eu-central-1")
    reply = send(cloud, signed(path="/", host="eu-central-1.log.aliyuncs.com"))
    assert [one["projectName"] for one in reply.json["projects"]] == ["far"]


def test_project_operation_on_the_bare_endpoint(cloud: LocalCloud, shipper: TaskList) -> None:
    reply = send(cloud, signed(path="/logstores", host="127.0.0.1"))
    assert (reply.status, reply.code) == (400, "InvalidHost")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", TASKS), ("DELETE", "/logstores"), ("GET", "/nothing"), ("GET", TASKS + "/")]
)
def test_anything_else(cloud: LocalCloud, shipper: TaskList, method: str, path: str) -> None:
    reply = send(cloud, signed(method, path))
    assert (reply.status, reply.code, reply.message) == (405, "InvalidMethod", f"Invalid request method : {path}")


def test_server_stands_in_as_an_http_proxy(cloud: LocalCloud, shipper: TaskList) -> None:
    host = "p.cn-hangzhou.log.aliyuncs.com"
    request = signed(path="/logstores", query={"offset": "0"}, host=host)
    reply = exchange(cloud, "GET", f"http://{host}{request.target}", request.pairs())
    assert reply.json["logstores"] == ["l"]


# -- GetShipperStatus -------------------------------------------------------------------------------------------------


NOW = int(time.time())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (lambda: listing(from_=NOW, to=NOW), "Start time must be earlier than end time."),
        (lambda: listing(hours=48.1), "Only support query last 48 hours task status."),
        (lambda: listing(status="failed"), "Status only contains success/running/fail."),
        (lambda: listing(size=501), "Parameter size : 501 is invalid."),
        (lambda: listing(size=0), "Parameter size : 0 is invalid."),
        (lambda: listing(size=-1), "Parameter size : -1 is invalid."),
        (lambda: listing(offset="x"), "Parameter offset : x is invalid."),
        (lambda: listing(from_="1.5"), "Parameter from : 1.5 is invalid."),
        (lambda: listing(to=""), "Parameter to :  is invalid."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_query(cloud: LocalCloud, shipper: TaskList, request_: Any, message: str) -> None:
    reply = send(cloud, request_())
    assert (reply.status, reply.code, reply.message) == (400, "ParameterInvalid", message)


@pytest.mark.parametrize("name", ["from", "to"])
def test_missing_query(cloud: LocalCloud, dialect: str, name: str) -> None:
    reply = send(cloud, listing(drop=name))
    assert reply.code == ("ParameterInvalid" if dialect == "seed000" else "MissingParameter")
    assert reply.message == f"Missing query key : {name}."


def test_repeated_query_key(cloud: LocalCloud, shipper: TaskList) -> None:
    request = listing()
    assert send(cloud, Signed("GET", request.target + "&size=1", request.headers, b"")).status in (400, 401)


@pytest.mark.parametrize(("option", "total"), [("filtered", 3), ("all", 5)])
def test_total_and_statistics(cloud: LocalCloud, shipper: TaskList, option: str, total: int) -> None:
    cloud.world.sls.configure(total=option)
    shipper.add_tasks(count=3)
    shipper.add_tasks(count=2, status="success")
    content = send(cloud, listing(status="fail", size=2)).json
    assert (content["count"], content["total"]) == (2, total)
    assert content["statistics"] == {"fail": 3, "running": 0, "success": 2}


def test_page_size_defaults_to_a_hundred(cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(count=101)
    assert send(cloud, listing(drop="size")).json["count"] == 100


def test_newest_task_comes_first(cloud: LocalCloud, shipper: TaskList) -> None:
    oldest, middle, newest = shipper.add_tasks(count=3, age={"from": "3h", "to": "1h"})
    assert [task["id"] for task in send(cloud, listing()).json["tasks"]] == [newest, middle, oldest]


def test_range_is_one_of_creation_times_with_an_open_end(cloud: LocalCloud, shipper: TaskList) -> None:
    (task_id,) = shipper.add_tasks(age="1h")
    task = shipper.get(task_id)
    assert task is not None
    created = task.created
    assert send(cloud, listing(from_=created, to=created + 1)).json["count"] == 1
    assert send(cloud, listing(from_=created - 5, to=created)).json["count"] == 0


# -- ListShipper, ListLogstores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paging", "names"), [("honoured", ["s1"]), ("ignored", ["s0", "s1", "s2"])])
def test_shipper_paging(cloud: LocalCloud, paging: str, names: list[str]) -> None:
    cloud.world.sls.configure(shipper_paging=paging)
    for number in range(3):
        cloud.world.add_shipper("p", "l", f"s{number}")
    content = send(cloud, signed(path="/logstores/l/shipper", query={"offset": "1", "size": "1"})).json
    assert (content["shipper"], content["count"], content["total"]) == (names, len(names), 3)


def test_logstores_are_found_by_a_part_of_their_name(cloud: LocalCloud) -> None:
    for name in ("nginx-access", "nginx-error", "audit"):
        cloud.world.sls.add_logstore("p", name)
    content = send(cloud, signed(path="/logstores", query={"logstoreName": "nginx", "size": "1"})).json
    assert content == {"count": 1, "total": 2, "logstores": ["nginx-access"]}


# -- RetryShipperTask -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PostBodyInvalid"),
        (b"not json", "PostBodyInvalid"),
        (b"[]", "ParameterInvalid"),
        (b"[1]", "ParameterInvalid"),
        (b'{"ids": ["a"]}', "ParameterInvalid"),
        (b'"a"', "ParameterInvalid"),
    ],
)
def test_wrong_body(cloud: LocalCloud, shipper: TaskList, body: bytes, code: str) -> None:
    reply = send(cloud, signed("PUT", body=body))
    assert (reply.status, reply.code) == (400, code)


def test_repeated_ids_count_towards_the_ten(cloud: LocalCloud, shipper: TaskList) -> None:
    assert send(cloud, retry_of(*["a"] * 11)).message == "Each time allows 10 task retries only."


def test_careless_retries_are_accepted_do_nothing_and_are_noted(cloud: LocalCloud, shipper: TaskList) -> None:
    (failed,) = shipper.add_tasks(then="stay")
    (fine,) = shipper.add_tasks(status="success")
    assert send(cloud, retry_of(failed, failed, fine, "unknown")).status == 200
    assert send(cloud, retry_of(failed)).status == 200
    assert cloud.executed() == Counter([failed])
    assert [(one.kind, one.task_id) for one in cloud.violations] == [
        ("duplicate_id", failed),
        ("not_failed", fine),
        ("unknown_id", "unknown"),
        ("not_failed", failed),
    ]


def test_careless_retry_can_be_refused_as_a_whole(cloud: LocalCloud, shipper: TaskList) -> None:
    cloud.world.sls.configure(unknown_ids="refuse")
    (failed,) = shipper.add_tasks()
    reply = send(cloud, retry_of(failed, "unknown"))
    assert (reply.status, reply.code) == (400, "ParameterInvalid")
    assert cloud.executed() == Counter()


def test_task_of_another_shipper_is_unknown(cloud: LocalCloud, shipper: TaskList) -> None:
    (elsewhere,) = cloud.world.add_shipper("p", "l", "other").add_tasks()
    assert send(cloud, retry_of(elsewhere)).status == 200
    assert cloud.executed() == Counter()
    assert [one.kind for one in cloud.violations] == ["unknown_id"]
