# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our client puts on the wire is what the vendor's own SDK puts there, to the byte where the service looks.

The captures were made with aliyun-log-python-sdk 0.9.52 at a frozen time; each file says how.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._services.sls import SlsService
from ansible_collections.redrive.tasks.plugins.module_utils._signing.sls import AccessKey, sign_v1, sign_v4
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NOW = 1_700_000_000
HOST = "cn-hangzhou.log.aliyuncs.com"
# They come from the HTTP library or name the program; the service reads none of them.
LIBRARY = {"user-agent", "accept", "accept-encoding", "connection"}

Call = Callable[[SlsService], Any]


class FrozenClock(Clock):
    """The time at which the captures were made."""

    def time(self) -> float:
        return NOW


class Recorder(BaseHTTPRequestHandler):
    """Keeps the request as it arrives and answers with what every call here can read."""

    seen: list[tuple[str, dict[str, str], bytes]]

    def _record(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.requestline, {name.lower(): value for name, value in self.headers.items()}, body))
        reply = b'{"count": 0, "total": 0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_PUT = _record

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[tuple[str, dict[str, str], bytes]]]]:
    """A server that the vendor's host name leads to; its port and what it saw."""
    seen: list[tuple[str, dict[str, str], bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (Recorder,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: resolve("127.0.0.1" if str(host).endswith(HOST) else host, *rest, **more),
    )
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


def load(name: str) -> dict[str, dict[str, Any]]:
    return {capture["name"]: capture for capture in json.loads((CAPTURES / name).read_text())["captures"]}


def service(port: int, capture: str, *, logstore: str | None) -> SlsService:
    key = AccessKey(
        "testAccessKeyId", "testAccessKeySecret", "testStsToken/with+chars==.v1" if "STS" in capture else None
    )

    def sign(request: Request) -> Request:
        return sign_v4(request, key, NOW, region="cn-hangzhou") if "v4" in capture else sign_v1(request, key, NOW)

    clock = FrozenClock()
    caller = Caller(
        transport=Transport(timeout=10, verify=True, clock=clock, use_proxies=False),
        sign=sign,
        max_attempts=1,
        limiter=RateLimiter(None, clock),
        clock=clock,
        random=lambda: 0.0,
        counters=Counters(),
        masker=Masker(),
    )
    return SlsService(
        caller,
        Endpoint("http", HOST, port),
        project="ali-test-project",
        logstore=logstore,
        shipper="test-shipper" if logstore else None,
        clock=clock,
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
    recorder: tuple[int, list[tuple[str, dict[str, str], bytes]]],
    file: str,
    name: str,
    call: Call,
    logstore: str | None,
) -> None:
    port, seen = recorder
    expected = load(file)[name]["requests"][0]
    call(service(port, name, logstore=logstore))
    line, headers, body = seen[0]
    assert line == expected["request_line"]
    assert body.decode() == expected["body_utf8"]
    wanted = {header.lower(): value for header, value in expected["headers"]}
    assert {name: value for name, value in headers.items() if name not in LIBRARY} == {
        name: value for name, value in wanted.items() if name not in LIBRARY
    }
