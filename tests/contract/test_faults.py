# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault does on the wire what it says, as often as it says."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest

from contract.wire import TASKS, Reply, bytes_of, connect, eventually, exchange, listing, retry_of, send, signed
from local_cloud import faults
from local_cloud.faults import Fault
from local_cloud.tasks import ScenarioError
from local_cloud.testing import LocalCloud

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
BOTH = pytest.mark.parametrize("effect", ["before", "after"])


@pytest.fixture
def ids(cloud: LocalCloud) -> list[str]:
    return cloud.world.add_shipper("p", "l", "s").add_tasks(count=3)


def received_in_full(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def done(cloud: LocalCloud, ids: list[str]) -> bool:
    """Whether the only call was carried out; record and world must agree."""
    (call,) = cloud.changes()
    assert call.took_effect == (cloud.executed() == Counter(ids))
    return call.took_effect


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({}, 403, "MetaOperationQpsLimitExceeded"),
        ({"code": "ReadQuotaExceed"}, 403, "ReadQuotaExceed"),
        ({"status": 429, "code": "TooManyRequests", "retry_after": 3}, 429, "TooManyRequests"),
    ],
    ids=["meta", "read", "429"],
)
def test_throttle(cloud: LocalCloud, ids: list[str], more: dict[str, object], status: int, code: str) -> None:
    cloud.faults.add(faults.throttle("RetryShipperTask", **more))  # type: ignore[arg-type]
    reply = send(cloud, retry_of(*ids))
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (status, code, "3" if status == 429 else None)
    assert not done(cloud, ids)


@BOTH
@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalServerError"), (503, "ServerBusy"), (401, "Unauthorized"), (200, "ServerBusy")]
)
def test_error(cloud: LocalCloud, ids: list[str], effect: str, status: int, code: str) -> None:
    cloud.faults.add(faults.error("RetryShipperTask", status=status, code=code, effect=effect))
    reply = send(cloud, retry_of(*ids))
    assert (reply.status, reply.code) == (status, code)
    assert reply.message
    assert done(cloud, ids) == (effect == "after")


def test_error_can_echo_the_request_and_the_secret(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error(echo="sent {authorization} with {secret} and {headers} for {body}"))
    request = retry_of(*ids)
    message = send(cloud, request).message
    for part in (request.headers["Authorization"], "testAccessKeySecret", "x-log-apiversion: 0.6.0", ids[0]):
        assert part in message


@BOTH
def test_html_from_a_gateway(cloud: LocalCloud, ids: list[str], effect: str) -> None:
    cloud.faults.add(faults.html("RetryShipperTask", effect=effect))
    reply = send(cloud, retry_of(*ids))
    assert (reply.status, reply.headers["Content-Type"], reply.body[:6]) == (502, "text/html", b"<html>")
    assert done(cloud, ids) == (effect == "after")


@BOTH
def test_reset(cloud: LocalCloud, ids: list[str], effect: str) -> None:
    cloud.faults.add(faults.reset("RetryShipperTask", effect=effect))
    with connect(cloud, retry_of(*ids)) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert done(cloud, ids) == (effect == "after")
    assert cloud.changes()[0].status is None


@BOTH
def test_close_without_an_answer(cloud: LocalCloud, ids: list[str], effect: str) -> None:
    cloud.faults.add(faults.close("RetryShipperTask", effect=effect))
    with connect(cloud, retry_of(*ids)) as connection:
        assert connection.recv(1) == b""
    assert done(cloud, ids) == (effect == "after")


def test_reset_over_tls() -> None:
    with LocalCloud(tls=True) as cloud:
        cloud.world.add_account("testAccessKeyId", "testAccessKeySecret")
        cloud.world.add_shipper("p", "l", "s")
        cloud.faults.add(faults.reset("GetShipperStatus"))
        context = ssl.create_default_context(cafile=cloud.ca_file)
        plain = socket.create_connection(("127.0.0.1", cloud.port), timeout=20)
        connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
        # OpenSSL makes an end of file of the RST: look at the bare socket below it.
        with connection, socket.socket(fileno=os.dup(connection.fileno())) as below:
            below.settimeout(20)
            connection.sendall(bytes_of(listing()))
            with pytest.raises(ConnectionResetError):
                received_in_full(below)


