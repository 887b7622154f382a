# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud inside a test process.

with LocalCloud() as cloud:
    cloud.world.add_account("ak", "secret")
    ids = cloud.world.add_shipper("p", "l", "s").add_tasks(count=3, then="fail")
    cloud.faults.add(throttle("RetryShipperTask", times=2))
    ...                       # drive it at cloud.url with Host p.127.0.0.1
    assert cloud.retried() == Counter(ids)
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import yaml

from local_cloud.faults import FaultBook
from local_cloud.gates import Gate, Moment
from local_cloud.server import Cloud, RecordedRequest, Server
from local_cloud.tasks import Clock
from local_cloud.world import Violation, World

Scenario = Union[str, Path, Mapping[str, Any], None]


class LocalCloud:
    """A server on its own thread and event loop; a context manager. Everything may be used from any thread."""

    def __init__(self, scenario: Scenario = None, *, tls: bool = False, clock: Clock | None = None) -> None:
        self._cloud = Cloud(clock)
        self._folder = Path(tempfile.mkdtemp(prefix="local-cloud-"))
        self.ca_file: str | None = None
        context = None
        if tls:
            from local_cloud.tls import server_context

            self.ca_file = str(self._folder / "ca.pem")
            context = server_context(Path(self.ca_file))
        self._server = Server(self._cloud, tls=context)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-cloud", daemon=True)
        if scenario is not None:
            self.load(scenario)

    def __enter__(self) -> LocalCloud:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        for gate in self._cloud.gates:  # a test that failed may have left some shut
            gate.lose()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def load(self, scenario: Scenario) -> None:
        """Starts anew with a scenario: a mapping, or the path of a YAML file."""
        content = scenario if isinstance(scenario, Mapping) else yaml.safe_load(Path(str(scenario)).read_text())
        self._cloud.load(content)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def trap_url(self) -> str:
        """Where to send redirects: whoever comes is found in `trapped`."""
        return f"{self.url}/_cloud/trap"

    @property
    def clock(self) -> Clock:
        return self._cloud.clock

    @property
    def world(self) -> World:
        return self._cloud.world

    @property
    def faults(self) -> FaultBook:
        return self._cloud.faults

    def hold(self, moment: Moment, *, number: int = 1, operation: str = "*") -> Gate:
        """Hold a request that is still to come, see `Gate`."""
        gate = Gate(moment, number=number, operation=operation)
        with self.world.lock:
            self._cloud.gates.append(gate)
        return gate

    @property
    def requests(self) -> list[RecordedRequest]:
        with self.world.lock:
            return list(self._cloud.requests)

    @property
    def trapped(self) -> list[RecordedRequest]:
        with self.world.lock:
            return list(self._cloud.trapped)

    @property
    def violations(self) -> list[Violation]:
        with self.world.lock:
            return list(self.world.violations)

    def calls(self, operation: str) -> list[RecordedRequest]:
        return [request for request in self.requests if request.operation == operation]

    def changes(self) -> list[RecordedRequest]:
        """Every call that may have changed something."""
        return [request for request in self.requests if request.changes]

    def retried(self) -> Counter[str]:
        """How often each task id was sent for a retry, over all calls that reached the server, faults included."""
        return Counter(one for request in self.requests for one in request.ids)

    def executed(self) -> Counter[str]:
        """How often a retry of each task took effect."""
        with self.world.lock:
            return Counter(self.world.executed)

    def summary(self) -> dict[str, Any]:
        return self._cloud.summary()
