# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our client puts on the wire for GeeLark is what the vendor's pages show. The vendor has no SDK to compare with.

The headers of a signed call are those of the vectors, of which the first is the vendor's own worked example.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.redrive.tasks.plugins.module_utils._attempts import Caller, Counters, RateLimiter
from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._endpoint import Endpoint
from ansible_collections.redrive.tasks.plugins.module_utils._fronts.geelark import signer
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._services.geelark import GeelarkService
from ansible_collections.redrive.tasks.plugins.module_utils._signing.geelark import AppKey, Credential, Token
from ansible_collections.redrive.tasks.plugins.module_utils._task import State, Task, Window

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "geelark_sign.json").read_text())["vectors"]
# They come from the HTTP library or name the program; the service reads none of them.
LIBRARY = {"user-agent", "accept", "accept-encoding", "connection", "host", "content-length"}
TRACE_ID = "db6094ab-3797-4186-84d5-b0b58eebad56"

Seen = list[tuple[str, list[tuple[str, str]], Any]]


class Recorder(BaseHTTPRequestHandler):
    """Keeps the request as it arrives and answers with what every call here can read."""

    seen: Seen

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        self.seen.append((self.requestline, headers, json.loads(body)))
        reply = b'{"traceId": "t", "code": 0, "msg": "success", "data": {"total": 0, "items": null}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        """Stay quiet."""


@pytest.fixture
def recorder() -> Iterator[tuple[int, Seen]]:
    """A server's port, and what it saw."""
    seen: Seen = []
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (Recorder,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port, seen
    server.shutdown()
    server.server_close()


def service(port: int, credential: Credential, *, now: float, trace_id: str) -> GeelarkService:
    clock = Clock()
    caller = Caller(
        transport=Transport(timeout=10, verify=True, clock=clock, use_proxies=False),
        sign=signer(credential, lambda: now, lambda: trace_id),
        max_attempts=1,
        limiter=RateLimiter(None, clock),
        clock=clock,
        random=lambda: 0.0,
        counters=Counters(),
        masker=Masker(),
    )
    return GeelarkService(caller, Endpoint("http", "127.0.0.1", port), clock=clock, warn=lambda text: None)


def own(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in headers if name not in LIBRARY)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_signed_call_carries_the_headers_of_the_vector(recorder: tuple[int, Seen], vector: dict[str, Any]) -> None:
    port, seen = recorder
    key = AppKey(vector["app_id"], vector["api_key"])
    one = service(port, key, now=int(vector["ts"]) / 1000, trace_id=vector["trace_id"])
    list(one.find_tasks(["1"], Window(0, 1)))
    assert own(seen[0][1]) == sorted((name.lower(), value) for name, value in vector["headers"].items())


def test_the_calls(recorder: tuple[int, Seen]) -> None:
    port, seen = recorder
    one = service(port, Token("secret"), now=0, trace_id=TRACE_ID)
    list(one.list_tasks(Window(0, 1), frozenset({State.FAILED})))
    list(one.find_tasks(["123321", "456654"], Window(0, 1)))
    one.retry([Task(task_id, (), "4", State.FAILED) for task_id in ("123321", "456654")])
    ids = {"ids": ["123321", "456654"]}
    assert [(line, body) for line, _ignored, body in seen] == [
        ("POST /open/v1/task/historyRecords HTTP/1.1", {"size": 100}),
        ("POST /open/v1/task/query HTTP/1.1", ids),
        ("POST /open/v1/task/restart HTTP/1.1", ids),
    ]
    for _ignored, headers, _body in seen:
        assert own(headers) == [
            ("authorization", "Bearer secret"),
            ("content-type", "application/json"),
            ("traceid", TRACE_ID),
        ]
