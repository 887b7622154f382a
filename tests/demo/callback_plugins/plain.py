# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows what changed and what failed. What the actions of the roles have to say they say by themselves."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: plain
type: stdout
short_description: what changed and what failed
description: Nothing of how Ansible goes about it.
"""

_RECAP = {"changed": "changed", "failed": "failures"}


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "plain"

    def v2_runner_on_ok(self, result: Any) -> None:
        task = getattr(result, "task", None) or result._task
        if _content(result).get("changed"):
            self._display.display(f"  [changed] {_host(result)}: {task.get_name().split(' : ')[-1]}")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._display.display(f"  [failed] {_content(result).get('msg', '')}")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        numbers = [stats.summarize(host) for host in stats.processed]
        told = (f"{name} {sum(bool(one[key]) for one in numbers)}" for name, key in _RECAP.items())
        self._display.display(f"  [recap] hosts: {', '.join(told)}")


# Their names are without an underscore since ansible-core 2.20.


def _content(result: Any) -> Any:
    return getattr(result, "result", None) or result._result


def _host(result: Any) -> Any:
    return getattr(result, "host", None) or result._host
