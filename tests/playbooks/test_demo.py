# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo` does what it promises."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "demo" / "run.py"


def test_demo_runs_green_and_says_what_it_promises(tmp_path: Path) -> None:
    environ = {**os.environ, "BUILD": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(DEMO)], env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    output = done.stdout
    assert done.returncode == 0, output + done.stderr
    for promised in (
        "380 shipping tasks failed, of 5 shipping rules in 2 projects.",
        "380 failed tasks in 2 targets: 228 would be retried, 152 left for a person.",
        "228 of 380 failed tasks retried: 222 recovered, 6 failed again, 0 not seen to end.",
        "For a person, most urgent first:",
        "To do: The account that owns the bucket is in arrears.",
        "refused 3 for coming too fast",
        "228 tasks that a retry can heal: 228 retried exactly once.",
        "152 other tasks: 0 retried.",
        "0 retries of tasks that were not failed.",
        f"Report: {tmp_path / 'demo' / 'report.md'}",
    ):
        assert promised in output
    assert "demoAccessKeySecret" not in output + done.stderr
    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) < 200
    assert len(output.splitlines()) < 120
    assert "228 of 380 failed tasks retried" in (tmp_path / "demo" / "report.md").read_text()
    address = re.search(r"http://(127\.0\.0\.1):(\d+)", output)
    assert address
    with pytest.raises(ConnectionRefusedError):  # nothing is left running
        socket.create_connection((address[1], int(address[2])), timeout=5)