def test_cut_in_the_middle_of_the_body(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.cut("GetShipperStatus"))
    with pytest.raises(http.client.IncompleteRead) as caught:
        send(cloud, listing())
    assert caught.value.partial
    assert caught.value.expected


def test_late_answer_has_taken_effect_long_before(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.late("RetryShipperTask", delay=30))
    with connect(cloud, retry_of(*ids)) as connection:
        assert eventually(lambda: cloud.executed() == Counter(ids))
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_late_answer_comes(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.late("RetryShipperTask", delay=0.01))
    assert send(cloud, retry_of(*ids)).status == 200
    assert cloud.changes()[0].fault == "late"


def test_broken_json(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.broken_json(times=2))
    for request in (listing(), retry_of(*ids)):
        reply = send(cloud, request)
        assert reply.status == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(reply.body)
    assert done(cloud, ids)


SHAPES: list[tuple[str, str, Callable[[Reply], bool]]] = [
    ("list", "", lambda reply: isinstance(reply.json, list)),
    ("null", "tasks", lambda reply: reply.json["tasks"] is None),
    ("lone", "tasks", lambda reply: set(reply.json["tasks"]) > {"id", "taskStatus"}),
    ("strings", "", lambda reply: reply.json["total"] == "3" and reply.json["tasks"][0]["taskCreateTime"].isdigit()),
    ("missing", "statistics", lambda reply: "statistics" not in reply.json),
    ("missing", "taskFinishTime", lambda reply: all("taskFinishTime" not in task for task in reply.json["tasks"])),
]


@pytest.mark.parametrize(("shape", "key", "holds"), SHAPES, ids=[f"{shape}-{key}" for shape, key, _ignored in SHAPES])
def test_wrong_shape(cloud: LocalCloud, ids: list[str], shape: str, key: str, holds: Callable[[Reply], bool]) -> None:
    cloud.faults.add(faults.wrong_shape("GetShipperStatus", shape=shape, key=key))
    assert holds(send(cloud, listing()))
    assert set(send(cloud, listing()).json) == {"count", "total", "statistics", "tasks"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_tells_who_followed(cloud: LocalCloud, ids: list[str], status: int) -> None:
    cloud.faults.add(faults.redirect("GetShipperStatus", status=status, location=f"{cloud.trap_url}/elsewhere"))
    reply = send(cloud, listing())
    assert (reply.status, reply.headers["Location"]) == (status, f"{cloud.trap_url}/elsewhere")
    assert cloud.trapped == []
    exchange(cloud, "GET", "/_cloud/trap/elsewhere", [("Host", "p.localhost"), ("Authorization", "LOG x:y")])
    (trapped,) = cloud.trapped
    assert (trapped.target, trapped.header("Authorization")) == ("/_cloud/trap/elsewhere", "...")


def test_skewed_clock_shows_in_date_and_checks(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.skew(-3600))
    reply = send(cloud, listing())
    assert reply.code == "RequestTimeExpired"
    assert abs(cloud.clock.now() - 3600 - parsedate_to_datetime(reply.headers["Date"]).timestamp()) < 60


def test_small_skew_moves_the_horizon(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.skew(600))
    assert send(cloud, listing(hours=47.9)).message == "Only support query last 48 hours task status."


def test_endless_body_goes_on_until_the_client_leaves(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.endless("GetShipperStatus"))
    with connect(cloud, listing()) as connection:
        received = 0
        while received < 1 << 20:
            received += len(connection.recv(65536))
    assert send(cloud, listing()).status == 200


def test_endless_body_has_an_end_after_all(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.endless("GetShipperStatus", max_seconds=0.05))
    with pytest.raises(http.client.IncompleteRead):
        send(cloud, listing())


def test_dripping_body_is_whole(cloud: LocalCloud, ids: list[str]) -> None:
    whole = send(cloud, listing()).body
    cloud.faults.add(faults.drip("GetShipperStatus", interval=0))
    assert send(cloud, listing()).body == whole


def test_huge_body_is_valid_json(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.huge("GetShipperStatus", mib=2))
    reply = send(cloud, listing())
    assert len(reply.body) > 2 << 20
    assert reply.json["total"] == 3


def test_gzip_bomb(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.gzip_bomb("GetShipperStatus", mib=2))
    reply = send(cloud, listing())
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) < 1 << 16
    assert len(gzip.decompress(reply.body)) == 2 << 20


