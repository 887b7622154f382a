# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries what was found for one target, one task of each cause first where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.redrive.tasks.plugins.plugin_utils._action import (
    ModuleFailed,
    OptionError,
    Result,
    RoleAction,
    flag,
    number,
    succeeded,
    whole_number,
)
from ansible_collections.redrive.tasks.plugins.plugin_utils._canary import canaries, cut_short, follow, merged
from ansible_collections.redrive.tasks.plugins.plugin_utils._entries import Entry, key_of
from ansible_collections.redrive.tasks.plugins.plugin_utils._screen import say
from ansible_collections.redrive.tasks.plugins.plugin_utils._targets import Target, naming, retry_options, target_of
from ansible_collections.redrive.tasks.plugins.plugin_utils._watching import run_watched
from ansible_collections.redrive.tasks.plugins.plugin_utils._words import clean

_UNSAID = "Retries may have been sent before it ended: run again in check mode to see the states."
_OPTIONS: Mapping[str, Any] = {
    "target": {"type": "dict", "required": True},
    "found": {"type": "str", "default": "plan_found"},
    "canary": {"type": "raw", "default": False},
    "wait": {"type": "raw", "default": True},
    "wait_timeout": {"type": "raw", "default": None},
    "wait_interval": {"type": "raw", "default": None},
}


class ActionModule(RoleAction):
    options = _OPTIONS

    def act(self, args: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        found = task_vars.get(args["found"])
        if not isinstance(found, dict) or "tasks" not in found:
            raise OptionError(f"{args['found']} is not a result of redrive.tasks.target_info.")
        target = target_of(args["target"], task_vars["inventory_hostname"])
        to_retry = [entry for entry in found["tasks"] if entry["action"] == "retry"]
        return self._work(_Work(self, target, found, args, task_vars), to_retry, canary=flag(args, "canary", False))

    def _work(self, work: _Work, to_retry: Sequence[Entry], *, canary: bool) -> Result:
        first = canaries(to_retry) if canary else []
        held: Sequence[Entry] = ()
        doubtful: Sequence[Entry] = ()
        error = ""
        try:
            tried = work.retry(first, must_wait=True) if first else None
            rest, held = follow(to_retry, first, None if work.preview else tried)
            work.retry(rest)
        except ModuleFailed as exc:
            # What reports says what it has sent; what crashed cannot.
            crashed = "requests" not in exc.result
            doubtful = work.under_way if crashed else ()
            error = f"{exc} {_UNSAID}" if crashed else str(exc)
            say([f"{work.name}: {clean(error, 1000)}"])
        left = {key_of(entry) for entry in held}
        asked = [entry for entry in to_retry if key_of(entry) not in left]
        untold = [] if work.preview else cut_short(asked, work.parts, doubtful)
        # No failure, of which Ansible would show every task: the report shows it, and role report fails at the end.
        return {**work.merged([*held, *untold]), **({"error": error} if error else {})}


class _Work:
    """Runs the retry module for one target, and keeps what it returns."""

    def __init__(
        self,
        action: ActionModule,
        target: Target,
        found: Result,
        args: Mapping[str, Any],
        task_vars: dict[str, Any],
    ) -> None:
        self._action = action
        self._target = target
        self._task_vars = task_vars
        self._waiting = {
            "wait": flag(args, "wait", True),
            "wait_timeout": whole_number(args, "wait_timeout"),
            "wait_interval": number(args, "wait_interval"),
        }
        self.found = {**found, "warnings": []}
        self.name = target.name
        self.waited = True
        self.preview: bool = action._task.check_mode
        self.parts: list[Result] = []
        self.under_way: Sequence[Entry] = ()

    def merged(self, changes: Sequence[Entry]) -> Result:
        """One result of all."""
        return merged(self.found, self.parts, changes, waited=self.waited)

    def retry(self, entries: Sequence[Entry], *, must_wait: bool = False) -> list[Entry]:
        """Retry these; the entries as they are then.

        :raises ModuleFailed: what was done all the same is among `parts`
        """
        before = len(self.parts)
        self.under_way = entries
        for named in naming(self._target, entries, self.found["tasks"]):
            options = retry_options(self._target, self.found["selection"], named, self._waiting, must_wait=must_wait)
            self.waited = flag(options, "wait", True)
            self._run(options)
        return [entry for part in self.parts[before:] for entry in part["tasks"]]

    def _run(self, options: Mapping[str, Any]) -> None:
        module, label = self._target.service.retry, self._target.name
        try:
            self.parts.append(succeeded(run_watched(self._action, module, options, self._task_vars, label)))
        except ModuleFailed as exc:
            if "tasks" in exc.result:
                self.parts.append(exc.result)
            raise
