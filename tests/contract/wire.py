# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests in full control of every byte that matters, signed by the vendor's own SDK."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aliyun.log.auth import make_auth
from aliyun.log.credentials import StaticCredentialsProvider

from local_cloud.testing import LocalCloud

KEY, SECRET = "testAccessKeyId", "testAccessKeySecret"
TASKS = "/logstores/l/shipper/s/tasks"
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["errorCode"])

    @property
    def message(self) -> str:
        return str(self.json["errorMessage"])


@dataclass(frozen=True)
class Signed:
    """A request as the SDK would send it, open to changes after signing."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def pairs(self, *, drop: str = "", also: Headers | None = None, **changed: str) -> Headers:
        """The headers; `changed` by name with `_` for `-`, `drop` leaves one out, `also` adds some at the end."""
        values = {name.lower().replace("-", "_"): value for name, value in changed.items()}
        kept = [(name, value) for name, value in self.headers.items() if name.lower() != drop.lower()]
        return [(name, values.get(name.lower().replace("-", "_"), value)) for name, value in kept] + (also or [])


def signed(
    method: str = "GET",
    path: str = TASKS,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    host: str = "p.127.0.0.1",
    version: str = "v1",
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    region: str = "cn-hangzhou",
) -> Signed:
    params = dict(query or {})
    headers = {
        "Host": host,
        "Content-Length": str(len(body)),
        "x-log-bodyrawsize": str(len(body)),
        "x-log-apiversion": "0.6.0",
    }
    if body:
        headers["Content-Type"] = "application/json"
    auth = make_auth(StaticCredentialsProvider(key, secret, token), version, region)
    auth.sign_request(method, path, params, headers, body)
    return Signed(method, f"{path}?{urlencode(params)}" if params else path, headers, body)


def retry_of(*ids: object, **more: Any) -> Signed:
    return signed("PUT", body=json.dumps(ids).encode(), **more)


def listing(at: float | None = None, *, drop: str = "", hours: float = 47, **query: object) -> Signed:
    """GetShipperStatus over the last hours; arguments replace or add query parameters."""
    now = int(time.time() if at is None else at)
    values = {"from": str(now - int(hours * 3600)), "to": str(now + 60), "status": "", "offset": "0", "size": "100"}
    values.update({name.rstrip("_"): str(value) for name, value in query.items()})
    values.pop(drop, None)
    return signed(query=values)


def exchange(cloud: LocalCloud, method: str, target: str, headers: Headers, body: bytes = b"") -> Reply:
    """One request with exactly these headers, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        return Reply(response.status, response.msg, response.read())
    finally:
        connection.close()


def send(cloud: LocalCloud, request: Signed, **changes: Any) -> Reply:
    return exchange(cloud, request.method, request.target, request.pairs(**changes), request.body)


def bytes_of(request: Signed) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.pairs())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


def connect(cloud: LocalCloud, request: Signed) -> socket.socket:
    """A bare socket on which the request was sent and nothing was read."""
    connection = socket.create_connection(("127.0.0.1", cloud.port), timeout=20)
    connection.sendall(bytes_of(request))
    return connection


def eventually(condition: Callable[[], object]) -> bool:
    """Waits until something that is bound to happen has happened."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
