# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds the guard rails to what was found for all targets, and shows the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._action import (
    OptionError,
    Result,
    RoleAction,
    flag,
    hosts_of_the_play,
    now,
    number,
    whole_number,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import Frame, approved
from ansible_collections.redrive.tasks.plugins.plugin_utils._files import read
from ansible_collections.redrive.tasks.plugins.plugin_utils._guards import Limits, Seen, holds
from ansible_collections.redrive.tasks.plugins.plugin_utils._run import differing, document_of, found_by
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen_text import plan_lines
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import gist

_OPTIONS: Mapping[str, Any] = {
    "max_total": {"type": "raw", "default": None},
    "max_percent": {"type": "raw", "default": None},
    "expiry_warning": {"type": "raw", "default": 6},
    "preview": {"type": "raw", "default": False},
    "approved": {"type": "path", "default": ""},
    "approved_digest": {"type": "str", "default": ""},
    "only_check": {"type": "bool", "default": False},
}


class ActionModule(RoleAction):
    options = _OPTIONS

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        if args["only_check"]:
            plan = approved(read("plan_approved", args["approved"]), args["approved"], args["approved_digest"])
            return {"msg": f"The plan of {plan['ended']} is as it was written."}
        limits = Limits(whole_number(args, "max_total"), number(args, "max_percent", most=100))
        preview = flag(args, "preview", False) or self._task.check_mode
        hosts = _all_hosts(task_vars)
        seen = [Seen(host, found_by(known)) for host, known in hosts.items() if "tasks" in found_by(known)]
        held = holds(seen, limits)
        kind = "preview" if preview else "plan"
        expiry_warning = number(args, "expiry_warning")
        expiry_warning = 6 if expiry_warning is None else expiry_warning
        frame = Frame(kind, now(), now(), by={}, expiry_warning=expiry_warning)
        content = document_of(hosts, frame, held=held)
        say(["", *plan_lines(content), ""])
        return {
            "msg": gist(content),
            "held": held,
            "totals": content["totals"],
            "expiry_warning": expiry_warning,
            "drawn_up": now(),
            "preview": preview,
        }


def _all_hosts(task_vars: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The hosts of the play, which are worked on at once and alike.

    :raises OptionError: they are not
    """
    if task_vars["ansible_play_batch"] != task_vars["ansible_play_hosts"]:
        raise OptionError(
            "The play works on its hosts part by part, so no limit and no report could be that of all: nothing was"
            " retried. Take serial out of the play."
        )
    hosts = hosts_of_the_play(task_vars)
    said = differing(hosts)
    if said:
        raise OptionError(
            f"{said}, but it holds for the whole run: nothing was retried. Set it for the group redrive_targets or with"
            " -e, or run the groups one by one, with --limit."
        )
    return hosts
