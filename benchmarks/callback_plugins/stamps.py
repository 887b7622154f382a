# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints how long each item of a loop took, one JSON line for each task: its name and its seconds."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stamps
type: stdout
short_description: Seconds of each item of a loop
description: As its name says.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "stamps"

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0
        self._items: list[float] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._last, self._items = time.monotonic(), []

    def v2_runner_item_on_ok(self, result: Any) -> None:
        now = time.monotonic()
        self._items.append(now - self._last)
        self._last = now

    def v2_runner_on_ok(self, result: Any) -> None:
        sys.stdout.write(json.dumps({"task": _part(result, "task").get_name(), "seconds": self._items}) + "\n")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        sys.stdout.write(json.dumps({"failed": str(_part(result, "result"))}) + "\n")


def _part(result: Any, name: str) -> Any:
    """A part of a task's result, which older Ansible calls by another name."""
    return getattr(result, name, None) or getattr(result, f"_{name}")
