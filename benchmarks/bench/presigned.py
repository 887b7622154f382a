# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests signed beforehand, for a tool that cannot sign: ansible.builtin.uri. Written from the vendors' pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

from bench.cloud import CLS_SHIPPER, KEY_ID, LOGSTORE, PROJECT, REGION, SECRET, SHIPPER

Request = dict[str, Any]
_BATCH = 10
# Either service allows the caller's clock to be off, SLS by 15 minutes and CLS by 5. What is stamped so many seconds
# ahead holds good for nearly twice as long: a loop over 2,000 requests takes a quarter of an hour and more.
_AHEAD = {"sls": 840, "cls": 270}


def retries(service: str, url: str, ids: Sequence[str]) -> list[Request]:
    """A retry of each task, as few requests as the service allows; each with `url`, `method`, `headers` and `body`."""
    stamp = time.time() + _AHEAD[service]
    if service == "cls":
        return [_cls(url, one, int(stamp)) for one in ids]
    return [_sls(url, list(ids[first : first + _BATCH]), stamp) for first in range(0, len(ids), _BATCH)]


def page(url: str, offset: int) -> Request:
    """One page of 500 failed tasks of SLS, to be sent now."""
    now = int(time.time())
    query = {"from": now - 47 * 3600, "offset": offset, "size": 500, "status": "fail", "to": now}
    return _signed_for_sls("GET", url, b"", now, "&".join(f"{name}={value}" for name, value in query.items()))


def _sls(url: str, ids: list[str], stamp: float) -> Request:
    return {**_signed_for_sls("PUT", url, json.dumps(ids).encode(), stamp), "body": ids}


def _signed_for_sls(method: str, url: str, body: bytes, stamp: float, query: str = "") -> Request:
    """`query` in the order in which it is signed, that of its names."""
    target = f"/logstores/{LOGSTORE}/shipper/{SHIPPER}/tasks" + (f"?{query}" if query else "")
    own = {
        "x-log-apiversion": "0.6.0",
        "x-log-bodyrawsize": str(len(body)),
        "x-log-signaturemethod": "hmac-sha1",
    }
    content = {}
    if body:
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
        content = {"Content-Type": "application/json", "Content-MD5": md5}
    date = formatdate(stamp, usegmt=True)
    lines = [method, content.get("Content-MD5", ""), content.get("Content-Type", ""), date]
    lines += [f"{name}:{own[name]}" for name in sorted(own)]
    text = "\n".join([*lines, target]).encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha1).digest()).decode()
    headers = {"Host": f"{PROJECT}.127.0.0.1", "Date": date, "Authorization": f"LOG {KEY_ID}:{signature}"}
    return {"url": url + target, "method": method, "headers": {**headers, **content, **own}}


def _cls(url: str, task_id: str, stamp: int) -> Request:
    content = {"ShipperId": CLS_SHIPPER, "TaskId": task_id}
    host = url.partition("//")[2]
    body = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:{host}\n\ncontent-type;host\n{body}"
    day = time.strftime("%Y-%m-%d", time.gmtime(stamp))
    scope = f"{day}/cls/tc3_request"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{SECRET}".encode()
    for part in (day, "cls", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers = {
        "Host": host,
        "Content-Type": "application/json",
        "X-TC-Action": "RetryShipperTask",
        "X-TC-Version": "2020-10-16",
        "X-TC-Region": REGION,
        "X-TC-Timestamp": str(stamp),
        "Authorization": f"TC3-HMAC-SHA256 Credential={KEY_ID}/{scope},"
        f" SignedHeaders=content-type;host, Signature={signature}",
    }
    return {"url": url, "method": "POST", "headers": headers, "body": content}
