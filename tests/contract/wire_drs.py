# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to DRS and IAM in full control of every byte, with a token or signed here."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from contract import wire
from local_cloud.services.drs_jobs import DOMAIN, Project
from local_cloud.testing import LocalCloud

PROJECT = "054babbbde80d4602f5cc0043a40ed8c"
OTHER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
USER, PASSWORD = "tester", "DUMMY-PASSWORD"
KEY, SECRET = "AKEXAMPLE0000000TEST", "sk+Example/Secret=Key0000000000000000test"
TEMPORARY = ("TEMPORARY00000000001", "temporarySecret", "temporary-security-token==")
Headers = list[tuple[str, str]]


class Reply(wire.Reply):
    @property
    def code(self) -> str:
        return str(self.json["error_code"])

    @property
    def message(self) -> str:
        return str(self.json["error_msg"])

    @property
    def outcomes(self) -> dict[str, str]:
        """Of a batch: by id the status, or the code of the error if there is one."""
        return {one["id"]: one.get("error_code") or one["status"] for one in self.json["results"]}


def furnish(cloud: LocalCloud) -> Project:
    """A project with a user, two pairs of keys, and a second project that belongs to the user too."""
    drs = cloud.world.drs
    project = drs.add_project(PROJECT, "eu-de")
    drs.add_project(OTHER, "eu-de_other")
    drs.add_user(USER, PASSWORD)
    cloud.world.add_account(KEY, SECRET)
    cloud.world.add_account(TEMPORARY[0], TEMPORARY[1], security_token=TEMPORARY[2])
    return project


def token_for(cloud: LocalCloud, project_id: str | None = PROJECT) -> str:
    """A token as somebody got it before."""
    return cloud.world.drs.add_token(cloud.world.drs.identity.users[0], project_id)


def exchange(cloud: LocalCloud, method: str, target: str, headers: Headers, body: bytes = b"") -> Reply:
    reply = wire.exchange(cloud, method, target, headers, body)
    return Reply(reply.status, reply.headers, reply.body)


def send(
    cloud: LocalCloud,
    method: str,
    target: str,
    content: object = None,
    *,
    token: str | None = None,
    also: Headers | None = None,
    content_type: str = "application/json",
) -> Reply:
    """A request with a token (none if it is empty; by default a good one); content: JSON, or bytes as they are."""
    body = _bytes(content)
    headers = [("Host", f"127.0.0.1:{cloud.port}"), ("Content-Length", str(len(body)))]
    if body:
        headers.append(("Content-Type", content_type))
    if token != "":
        headers.append(("X-Auth-Token", token or token_for(cloud)))
    return exchange(cloud, method, target, headers + (also or []), body)


def post(cloud: LocalCloud, name: str, content: object, *, project: str = PROJECT, **more: Any) -> Reply:
    """`jobs`, or one of the calls below it."""
    return send(cloud, "POST", f"/v3/{project}/{name}", content, **more)


def retry(cloud: LocalCloud, *ids: str, **more: Any) -> Reply:
    return post(cloud, "jobs/batch-retry-task", {"jobs": [{"job_id": one} for one in ids]}, **more)


def status(cloud: LocalCloud, *ids: str, **page_req: int) -> Reply:
    """batch-status of all these ids, unless a page is asked for."""
    return post(cloud, "jobs/batch-status", {"jobs": ids, "page_req": page_req or {"cur_page": 1, "per_page": 0}})


def listing(cloud: LocalCloud, **members: object) -> Reply:
    content = {"cur_page": 1, "per_page": 100, "db_use_type": "migration", **members}
    return post(cloud, "jobs", {name: value for name, value in content.items() if value is not None})


def login(
    cloud: LocalCloud,
    password: str = PASSWORD,
    *,
    scope: object = "project",
    user: Mapping[str, object] | None = None,
    query: str = "",
) -> Reply:
    """A request for a token, of the one project unless the scope is another, or None."""
    named = {"name": USER, "domain": {"name": DOMAIN}} if user is None else user
    auth: dict[str, object] = {
        "identity": {"methods": ["password"], "password": {"user": {**named, "password": password}}}
    }
    if scope is not None:
        auth["scope"] = {"project": {"id": PROJECT}} if scope == "project" else scope
    return send(cloud, "POST", f"/v3/auth/tokens{query}", {"auth": auth}, token="")


# -- AK/SK ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signed:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def send(self, cloud: LocalCloud, **changed: str) -> Reply:
        """Sends it; `changed` replaces headers by name, with `_` for `-`, after signing."""
        headers = [(name, changed.get(name.lower().replace("-", "_"), value)) for name, value in self.headers]
        return exchange(cloud, self.method, self.target, headers, self.body)


def signed(
    cloud: LocalCloud,
    method: str,
    target: str,
    content: object = None,
    *,
    key: str = KEY,
    secret: str = SECRET,
    security_token: str | None = None,
    at: float | None = None,
    date: str | None = None,
    names: tuple[str, ...] | None = None,
) -> Signed:
    """A request signed by the form `Access=`; `names`: the signed headers, if not all that are there."""
    body = _bytes(content)
    moment = time.gmtime(time.time() if at is None else at)
    headers = {
        "content-type": "application/json",
        "host": f"127.0.0.1:{cloud.port}",
        "x-sdk-date": date or time.strftime("%Y%m%dT%H%M%SZ", moment),
    }
    if security_token is not None:
        headers["x-security-token"] = security_token
    listed = sorted(headers) if names is None else list(names)
    path, _ignored, query = target.partition("?")
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in listed)
    canonical = "\n".join(
        [method, quote(path) + "/", query, lines, ";".join(listed), hashlib.sha256(body).hexdigest()],
    )
    text = f"SDK-HMAC-SHA256\n{headers['x-sdk-date']}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    authorization = f"SDK-HMAC-SHA256 Access={key}, SignedHeaders={';'.join(listed)}, Signature={signature}"
    pairs = (*headers.items(), ("content-length", str(len(body))), ("authorization", authorization))
    return Signed(method, target, pairs, body)


def signed_retry(cloud: LocalCloud, *ids: str, **more: Any) -> Signed:
    content = {"jobs": [{"job_id": one} for one in ids]}
    return signed(cloud, "POST", f"/v3/{PROJECT}/jobs/batch-retry-task", content, **more)


def _bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return b"" if content is None else json.dumps(content).encode()
