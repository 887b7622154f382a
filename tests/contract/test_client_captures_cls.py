# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our client of CLS puts on the wire is what the vendor's own SDK puts there, to the byte where the service looks.

The captures were made with tencentcloud-sdk-python-cls 3.1.192. Our client names neither itself nor a trace, and
always asks for English words; none of these is signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._services.cls import ClsService
from ansible_collections.redrive.tasks.plugins.module_utils._signing.cls import SecretKey, sign_tc3
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window
from contract.recording import NOW, FrozenClock, Recording, caller, captures, own_headers, recording

HOST = "cls.tencentcloudapi.com"
SHIPPER = "57f5808c-4a55-11eb-b378-0242ac130002"
TASK = "6ef60bec-0242-43af-bb20-270359fb54a7"
TOKEN = "testToken/with+chars==.v1"
# What only the SDK sends.
OPTIONAL = {"x-tc-traceid", "x-tc-requestclient"}

Call = Callable[[ClsService], Any]


class EarlierClock(FrozenClock):
    """So far before the captures that the window of theirs, three whole days, is not clamped."""

    def time(self) -> float:
        return NOW - 60


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    with recording(monkeypatch, HOST, b'{"Response": {"RequestId": "r"}}') as kept:
        yield kept


def service(
    port: int, *, token: str | None = None, region: str | None = "ap-guangzhou", shipper_id: str | None = SHIPPER
) -> ClsService:
    key = SecretKey("testSecretId", "testSecretKey", token)
    return ClsService(
        # The SDK's captures were redirected to a port that the Host header, which is signed, does not show.
        caller(lambda request: sign_tc3(request.with_headers({"Host": HOST}), key, NOW)),
        Endpoint("http", HOST, port),
        region=region,
        shipper_id=shipper_id,
        clock=EarlierClock(),
        warn=lambda text: None,
    )


def list_failed(one: ClsService) -> None:
    # Our window begins an hour earlier and ends with its last second.
    list(one.list_tasks(Window(NOW - 3 * 86400 + 3600, NOW - 1), frozenset({State.FAILED})))


def retry(one: ClsService) -> None:
    one.retry([Task(TASK, (("shipper_id", SHIPPER),), "failed", State.FAILED)])


@pytest.mark.parametrize("variant", ["", ", token", ", no region", ", English"])
@pytest.mark.parametrize(("action", "call"), [("DescribeShipperTasks", list_failed), ("RetryShipperTask", retry)])
def test_our_request_equals_the_sdks(recorder: Recording, action: str, call: Call, variant: str) -> None:
    expected = captures(f"cls_{action}.json")[action + variant]["requests"][0]
    token = TOKEN if "token" in variant else None
    call(service(recorder.port, token=token, region=None if "no region" in variant else "ap-guangzhou"))
    line, headers, body = recorder.seen[0]
    assert line == expected["request_line"]
    assert body.decode() == expected["body_utf8"]
    wanted = {**own_headers(dict(expected["headers"])), "x-tc-language": "en-US"}
    assert own_headers(headers) == {name: value for name, value in wanted.items() if name not in OPTIONAL}


def test_our_list_of_shippers_equals_the_sdks_but_for_its_body(recorder: Recording) -> None:
    expected = captures("cls_DescribeShippers.json")["DescribeShippers"]["requests"][0]
    list_failed(service(recorder.port, shipper_id=None))
    line, headers, body = recorder.seen[0]
    assert line == expected["request_line"]
    assert json.loads(body) == {"Offset": 0, "Limit": 100}
    # What the body decides.
    changing = {"authorization", "content-length", *OPTIONAL}
    wanted = {**own_headers(dict(expected["headers"])), "x-tc-language": "en-US"}
    assert {name: value for name, value in own_headers(headers).items() if name not in changing} == {
        name: value for name, value in wanted.items() if name not in changing
    }


def test_the_host_that_is_signed_is_the_host_that_is_sent(recorder: Recording) -> None:
    seen = []
    key = SecretKey("testSecretId", "testSecretKey")

    def sign(request: Any) -> Any:
        seen.append(request.headers["Host"])
        return sign_tc3(request, key, NOW)

    endpoint = Endpoint("http", HOST, recorder.port)
    retry(ClsService(caller(sign), endpoint, region="ap-x", shipper_id=SHIPPER, clock=FrozenClock(), warn=print))
    assert [headers["host"] for _line, headers, _body in recorder.seen] == seen == [f"{HOST}:{recorder.port}"]
