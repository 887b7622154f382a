# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is ended from outside sends nothing more, and tells what it did."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import running
from local_cloud import faults
from local_cloud.faults import FOREVER
from local_cloud.testing import LocalCloud
from modules.harness import hold_to_contract_of
from modules.services import SERVICES, Service

PREFIX = "ansible_collections.redrive.tasks.plugins.modules."
# Whoever started the tests in the background may have them ignore an interruption, and that is inherited.
START = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
runpy.run_module(sys.argv.pop(), run_name="__main__")
"""


@pytest.fixture(params=SERVICES, ids=str)
def service(request: pytest.FixtureRequest, cloud: LocalCloud) -> Service:
    chosen: Service = request.param
    chosen.prepare(cloud)
    return chosen


class Run:
    """A module in a process of its own, as Ansible starts it."""

    def __init__(self, cloud: LocalCloud, service: Service, home: Path, **options: Any) -> None:
        self._cloud, self._service = cloud, service
        self._options = {**service.defaults(cloud), **service.all_failed(**options)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, PREFIX + service.act],
            env=running.environ(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": self._options}))
        self._process.stdin.close()
        self._process.stdin = None

    def interrupted(self, number: signal.Signals, when: Callable[[], bool]) -> dict[str, Any]:
        """The result of the module that got this signal at that moment."""
        for _look in range(3000):
            if when():
                break
            assert self._process.poll() is None, "it ended too early"
            time.sleep(0.01)
        self._process.send_signal(number)
        sent = time.monotonic()
        output, errors = self._process.communicate(timeout=30)
        assert time.monotonic() - sent < 10
        assert output, errors
        result: dict[str, Any] = json.loads(output)
        hold_to_contract_of(result, output + errors, self._service, self._options, self._cloud)
        return result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_what_was_done_is_told_and_nothing_more_is_sent(
    cloud: LocalCloud, service: Service, tmp_path: Path, number: signal.Signals
) -> None:
    count = service.batch * 40
    service.add(cloud, count=count, **service.transient)
    cloud.faults.add(faults.late(service.retry, delay=0.2, times=FOREVER))
    run = Run(cloud, service, tmp_path, fail_on=[])
    result = run.interrupted(number, lambda: len(cloud.calls(service.retry)) >= 3)
    assert result["failed"]
    assert f"interrupted by {number.name}" in result["msg"]
    counts = result["counts"]
    assert counts["accepted"] >= service.batch * 2
    assert counts["not_attempted"] >= service.batch
    assert counts["accepted"] + counts["not_attempted"] == count
    assert sum(cloud.executed().values()) == counts["accepted"]


def test_waiting_ends_at_once(cloud: LocalCloud, service: Service, tmp_path: Path) -> None:
    service.add(cloud, count=2, queued_reads=1000, **service.transient)
    run = Run(cloud, service, tmp_path, wait=True, wait_interval=60)
    result = run.interrupted(signal.SIGTERM, lambda: sum(cloud.executed().values()) == 2)
    assert result["failed"]
    assert result["changed"]
    assert result["counts"]["accepted"] == 2
    assert result["problems"]["timed_out"] == 2


def test_a_listing_ends_without_anything_sent(cloud: LocalCloud, service: Service, tmp_path: Path) -> None:
    service.add(cloud, count=2, **service.transient)
    cloud.faults.add(faults.throttle(service.lists[0], times=FOREVER, retry_after=60))
    run = Run(cloud, service, tmp_path)
    result = run.interrupted(signal.SIGTERM, lambda: bool(cloud.calls(service.lists[0])))
    assert result["failed"]
    assert "interrupted by SIGTERM" in result["msg"]
    assert not cloud.changes()
