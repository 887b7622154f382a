# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds and judges the failed tasks of one target; against an approved plan, says what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._action import (
    OptionError,
    Result,
    RoleAction,
    also_known,
    now,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._approved import apply, planned_for, to_look_up
from ansible_collections.redrive.tasks.plugins.plugin_utils._document import approved
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import UNDER_WAY, recount
from ansible_collections.redrive.tasks.plugins.plugin_utils._files import read
from ansible_collections.redrive.tasks.plugins.plugin_utils._services import SERVICES
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import (
    ALL_STATES,
    Target,
    find_options,
    look_up_options,
    name_of,
    naming,
    selection_of,
    target_of,
)

_OPTIONS: Mapping[str, Any] = {
    "target": {"type": "dict", "required": True},
    "policy": {"type": "dict", "default": {}},
    "services": {"type": "list", "elements": "str", "default": []},
    "any_state": {"type": "bool", "default": False},
    "approved": {"type": "path", "default": ""},
    "approved_digest": {"type": "str", "default": ""},
}


class ActionModule(RoleAction):
    options = _OPTIONS

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        started = now()
        host = task_vars["inventory_hostname"]
        with also_known(name=name_of(args["target"], host)):
            target = target_of(args["target"], host)
        known = {
            "name": target.name,
            "service": target.kind,
            "place": target.place,
            "started": started,
            "fail_on": target.options.get("fail_on"),
        }
        services = [name.strip() for name in args["services"] if name.strip()]
        unknown = sorted(set(services) - set(SERVICES))
        if unknown:
            raise OptionError(f"There is no service {unknown[0]}, only {', '.join(sorted(SERVICES))}.")
        if services and target.kind not in services:
            return {
                **known,
                "skipped": True,
                "msg": f"Not one of the services that are asked for: {', '.join(services)}.",
            }
        with also_known(**known):
            if args["approved"]:
                return {**known, **self._apply(target, args, task_vars)}
            selection = selection_of(target, args["policy"], started)
            return {**known, "selection": selection, "drift": None, **self._find(target, selection, args, task_vars)}

    def _find(
        self, target: Target, selection: Mapping[str, Any], args: Mapping[str, Any], task_vars: dict[str, Any]
    ) -> Result:
        states = ALL_STATES if args["any_state"] else ("failed",)
        found = self.module(target.service.info, find_options(target, selection, states), task_vars)
        if args["any_state"] and not target.ids_option:
            well = ("succeeded", *UNDER_WAY)
            found["tasks"] = [one for one in found["tasks"] if one["action"] != "none" or one["state"] not in well]
            found["counts"] = recount(found["counts"], found["tasks"])
        return found

    def _apply(self, target: Target, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        plan = approved(read("plan_approved", args["approved"]), args["approved"], args["approved_digest"])
        part = planned_for(target, plan, task_vars["inventory_hostname"])
        selection = part["selection"]
        found = self._find(target, selection, args, task_vars)
        looks = [
            self.module(target.service.info, look_up_options(target, selection, named), task_vars)
            for named in naming(target, to_look_up(part, found["tasks"]), (*part["tasks"], *found["tasks"]))
        ]
        applied = apply(part, found["tasks"], [entry for look in looks for entry in look["tasks"]])
        return {
            **found,
            "selection": selection,
            "drift": applied.drift,
            "tasks": applied.tasks,
            "counts": recount(found["counts"], applied.tasks),
            "warned": [text for look in (found, *looks) for text in look["warned"]],
        }
