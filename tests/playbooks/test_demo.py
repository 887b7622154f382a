# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo` does what it promises."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "demo" / "run.py"
REPORTS = ("report.html", "report.md", "report.json")


def test_demo_runs_green_and_says_what_it_promises(tmp_path: Path) -> None:
    environ = {**os.environ, "BUILD": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(DEMO)], env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    output = done.stdout
    assert done.returncode == 0, output + done.stderr
    for promised in (
        "346 background tasks in four services have failed or were stopped:",
        "268 in SLS, 34 in CLS, 10 in DRS, 34 in GEELARK.",
        "343 failed or stopped tasks in 4 targets: 275 will be retried, 68 left for a person.",
        "9 left for a person: 存储桶 audit-1250000000 不存在",
        "1 will be retried: paused by a person",
        "275 of 343 failed or stopped tasks retried: 269 recovered, 6 failed again, 0 not seen to end.",
        "For a person, most urgent first:",
        "To do: This is the parent of a dual-active job, which cannot be retried: retry its children,",
        "To do: The post may be public or among the drafts already, and a retry would publish it twice.",
        "74 failed tasks in 4 targets: 0 will be retried, 74 left for a person.",
        "0 of 74 failed tasks retried: 0 recovered, 0 failed again, 0 not seen to end.",
        "refused 2 for coming too fast",
        "275 tasks that a retry can heal: 275 retried exactly once.",
        "72 other tasks: 0 retried.",
        "0 retries of tasks that were not failed.",
        *(f"    {tmp_path / 'demo' / name}\n" for name in REPORTS),
    ):
        assert promised in output
    for secret in ("demoAccessKeySecret", "demoSecretKey", "demoPassword", "demoBearerToken"):
        assert secret not in output + done.stderr
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) < 200
    assert len(output.splitlines()) < 160
    assert "InvalidOssBucket: The bucket shop-orders does not exist." in output
    for name in REPORTS:
        report = (tmp_path / "demo" / name).read_text()
        assert "shop-orders" in report
        assert not re.search("demoAccessKeySecret|demoSecretKey|demoPassword|demoBearerToken", report)
    totals = json.loads((tmp_path / "demo" / "report.json").read_text())["totals"]
    assert [totals[name] for name in ("accepted", "recovered", "failed_again", "left")] == [275, 269, 6, 68]
    assert_gone(output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    environ = {**os.environ, "BUILD": str(tmp_path), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(DEMO)]
    with subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        output = ""
        for line in process.stdout:
            output += line
            if line.startswith("$ ansible-playbook"):
                break
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(60) == 128 + number
    # The playbook has the report's folder among its arguments.
    assert str(tmp_path) not in "".join(command_lines())
    assert_gone(output)


def command_lines() -> Iterator[str]:
    """Of all processes; a zombie has none."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            yield file.read_text(errors="replace")


def assert_gone(output: str) -> None:
    """Nobody listens any more where the demo's cloud did."""
    address = re.search(r"http://(127\.0\.0\.1):(\d+)", output)
    assert address
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address[1], int(address[2])), timeout=5)
