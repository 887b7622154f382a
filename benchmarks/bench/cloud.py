# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud as a process of its own: what is in it, and what has arrived there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY_ID, SECRET = "testAccessKeyId", "testAccessKeySecret"
PROJECT, LOGSTORE, SHIPPER = "shop", "access", "to-oss"
CLS_SHIPPER = "57f5808c-4a55-11eb-b378-0242ac130002"
REGION = "ap-guangzhou"
# The operations that retry, by service.
RETRY = {"sls": "RetryShipperTask", "cls": "RetryShipperTask"}

ROOT = Path(__file__).parents[2]
_SECONDS = 3 * 3600


@dataclass(frozen=True)
class Seen:
    """What a run looked like from the cloud.

    :ivar requests: all that arrived
    :ivar calls: those of them that were to retry something
    :ivar refused: those of the calls that came too fast for the service
    :ivar retried: tasks of which a retry took effect
    :ivar twice: tasks of which more than one did, or that were sent again after one had
    :ivar strange: retries that no careful client would have sent
    :ivar span: seconds from the first of the calls to the last
    """

    requests: int
    calls: int
    refused: int
    retried: int
    twice: int
    strange: int
    span: float

    @property
    def rate(self) -> float | None:
        """Calls that were served in a second; None for too few."""
        served = self.calls - self.refused
        return (served - 1) / self.span if served > 1 and self.span > 0 else None


class Cloud:
    """A context manager."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "local_cloud", "--max-seconds", str(_SECONDS)]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        ready = json.loads(self._process.stdout.readline())
        self.url: str = ready["url"]
        self.port: int = ready["port"]

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def fill(self, service: str, tasks: int, latency_ms: int) -> None:
        """Start anew with so many failed tasks, and with CLS's published limit."""
        self._control("POST", "scenario", scenario(service, tasks, latency_ms))

    def task_ids(self) -> list[str]:
        """The failed tasks."""
        return [task.get("id") or task["TaskId"] for task in self._control("GET", "tasks")]

    def seen(self, service: str) -> Seen:
        """What has arrived since it was filled."""
        summary = self._control("GET", "summary")
        requests = self._control("GET", "requests")
        calls = [one for one in requests if one["operation"] == RETRY[service]]
        times = [one["time"] for one in calls]
        return Seen(
            requests=len(requests),
            calls=len(calls),
            refused=summary["throttled"],
            retried=summary["retries_executed"],
            twice=len(summary["tasks_executed_more"]),
            strange=len(summary["violations"]),
            span=max(times, default=0.0) - min(times, default=0.0),
        )

    def _control(self, method: str, name: str, content: object = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/_cloud/{name}", body, method=method)  # noqa: S310 - ours
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            return json.loads(reply.read())


def scenario(service: str, tasks: int, latency_ms: int) -> Mapping[str, object]:
    """So many failed tasks of one shipper, all of which a retry can heal; the limit that CLS publishes is in force."""
    group = {"count": tasks, "age": {"from": "40h", "to": "5m"}, "message": "InternalError: please try again."}
    sls = [{**group, "code": "InternalServerError"}] if service == "sls" and tasks else []
    cls = [group] if service == "cls" and tasks else []
    return {
        "accounts": [{"access_key_id": KEY_ID, "access_key_secret": SECRET}],
        "latency": latency_ms / 1000,
        "sls": {"projects": {PROJECT: {"logstores": {LOGSTORE: {"shippers": {SHIPPER: {"tasks": sls}}}}}}},
        "cls": {"published_limit": True, "shippers": {CLS_SHIPPER: {"tasks": cls}}},
    }
