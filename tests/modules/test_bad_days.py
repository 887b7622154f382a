# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad days of the service and of the network: nothing is retried twice, nothing done is lost, everything ends."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from typing import Any

import pytest

from local_cloud import faults
from local_cloud.faults import FOREVER, Fault
from local_cloud.tasks import TaskList
from local_cloud.testing import LocalCloud
from modules.harness import Ansible, Direct
from modules.services import KEY_ID
from modules.sls import ALL, FAST, INFO, RETRY, WHERE

READ, PUT = "GetShipperStatus", "RetryShipperTask"
BUSY: dict[str, Any] = {"code": "InternalServerError", "message": "Try again."}
TWICE = {"max_attempts": 2}


@pytest.fixture
def ids(shipper: TaskList) -> list[str]:
    """Three batches of failed tasks, oldest first."""
    return shipper.add_tasks(count=25, age={"from": "9h", "to": "1h"}, **BUSY)


# -- throttling -------------------------------------------------------------------------------------------------------

THROTTLES: list[dict[str, Any]] = [
    {},
    {"code": "ReadQuotaExceed"},
    {"code": "writequotaexceed"},
    {"code": "ShardWriteQuotaExceed"},
    {"status": 429, "code": "Whatever"},
    {"code": "Forbidden", "message": "Read QPS Exceed"},
    {"retry_after": 0},
    {"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"},
    {"retry_after": "soon"},
    {"retry_after": -5},
]


@pytest.mark.parametrize(
    ("operation", "kind"), [(PUT, kind) for kind in THROTTLES] + [(READ, kind) for kind in THROTTLES[:3]], ids=str
)
def test_a_throttled_call_is_repeated_until_it_passes(
    module: Direct, cloud: LocalCloud, shipper: TaskList, operation: str, kind: dict[str, Any]
) -> None:
    ids = shipper.add_tasks(count=3, **BUSY)
    cloud.faults.add(faults.throttle(operation, **kind))
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)
    assert (ran["requests"]["sent"], ran["requests"]["repeated"], ran["requests"]["throttled"]) == (3, 1, 1)


def test_throttling_on_both_sides_is_got_through_under_ansible(
    ansible: Ansible, cloud: LocalCloud, ids: list[str]
) -> None:
    cloud.faults.add(faults.throttle(READ), faults.throttle(PUT, times=2, retry_after=0))
    ran = ansible(RETRY, ALL)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)
    assert ran["requests"]["throttled"] == 3