def test_success_with_an_error_envelope(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.ok_with_error("RetryShipperTask", code="ServerBusy"))
    reply = send(cloud, retry_of(*ids))
    assert (reply.status, reply.code) == (200, "ServerBusy")


def test_any_other_answer(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.raw("RetryShipperTask", status=204))
    assert send(cloud, retry_of(*ids)).status == 204


# -- when -------------------------------------------------------------------------------------------------------------


def outcome(cloud: LocalCloud, count: int) -> list[int]:
    return [send(cloud, listing()).status for _ignored in range(count)]


def test_fault_strikes_as_often_as_it_says(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error(times=2, skip=1))
    assert outcome(cloud, 5) == [200, 500, 500, 200, 200]
    assert cloud.faults.pending() == []


def test_fault_without_end(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error(times=None))
    assert outcome(cloud, 4) == [500] * 4


def test_faults_wait_for_each_other(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error(status=503), faults.error(status=500))
    assert outcome(cloud, 3) == [503, 500, 200]


def test_fault_meets_its_operation_and_scope_only(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.world.add_shipper("p", "l", "other")
    cloud.faults.add(faults.error("GetShipperStatus", scope="other"))
    assert outcome(cloud, 1) == [200]
    assert send(cloud, signed(path="/logstores/l/shipper/other")).status == 200
    other = signed(path=TASKS.replace("/s/", "/other/"))
    assert send(cloud, other).status == 500


def test_call_that_is_not_genuine_uses_up_no_fault(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error())
    assert send(cloud, retry_of(*ids, secret="wrong")).status == 401
    assert len(cloud.faults.pending()) == 1


@pytest.mark.parametrize("per", ["project", "shipper", ""])
def test_rate_limit(cloud: LocalCloud, ids: list[str], per: str) -> None:
    cloud.faults.add_rate_limit(rate=0.0001, burst=2, per=per, retry_after=1)
    replies = [send(cloud, listing()) for _ignored in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 403]
    assert (replies[2].code, replies[2].headers["Retry-After"]) == ("MetaOperationQpsLimitExceeded", "1")
    cloud.clock.advance(10000)
    assert send(cloud, listing(at=cloud.clock.now())).code == "RequestTimeExpired"


def test_rate_limit_lets_through_again_later(cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add_rate_limit(rate=0.01, burst=1)
    assert outcome(cloud, 2) == [200, 403]
    cloud.clock.advance(100)
    assert outcome(cloud, 1) == [200]


@pytest.mark.parametrize("name", sorted(faults.CONSTRUCTORS))
def test_fault_can_be_written_as_data(name: str) -> None:
    needed: dict[str, dict[str, object]] = {
        "late": {"delay": 1},
        "wrong_shape": {"shape": "list"},
        "redirect": {"location": "/"},
        "skew": {"seconds": 1},
    }
    fault = faults.from_mapping({"fault": name, "operation": "ListShipper", "times": "forever", **needed.get(name, {})})
    assert isinstance(fault, Fault)
    assert (fault.operation, fault.times) == ("ListShipper", None)


def test_unknown_shape_is_refused() -> None:
    with pytest.raises(ScenarioError, match="shape"):
        faults.wrong_shape(shape="round")
