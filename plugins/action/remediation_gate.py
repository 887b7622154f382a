# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says whether retries may be sent now: by the calendar, and by a person who is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.display import Display

from ansible_collections.redrive.tasks.plugins.plugin_utils._action import Result, RoleAction, flag, now
from ansible_collections.redrive.tasks.plugins.plugin_utils._calendar import calendar_of
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen_text import question

_YES = ("y", "yes")
# Where one of these is set, a controller or ansible-runner holds the terminal, and nobody reads it.
_JOB = ("awx_job_id", "tower_job_id")
_RUNNER = "AWX_ISOLATED_DATA_DIR"

_OPTIONS: Mapping[str, Any] = {
    "plan": {"type": "dict", "default": {}},
    "confirm": {"type": "raw", "default": True},
    "window": {"type": "list", "elements": "dict", "default": []},
    "freeze": {"type": "list", "elements": "raw", "default": []},
    "timezone": {"type": "str", "default": "UTC"},
    "dry_run": {"type": "raw", "default": False},
    "only_check": {"type": "bool", "default": False},
}


class ActionModule(RoleAction):
    options = _OPTIONS

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        freeze = [day for day in args["freeze"] if day != ""]
        calendar = calendar_of(args["timezone"] or "UTC", args["window"], freeze)
        asks = flag(args, "confirm", True)
        flag(args, "dry_run", False)
        if args["only_check"]:
            return {"msg": "Window, freeze and confirmation can be understood."}
        held = calendar.closed(datetime.fromtimestamp(now(), timezone.utc))
        alone = os.environ.get(_RUNNER) or any(task_vars.get(name) for name in _JOB)
        totals = args["plan"]["totals"]
        if asks and totals["retry"] and not (held or alone or self._task.check_mode):
            held = _ask(question(totals))
        if held:
            say([held])
        return {"held": held, "msg": held or "Retries may be sent now.", "drawn_up": args["plan"]["drawn_up"]}


def _ask(words: str) -> str:
    """Why nothing is to be retried; empty when a person agrees, or nobody is there to be asked."""
    try:
        answer = Display().prompt_until(f"\n{words}")
    except AnsiblePromptNoninteractive:
        return ""
    except AnsiblePromptInterrupt:
        answer = b""
    if answer.decode(errors="replace").strip().lower() in _YES:
        return ""
    return "Nothing was retried, because it was not confirmed. To run without being asked: -e remediate_confirm=false"