def test_a_rate_limit_of_the_service_is_lived_with(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add_rate_limit(rate=4, burst=1)
    ran = module(RETRY, ALL)
    assert not ran.failed
    assert cloud.executed() == Counter(ids)


def test_throttling_without_end_ends(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.throttle(PUT, skip=1, times=FOREVER))
    ran = module(RETRY, {**ALL, **TWICE})
    assert ran.failed
    assert ran["changed"] is True
    assert ran.outcomes() == {"accepted": 10, "refused": 10, "not_attempted": 5}
    assert len(ran.changes) == 3
    assert "rate_limit" in ran.by_id()[ids[10]]["error"]["message"]


def test_reads_that_are_throttled_without_end_fail_within_max_attempts(
    module: Direct, cloud: LocalCloud, ids: list[str]
) -> None:
    cloud.faults.add(faults.throttle(READ, times=FOREVER))
    ran = module(RETRY, {**ALL, **TWICE})
    assert ran.failed
    assert "MetaOperationQpsLimitExceeded" in ran.msg
    assert len(ran.arrived) == 2


@pytest.mark.parametrize("code", ["ProjectQuotaExceed", "QuotaExceed", "ExceedQuota"])
def test_a_quota_of_things_is_no_throttling(module: Direct, cloud: LocalCloud, ids: list[str], code: str) -> None:
    cloud.faults.add(faults.error(READ, status=403, code=code))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert len(ran.arrived) == 1


# -- reads that fail for a while --------------------------------------------------------------------------------------

PASSING: list[Fault] = [
    faults.error(READ),
    faults.error(READ, status=503, code="ServerBusy"),
    faults.error(READ, status=500, code="RequestTimeout"),
    faults.html(READ),
    faults.html(READ, status=504),
    faults.ok_with_error(READ),
    faults.reset(READ),
    faults.close(READ),
    faults.reset(READ, effect="after"),
    faults.cut(READ),
    faults.broken_json(READ),
    faults.late(READ, delay=2),
    faults.raw(READ, body=""),
    faults.raw(READ, body="null"),
    faults.raw(READ, body='"text"'),
    faults.raw(READ, body='{"total": "many", "tasks": []}'),
    faults.raw(READ, body='{"total": -1, "tasks": []}'),
    faults.raw(READ, body='{"total": 1, "tasks": "text"}'),
    faults.raw(READ, body='{"total": 1, "tasks": [null]}'),
    faults.raw(READ, body='{"total": 1, "tasks": [{"id": 5}]}'),
    faults.raw(READ, body="[" * 100_000),
    faults.raw(READ, body="\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
    faults.wrong_shape(READ, shape="list"),
    faults.wrong_shape(READ, shape="missing", key="id"),
    faults.html(READ, status=200),
    faults.huge(READ, mib=9),
    faults.gzip_bomb(READ, mib=64),
    faults.endless(READ, max_seconds=20),
    faults.drip(READ, interval=0.2, max_seconds=20),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.effect.value}")
def test_a_read_that_fails_once_is_repeated(module: Direct, cloud: LocalCloud, shipper: TaskList, fault: Fault) -> None:
    ids = shipper.add_tasks(count=2, **BUSY)
    cloud.faults.add(fault)
    ran = module(RETRY, {**ALL, **TWICE, "timeout": 1})
    assert not ran.failed
    assert len(ran.reads) == 2
    assert ran["requests"]["repeated"] == 1
    assert cloud.executed() == Counter(ids)


@pytest.mark.parametrize("shape", ["strings", "null", "lone"])
def test_a_shape_that_can_be_read_is_read(module: Direct, cloud: LocalCloud, shipper: TaskList, shape: str) -> None:
    ids = shipper.add_tasks(**BUSY)
    cloud.faults.add(faults.wrong_shape(READ, shape=shape))
    ran = module(INFO, WHERE)
    assert not ran.failed
    assert ran.ids == ([] if shape == "null" else ids)


@pytest.mark.parametrize("key", ["taskCode", "taskMessage", "taskFinishTime", "total", "count", "statistics"])
def test_a_field_that_is_not_there_is_done_without(
    module: Direct, cloud: LocalCloud, shipper: TaskList, key: str
) -> None:
    ids = shipper.add_tasks(count=2, **BUSY)
    cloud.faults.add(faults.wrong_shape(READ, shape="missing", key=key, times=FOREVER))
    ran = module(RETRY, {**ALL, **FAST, "wait_timeout": 30})
    assert not ran.failed
    assert ran.counts("recovered") == (2,)
    assert cloud.executed() == Counter(ids)


def test_a_task_without_a_creation_time_is_still_verified(module: Direct, cloud: LocalCloud, shipper: TaskList) -> None:
    shipper.add_tasks(count=2, **BUSY)
    cloud.faults.add(faults.wrong_shape(READ, shape="missing", key="taskCreateTime", times=FOREVER))
    ran = module(RETRY, {**ALL, **FAST, "wait_timeout": 5})
    assert ran.counts("recovered") == (2,)


@pytest.mark.parametrize(
    "value", [1700000000.5, True, -1, 10**15, "x", [], {}, 1e400, "9" * 5000], ids=lambda value: str(value)[:12]
)
def test_a_time_that_is_none_is_left_out(module: Direct, cloud: LocalCloud, shipper: TaskList, value: Any) -> None:
    task = {"id": "a", "taskStatus": "fail", "taskMessage": 5, "taskCode": None, "taskCreateTime": value}
    cloud.faults.add(faults.raw(READ, body=json.dumps({"total": 1, "tasks": [task]}), effect="after"))
    ran = module(INFO, WHERE)
    assert ran["tasks"][0]["created"] is None


@pytest.mark.parametrize("text", ["\x00", "\u2028", "\U0001f4a5", "\x1b[31m", "{{ 7 * 7 }}", "a\r\nb"], ids=ascii)
def test_any_text_in_a_message_comes_through(ansible: Ansible, cloud: LocalCloud, shipper: TaskList, text: str) -> None:
    task = {"id": "a", "taskStatus": "fail", "taskMessage": f"x{text}y", "taskCreateTime": int(cloud.clock.now()) - 60}
    cloud.faults.add(faults.raw(READ, body=json.dumps({"total": 1, "tasks": [task]}), effect="after"))
    ran = ansible(INFO, WHERE)
    assert not ran.failed
    assert ran["tasks"][0]["failure"]["message"].startswith("x")


def test_text_that_is_no_unicode_does_not_cost_the_result_of_a_retry(
    ansible: Ansible, cloud: LocalCloud, shipper: TaskList
) -> None:
    ids = shipper.add_tasks(**BUSY)
    task = {"id": ids[0], "taskStatus": "fail", "taskMessage": "half a pair: \ud83d"}
    task["taskCreateTime"] = str(int(cloud.clock.now()) - 3600)
    cloud.faults.add(faults.raw(READ, body=json.dumps({"total": 1, "tasks": [task]}), effect="after"))
    ran = ansible(RETRY, ALL)
    assert cloud.executed() == Counter(ids)
    assert ran["changed"] is True


# -- reads that do not come back --------------------------------------------------------------------------------------

LASTING: list[tuple[Fault, str, int]] = [
    (faults.error(READ, times=FOREVER), "InternalServerError", 2),
    (faults.html(READ, times=FOREVER), "502", 2),
    (faults.reset(READ, times=FOREVER), "connection broke", 2),
    (faults.broken_json(READ, times=FOREVER), "not JSON", 2),
    (faults.wrong_shape(READ, shape="list", times=FOREVER), "shape", 2),
    (faults.late(READ, delay=2, times=FOREVER), "no complete reply in time", 2),
    (faults.huge(READ, mib=9, times=FOREVER), "larger than", 2),
    (faults.html(READ, status=404, times=FOREVER), "nginx", 1),
    (faults.html(READ, status=403, times=FOREVER), "403", 1),
    (faults.error(READ, status=400, code="ParameterInvalid", message="Only so.", times=FOREVER), "Only so.", 1),
    (faults.error(READ, status=403, code="ProjectForbidden", times=FOREVER), "arrears", 1),
    (faults.raw(READ, status=407, times=FOREVER), "407", 1),
]


@pytest.mark.parametrize(("fault", "words", "requests"), LASTING, ids=[case[0].kind for case in LASTING])
def test_an_outage_from_the_beginning_fails_clearly_and_soon(
    module: Direct, cloud: LocalCloud, ids: list[str], fault: Fault, words: str, requests: int
) -> None:
    cloud.faults.add(fault)
    ran = module(RETRY, {**ALL, **TWICE, "timeout": 1, "fail_on": []})
    assert ran.failed
    assert words in ran.msg
    assert len(ran.arrived) == requests


def test_an_outage_from_the_beginning_fails_under_ansible(ansible: Ansible, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.html("*", times=FOREVER))
    ran = ansible(RETRY, {**ALL, **TWICE}, check=True)
    assert ran.failed
    assert "502" in ran.msg
    assert len(ran.arrived) == 2


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_closed_port_is_said_to_be_unreachable(module: Direct) -> None:
    ran = module(RETRY, {**ALL, **TWICE, "endpoint": f"http://127.0.0.1:{closed_port()}"}, all_arrive=False)
    assert ran.failed
    assert "could not be reached" in ran.msg
    assert ran["requests"]["sent"] == 2


def test_https_to_a_port_that_speaks_http_is_told(module: Direct, cloud: LocalCloud) -> None:
    ran = module(RETRY, {**ALL, **TWICE, "endpoint": f"https://127.0.0.1:{cloud.port}"}, all_arrive=False)
    assert ran.failed
    assert "https" in ran.msg.lower() or "ssl" in ran.msg.lower() or "tls" in ran.msg.lower()


# -- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "status"), [(READ, 301), (READ, 302), (READ, 308), (PUT, 302), (PUT, 303), (PUT, 307)]
)
def test_a_redirect_is_never_followed(
    module: Direct, cloud: LocalCloud, ids: list[str], operation: str, status: int
) -> None:
    cloud.faults.add(faults.redirect(operation, status=status, location=cloud.trap_url, times=FOREVER))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert "redirect" in ran.msg
    assert not cloud.trapped
    assert len(ran.arrived) == (1 if operation == READ else 2)


# -- lost replies of retries ------------------------------------------------------------------------------------------

LOST: list[Fault] = [
    faults.error(PUT, effect="after"),
    faults.error(PUT, status=503, code="ServerBusy", effect="after"),
    faults.html(PUT, effect="after"),
    faults.ok_with_error(PUT, effect="after"),
    faults.reset(PUT, effect="after"),
    faults.close(PUT, effect="after"),
    faults.cut(PUT),
    faults.late(PUT, delay=2),
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.kind}-{fault.effect.value}")
def test_a_retry_whose_reply_is_lost_is_settled_by_reading(
    module: Direct, cloud: LocalCloud, ids: list[str], fault: Fault
) -> None:
    cloud.faults.add(fault)
    ran = module(RETRY, {**ALL, "timeout": 1})
    assert not ran.failed
    assert ran.outcomes() == {"accepted": 25}
    assert len(ran.changes) == 3
    assert cloud.retried() == cloud.executed() == Counter(ids)
    assert ran.by_id()[ids[0]]["state_after"] == "running"


def test_a_lost_reply_of_a_retry_that_only_shows_later_is_settled(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    ids = shipper.add_tasks(count=3, queued_reads=2, **BUSY)
    cloud.faults.add(faults.reset(PUT, effect="after"))
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"accepted": 3}
    assert cloud.retried() == Counter(ids)


NOT_DONE: list[Fault] = [faults.error(PUT), faults.reset(PUT)]


@pytest.mark.parametrize("fault", NOT_DONE, ids=lambda fault: fault.kind)
def test_a_retry_that_was_lost_on_its_way_is_unknown_and_not_sent_again(
    module: Direct, cloud: LocalCloud, ids: list[str], fault: Fault
) -> None:
    cloud.faults.add(fault)
    ran = module(RETRY, ALL)
    assert ran.failed
    assert "10 of unknown outcome" in ran.msg
    assert ran.outcomes() == {"unknown": 10, "accepted": 15}
    assert {ran.by_id()[one]["outcome"] for one in ids[:10]} == {"unknown"}
    assert cloud.executed() == Counter(ids[10:])
    assert cloud.retried() == Counter(ids)


def test_a_lost_reply_is_settled_under_ansible(ansible: Ansible, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.reset(PUT, effect="after"), faults.late(PUT, delay=2))
    ran = ansible(RETRY, {**ALL, "timeout": 1})
    assert ran.outcomes() == {"accepted": 25}
    assert cloud.retried() == cloud.executed() == Counter(ids)


def test_an_unknown_outcome_that_shows_while_waiting_is_settled(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    shipper.add_tasks(count=2, queued_reads=4, **BUSY)
    cloud.faults.add(faults.reset(PUT, effect="after"))
    ran = module(RETRY, {**ALL, **FAST, "wait_timeout": 20})
    assert not ran.failed
    assert ran.counts("accepted", "unknown", "recovered") == (2, 0, 2)


# -- outages in the middle --------------------------------------------------------------------------------------------

OUTAGES: list[Fault] = [
    faults.reset("*", times=FOREVER, skip=2),
    faults.html("*", times=FOREVER, skip=2),
    faults.error("*", times=FOREVER, skip=2, status=503, code="ServerBusy"),
    faults.reset("*", times=FOREVER, skip=2, effect="after"),
]


@pytest.mark.parametrize("fault", OUTAGES, ids=lambda fault: f"{fault.kind}-{fault.effect.value}")
def test_an_outage_amid_the_retries_stops_the_run_and_keeps_what_was_done(
    module: Direct, cloud: LocalCloud, ids: list[str], fault: Fault
) -> None:
    cloud.faults.add(fault)
    ran = module(RETRY, {**ALL, **TWICE})
    assert ran.failed
    assert ran["changed"] is True
    assert ran.outcomes() == {"accepted": 10, "unknown": 10, "not_attempted": 5}
    assert len(ran.changes) == 2
    assert len(ran.arrived) <= 2 + 1 + 2


def test_an_outage_amid_the_retries_keeps_what_was_done_under_ansible(
    ansible: Ansible, cloud: LocalCloud, ids: list[str]
) -> None:
    cloud.faults.add(faults.close("*", times=FOREVER, skip=2))
    ran = ansible(RETRY, {**ALL, **TWICE, "fail_on": []})
    assert not ran.failed
    assert ran["changed"] is True
    assert ran.outcomes() == {"accepted": 10, "unknown": 10, "not_attempted": 5}


def test_retries_alone_that_keep_getting_lost_stop_the_run(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    shipper.add_tasks(count=60, **BUSY)
    cloud.faults.add(faults.reset(PUT, times=FOREVER))
    ran = module(RETRY, {**ALL, **TWICE})
    assert ran.outcomes() == {"unknown": 30, "not_attempted": 30}
    assert len(ran.changes) == 3


@pytest.mark.parametrize("code", ["ParameterInvalid", "Strange"])
def test_one_refused_batch_does_not_stop_the_others(
    module: Direct, cloud: LocalCloud, ids: list[str], code: str
) -> None:
    cloud.faults.add(faults.error(PUT, status=400, code=code, message="No."))
    ran = module(RETRY, ALL)
    assert ran.failed
    assert ran.outcomes() == {"refused": 10, "accepted": 15}
    error = ran.by_id()[ids[0]]["error"]
    assert error["code"] == code
    assert error["request_id"] == ran.changes[0].request_id


def test_a_service_that_refuses_ids_that_healed_loses_no_other(
    module: Direct, cloud: LocalCloud, shipper: TaskList
) -> None:
    cloud.world.sls.configure(unknown_ids="refuse")
    ids = shipper.add_tasks(count=25, age={"from": "9h", "to": "1h"}, **BUSY)
    shipper.add_event(after=READ, count=1, do="heal", tasks=[ids[0]])
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"refused": 10, "accepted": 15}


def test_retries_that_ram_denies_cost_one_request(ansible: Ansible, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.world.change_account(KEY_ID, deny=(PUT,))
    ran = ansible(RETRY, ALL)
    assert ran.failed
    assert ran["changed"] is False
    assert ran.outcomes() == {"refused": 10, "not_attempted": 15}
    assert len(ran.changes) == 1
    assert "log:RetryShipperTask" in ran.msg


def test_an_expired_token_amid_the_retries_stops_the_run(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.error(PUT, status=401, code="SecurityTokenExpired", skip=1, times=FOREVER))
    ran = module(RETRY, ALL)
    assert ran.outcomes() == {"accepted": 10, "refused": 10, "not_attempted": 5}
    assert len(ran.changes) == 2


@pytest.mark.parametrize("dialect", ["seed000", "seed001"])
def test_a_shipper_that_is_deleted_in_mid_run_does_not_hold_up_others(
    module: Direct, cloud: LocalCloud, dialect: str
) -> None:
    cloud.world.sls.configure(dialect=dialect)
    doomed = cloud.world.add_shipper("shop", "access", "doomed")
    doomed.add_tasks(count=25, age="9h", **BUSY)
    doomed.add_event(after=PUT, count=1, do="vanish")
    other = cloud.world.add_shipper("shop", "access", "other").add_tasks(count=3, **BUSY)
    ran = module(RETRY, {"project": "shop", "all_failed": True})
    assert ran.outcomes() == {"accepted": 13, "refused": 10, "not_attempted": 5}
    assert {ran.by_id()[one]["outcome"] for one in other} == {"accepted"}
    assert len(ran.changes) == 3


def test_a_shipper_that_is_deleted_as_the_reply_is_lost_does_not_hold_up_others(
    module: Direct, cloud: LocalCloud
) -> None:
    doomed = cloud.world.add_shipper("shop", "access", "doomed")
    doomed.add_tasks(age="9h", **BUSY)
    doomed.add_event(after=PUT, count=1, do="vanish")
    (other,) = cloud.world.add_shipper("shop", "access", "other").add_tasks(**BUSY)
    cloud.faults.add(faults.reset(PUT, effect="after"))
    ran = module(RETRY, {"project": "shop", "all_failed": True})
    assert ran.by_id()[other]["outcome"] == "accepted"


# -- time -------------------------------------------------------------------------------------------------------------


def test_the_service_is_left_alone_for_as_long_as_it_asks(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    cloud.faults.add(faults.throttle(PUT, retry_after=1))
    first, second, *_ignored = module(RETRY, ALL).changes
    assert second.time - first.time >= 0.95


def test_rate_limit_spaces_all_requests(module: Direct, cloud: LocalCloud, ids: list[str]) -> None:
    arrived = module(RETRY, {**ALL, "rate_limit": 10, "concurrency": 3}).arrived
    assert arrived[-1].time - arrived[0].time >= 0.25


class Dripping:
    """A server whose reply never gets beyond its head: a byte at a time, or one interim reply after the other."""

    def __init__(self, piece: bytes) -> None:
        self.pieces = 0
        self._piece = piece
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ignored = self._socket.accept()
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 ")
            while self.pieces < self.most:
                connection.sendall(self._piece)
                self.pieces += 1
                time.sleep(0.3)

    most = 20

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)


@pytest.mark.parametrize("piece", [b"2", b"100 Continue\r\n\r\nHTTP/1.1 "], ids=["bytes", "interim replies"])
def test_a_head_that_drips_is_not_listened_to_for_ever(module: Direct, piece: bytes) -> None:
    server = Dripping(piece)
    options = {**WHERE, "endpoint": f"http://127.0.0.1:{server.port}", "timeout": 1, "max_attempts": 1}
    ran = module(INFO, options, all_arrive=False)
    server.close()
    assert ran.failed
    assert server.pieces < server.most
