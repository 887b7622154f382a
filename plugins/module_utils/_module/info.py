# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Info modules: find and judge, change nothing."""

from __future__ import annotations

from ansible_collections.redrive.tasks.plugins.module_utils import _result
from ansible_collections.redrive.tasks.plugins.module_utils._argspec import info_spec
from ansible_collections.redrive.tasks.plugins.module_utils._errors import TooManyTasksError
from ansible_collections.redrive.tasks.plugins.module_utils._module.common import Front, Run
from ansible_collections.redrive.tasks.plugins.module_utils._task import State


def run_info_module(front: Front) -> None:
    """The whole of an info module."""
    run = Run(front, info_spec())
    with run.reporting():
        plan = run.find(frozenset(State(name) for name in run.params["states"])).plan()
        try:
            plan.refuse_more_than(run.params["max_tasks"])
        except TooManyTasksError as exc:
            run.warn(f"A retry with these options would stop: {exc}")
        count = _result.counts(plan, {})
        result = {
            "changed": False,
            "msg": _result.found_sentence(count),
            "tasks": _result.tasks(plan, {}),
            "counts": count,
            "causes": _result.causes(plan),
            "requests": run.requests(),
        }
        run.exit(result)
