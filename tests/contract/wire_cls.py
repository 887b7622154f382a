# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to CLS in full control of every byte that matters, with a signer of their own."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.wire import Headers, Signed, exchange
from local_cloud.testing import LocalCloud

KEY, SECRET = "testSecretId", "testSecretKey"
STS_KEY, STS_SECRET, STS_TOKEN = "testTmpSecretId", "testTmpSecretKey", "testToken/with+chars==.v1"
SHIPPER = "57f5808c-4a55-11eb-b378-0242ac130002"
TASK = "6ef60bec-0242-43af-bb20-270359fb54a7"
REGION = "ap-guangzhou"
HOUR = 3600 * 1000


@dataclass(frozen=True)
class ClsReply:
    status: int
    content_type: str | None
    body: bytes

    @property
    def response(self) -> dict[str, Any]:
        content: dict[str, dict[str, Any]] = json.loads(self.body)
        return content["Response"]

    @property
    def code(self) -> str | None:
        error = self.response.get("Error")
        return None if error is None else str(error["Code"])

    @property
    def message(self) -> str:
        return str(self.response["Error"]["Message"])

    @property
    def tasks(self) -> list[dict[str, Any]]:
        return self.response["Tasks"] or []

    @property
    def shippers(self) -> list[str]:
        return [shipper["ShipperId"] for shipper in self.response["Shippers"] or []]


def hmac256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def authorization(
    request: Signed, stamp: str, *, key: str, secret: str, service: str, day: str | None, signed: Sequence[str]
) -> str:
    """The value of Authorization for a request that has all other headers."""
    values = {name.lower(): value for name, value in request.headers.items()}
    day = day or time.strftime("%Y-%m-%d", time.gmtime(int(stamp)))
    payload = values.get("x-tc-content-sha256") or request.body.decode()
    lines = [request.method, "/", request.target.partition("?")[2]]
    lines += [f"{name}:{values[name] if name in ('content-type', 'host') else values[name].lower()}" for name in signed]
    lines += ["", ";".join(signed), hashlib.sha256(payload.encode()).hexdigest()]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    derived = hmac256(hmac256(hmac256(f"TC3{secret}".encode(), day), service), "tc3_request")
    scope = f"{day}/{service}/tc3_request"
    signature = hmac256(derived, f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{digest}").hex()
    return f"TC3-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"


def call(
    action: str | None = "RetryShipperTask",
    content: object = None,
    *,
    body: bytes | None = None,
    query: str = "",
    method: str = "POST",
    path: str = "/",
    host: str = "127.0.0.1",
    content_type: str | None = None,
    at: float | None = None,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    region: str | None = REGION,
    version: str | None = "2020-10-16",
    language: str | None = "en-US",
    service: str = "cls",
    day: str | None = None,
    signed: Sequence[str] = ("content-type", "host"),
    extra: dict[str, str] | None = None,
) -> Signed:
    """A signed call; `content` is what goes into the body as JSON, `body` takes its place."""
    if body is None:
        body = b"" if method == "GET" else json.dumps({} if content is None else content).encode()
    usual_type = "application/x-www-form-urlencoded" if method == "GET" else "application/json"
    stamp = str(int(time.time() if at is None else at))
    headers = {
        "Host": host,
        "Content-Type": content_type or usual_type,
        "Content-Length": str(len(body)),
        "X-TC-Timestamp": stamp,
        **(extra or {}),
    }
    optional = {"Action": action, "Version": version, "Region": region, "Token": token, "Language": language}
    headers.update({f"X-TC-{name}": value for name, value in optional.items() if value is not None})
    request = Signed(method, f"{path}?{query}" if query else path, headers, body)
    headers["Authorization"] = authorization(
        request, stamp, key=key, secret=secret, service=service, day=day, signed=signed
    )
    return request


def retry_of(task_id: str, shipper: str = SHIPPER, **more: Any) -> Signed:
    return call("RetryShipperTask", {"ShipperId": shipper, "TaskId": task_id}, **more)


def listing(shipper: str = SHIPPER, *, hours: float = 71, at: float | None = None, **more: Any) -> Signed:
    """DescribeShipperTasks over the last hours, up to a minute from now."""
    now = int((time.time() if at is None else at) * 1000)
    content = {"ShipperId": shipper, "StartTime": now - int(hours * HOUR), "EndTime": now + 60_000}
    return call("DescribeShipperTasks", content, at=at, **more)


def window(start: object, end: object, **more: Any) -> Signed:
    """DescribeShipperTasks from and to these milliseconds."""
    return call("DescribeShipperTasks", {"ShipperId": SHIPPER, "StartTime": start, "EndTime": end}, **more)


def shippers(**content: Any) -> Signed:
    return call("DescribeShippers", content)


def send(cloud: LocalCloud, request: Signed, *, also: Headers | None = None, **changes: Any) -> ClsReply:
    """The reply to a request; `also` and `changes` alter its headers after signing, as `Signed.pairs` does."""
    reply = exchange(cloud, request.method, request.target, request.pairs(also=also, **changes), request.body)
    return ClsReply(reply.status, reply.headers["Content-Type"], reply.body)
