# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our client of SLS puts on the wire is what the vendor's own SDK puts there, to the byte where the service looks.

The captures were made with aliyun-log-python-sdk 0.9.52.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._services.sls import SlsService
from ansible_collections.redrive.tasks.plugins.module_utils._signing.sls import AccessKey, sign_v1, sign_v4
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request
from contract.recording import NOW, FrozenClock, Recording, caller, captures, own_headers, recording

HOST = "cn-hangzhou.log.aliyuncs.com"

Call = Callable[[SlsService], Any]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    with recording(monkeypatch, HOST, b'{"count": 0, "total": 0}') as kept:
        yield kept


def service(port: int, capture: str, *, logstore: str | None) -> SlsService:
    key = AccessKey(
        "testAccessKeyId", "testAccessKeySecret", "testStsToken/with+chars==.v1" if "STS" in capture else None
    )

    def sign(request: Request) -> Request:
        return sign_v4(request, key, NOW, region="cn-hangzhou") if "v4" in capture else sign_v1(request, key, NOW)

    return SlsService(
        caller(sign),
        Endpoint("http", HOST, port),
        project="ali-test-project",
        logstore=logstore,
        shipper="test-shipper" if logstore else None,
        clock=FrozenClock(),
        warn=lambda text: None,
    )


def list_failed(one: SlsService) -> None:
    list(one.list_tasks(Window(NOW - 86400, NOW), frozenset({State.FAILED})))


def retry_two(one: SlsService) -> None:
    scope = (("project", "ali-test-project"), ("logstore", "test-logstore"), ("shipper", "test-shipper"))
    ids = ("c1411eb7291c77560ba31fc65bc73c52", "ed76e3a4faa56f48a150fa1364c9fdfd")
    one.retry([Task(task_id, scope, "fail", State.FAILED) for task_id in ids])


VARIANTS = ("auth v1", "auth v1, STS token", "auth v4", "auth v4, STS token")
CASES = [
    (file, f"{call}, {variant}", function, logstore)
    for file, call, function, logstore in (
        ("sls_get_shipper_tasks.json", "get_shipper_tasks(size=-1): pages of 500", list_failed, "test-logstore"),
        ("sls_retry_shipper_tasks.json", "retry_shipper_tasks", retry_two, "test-logstore"),
        ("sls_list_shipper.json", "list_logstore", list_failed, None),
    )
    for variant in VARIANTS
]


@pytest.mark.parametrize(("file", "name", "call", "logstore"), CASES, ids=[case[1] for case in CASES])
def test_our_request_equals_the_sdks(
    recorder: Recording, file: str, name: str, call: Call, logstore: str | None
) -> None:
    expected = captures(file)[name]["requests"][0]
    call(service(recorder.port, name, logstore=logstore))
    line, headers, body = recorder.seen[0]
    assert line == expected["request_line"]
    assert body.decode() == expected["body_utf8"]
    assert own_headers(headers) == own_headers(dict(expected["headers"]))
