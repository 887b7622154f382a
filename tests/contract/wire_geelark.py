# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of GeeLark in full control of every byte that matters. The vendor has no SDK: the rule of its pages signs."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from contract.wire import Headers, Reply, exchange
from local_cloud.testing import LocalCloud

APP_ID, API_KEY, TOKEN = "testAppId0000000000000001", "testApiKey/+=000000000000001", "testBearerToken0000000000001"
QUERY, HISTORY, RESTART = "task/query", "task/historyRecords", "task/restart"


@dataclass(frozen=True)
class Envelope:
    """What came back, with the parts of the envelope at hand."""

    reply: Reply

    @property
    def json(self) -> Any:
        return self.reply.json

    @property
    def code(self) -> int:
        assert isinstance(self.json["code"], int)
        return int(self.json["code"])

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def items(self) -> Any:
        return self.data["items"]

    @property
    def ids(self) -> list[str]:
        return [task["id"] for task in self.items]

    @property
    def failed(self) -> dict[str, int]:
        """The codes of failDetails by id."""
        return {one["id"]: one["code"] for one in self.data["failDetails"]}


def key_headers(
    *,
    app_id: str = APP_ID,
    api_key: str = API_KEY,
    trace_id: str | None = None,
    at: float | None = None,
    ts: str | None = None,
    nonce: str | None = None,
    sign: str | None = None,
) -> dict[str, str]:
    """The headers of key mode; `ts`, `nonce` and `sign` replace what would be right."""
    trace_id = str(uuid.uuid4()) if trace_id is None else trace_id
    stamp = str(int((time.time() if at is None else at) * 1000)) if ts is None else ts
    first = trace_id[:6] if nonce is None else nonce
    right = hashlib.sha256(f"{app_id}{trace_id}{stamp}{first}{api_key}".encode()).hexdigest().upper()
    return {"appId": app_id, "traceId": trace_id, "ts": stamp, "nonce": first, "sign": right if sign is None else sign}


def token_headers(token: str = TOKEN, *, trace_id: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "traceId": str(uuid.uuid4()) if trace_id is None else trace_id}


def call(
    cloud: LocalCloud,
    operation: str,
    content: object = None,
    *,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    target: str | None = None,
    media: str | None = "application/json",
    body: bytes | None = None,
    also: Headers | None = None,
) -> Envelope:
    """One call, by token unless `headers` say otherwise; `body` replaces the content, `also` adds headers."""
    raw = json.dumps({} if content is None else content).encode() if body is None else body
    sent = [("Host", "127.0.0.1"), ("Content-Length", str(len(raw)))]
    sent += [("Content-Type", media)] if media is not None else []
    sent += list((token_headers() if headers is None else headers).items()) + (also or [])
    return Envelope(exchange(cloud, method, f"/open/v1/{operation}" if target is None else target, sent, raw))


def query(cloud: LocalCloud, *ids: str, **more: Any) -> Envelope:
    return call(cloud, QUERY, {"ids": ids}, **more)


def history(cloud: LocalCloud, **parameters: object) -> Envelope:
    return call(cloud, HISTORY, parameters)


def restart(cloud: LocalCloud, *ids: str, **more: Any) -> Envelope:
    return call(cloud, RESTART, {"ids": ids}, **more)
