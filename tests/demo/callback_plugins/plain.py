# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows what a play has to say, and nothing of how Ansible goes about it."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: plain
type: stdout
short_description: what a play has to say
description: The lines of debug tasks, changes and failures.
"""

_WIDTH = 118


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "plain"

    def v2_runner_on_ok(self, result: Any) -> None:
        task = getattr(result, "task", None) or result._task
        content = getattr(result, "result", None) or result._result
        if task.action == "ansible.builtin.debug":
            lines = content["msg"]
            _show("", *(lines if isinstance(lines, list) else [lines]), "")
        elif content.get("changed"):
            _show(f"  [changed] {task.get_name().split(' : ')[-1]}")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        content = getattr(result, "result", None) or result._result
        _show(f"  [failed] {content.get('msg', '')}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        for host in sorted(stats.processed):
            numbers = stats.summarize(host)
            _show(f"  [recap] {host}: changed={numbers['changed']} failed={numbers['failures']}")


def _show(*lines: str) -> None:
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        wrapped = textwrap.wrap(line, _WIDTH, subsequent_indent=indent, drop_whitespace=True) or [""]
        sys.stdout.write("\n".join(wrapped) + "\n")
    sys.stdout.flush()
