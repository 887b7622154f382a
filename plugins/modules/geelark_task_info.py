#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: geelark_task_info
short_description: Find failed cloud phone tasks of GeeLark and judge what can heal them
version_added: 0.1.0
description:
  - Finds the tasks that GeeLark runs on the cloud phones of an account, for example those that publish a video.
  - Judges each failed one, whether a retry can heal it or what a person has to do first, and folds them by cause.
  - RV(tasks[].action) is what M(redrive.tasks.geelark_task_restart) would do with the same options.
author:
  - redrive.tasks contributors (@redrive-tasks)
extends_documentation_fragment:
  - redrive.tasks._geelark
  - redrive.tasks._what
  - redrive.tasks._info
  - redrive.tasks._how
  - redrive.tasks._attributes
  - redrive.tasks._attributes.info
  - redrive.tasks._attributes.actiongroup_geelark
seealso:
  - module: redrive.tasks.geelark_task_restart
  - name: GeeLark Open API
    description: The vendor's documentation of its API.
    link: https://github.com/geelark-tech/geelark-openapi
"""

EXAMPLES = r"""
---
- name: Show what failed in the last seven days, by cause
  redrive.tasks.geelark_task_info:
  register: failed

- name: Print each cause, how many tasks it stopped, and what to do
  ansible.builtin.debug:
    msg: "{{ item.count }} x {{ item.code }} {{ item.message }}: {{ item.remedy }}"
  loop: "{{ failed.causes }}"
  loop_control:
    label: "{{ item.rule }}"

- name: Look at the failed and the cancelled tasks of the last six hours
  redrive.tasks.geelark_task_info:
    since: 6h
    include_cancelled: true

- name: Look at two tasks, whatever their state, at the vendor's Chinese address
  redrive.tasks.geelark_task_info:
    endpoint: https://openapi.geelark.cn
    task_ids:
      - "571222333444555666"
      - "571222333444555667"
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: "412 tasks of 412 shown by the service: a retry with these options would send 120 and leave 292 alone."
tasks:
  description:
    - One entry for each task that was selected or asked for. Tasks that were asked for keep the order in which
      they were, others come oldest first.
  returned: when the service showed its tasks
  type: list
  elements: dict
  contains:
    id:
      description: The task's id.
      returned: always
      type: str
      sample: "571222333444555666"
    scope:
      description: Always empty, because the account is the scope.
      returned: always
      type: dict
      sample: {}
    status:
      description: The task's status before, in the vendor's own word. Empty for a missing task.
      returned: always
      type: str
      sample: "4"
    state:
      description:
        - The task's state before, in words that are the same for all services. One of V(waiting), V(running),
          V(succeeded), V(failed), V(cancelled), V(paused), V(missing), V(unknown).
      returned: always
      type: str
      sample: failed
    failure:
      description: Why the task failed, and what can heal it.
      returned: when the task failed
      type: dict
      contains:
        class:
          description: V(transient), V(unclassified), V(fix), V(exhausted) or V(gone).
          returned: always
          type: str
          sample: fix
        rule:
          description:
            - The rule that the failure met, a built-in one by its name, yours by their position as in V(rules[0]).
              Empty for V(unclassified).
          returned: always
          type: str
          sample: geelark.login_data
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: "20116"
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: Not logged in.
        remedy:
          description: What a person has to do.
          returned: always
          type: str
          sample: Log in by hand on the phone, then retry.
    created:
      description: When the task was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    expires:
      description: When the service stops showing the task, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-30T01:02:03Z"
    action:
      description:
        - The decision, V(retry), V(none) when there is nothing to do, or V(skip) when the task is left alone although
          it did not succeed. It is the same in check mode.
      returned: always
      type: str
      sample: skip
    reason:
      description: Why, in words.
      returned: always
      type: str
      sample: "failed (fix), which is not among retry_classes: Log in by hand on the phone, then retry."
    outcome:
      description:
        - What came of the decision. V(none) where nothing was to be sent, V(planned) in check mode, V(accepted),
          V(refused), V(unknown) when a retry may or may not have been accepted and reading the state did not settle
          it, V(not_attempted) when the run ended before it.
      returned: always
      type: str
      sample: none
counts:
  description:
    - How many tasks. V(selected) is the sum of V(retry), V(none), V(skip) and V(missing), and outside check mode
      V(retry) is the sum of V(accepted), V(refused), V(unknown) and V(not_attempted).
  returned: when the service showed its tasks
  type: dict
  contains:
    found:
      description: Tasks that the service showed.
      returned: always
      type: int
      sample: 412
    selected:
      description: Tasks that were selected or asked for.
      returned: always
      type: int
      sample: 412
    retry:
      description: Tasks that were decided to be retried.
      returned: always
      type: int
      sample: 120
    none:
      description: Tasks with nothing to do.
      returned: always
      type: int
      sample: 0
    skip:
      description: Tasks that were left alone.
      returned: always
      type: int
      sample: 292
    missing:
      description: Tasks that were asked for and not found.
      returned: always
      type: int
      sample: 0
    accepted:
      description: Retries that the service accepted.
      returned: always
      type: int
      sample: 0
    refused:
      description: Retries that the service refused.
      returned: always
      type: int
      sample: 0
    unknown:
      description: Retries that may or may not have been accepted.
      returned: always
      type: int
      sample: 0
    not_attempted:
      description: Retries before which the run ended.
      returned: always
      type: int
      sample: 0
    recovered:
      description: Retried tasks that were seen to succeed.
      returned: always
      type: int
      sample: 0
    failed_again:
      description: Retried tasks that were seen to fail once more.
      returned: always
      type: int
      sample: 0
    still_running:
      description: Retried tasks that were running when last seen.
      returned: always
      type: int
      sample: 0
causes:
  description: Failed tasks folded by what made them fail, largest first.
  returned: when the service showed its tasks
  type: list
  elements: dict
  contains:
    class:
      description: V(transient), V(unclassified), V(fix), V(exhausted) or V(gone).
      returned: always
      type: str
      sample: fix
    rule:
      description:
        - The rule that the failure met, a built-in one by its name, yours by their position as in V(rules[0]).
          Empty for V(unclassified).
      returned: always
      type: str
      sample: geelark.login_data
    code:
      description: The vendor's failure code, empty where there is none.
      returned: always
      type: str
      sample: "20116"
    message:
      description: The vendor's failure message.
      returned: always
      type: str
      sample: Not logged in.
    remedy:
      description: What a person has to do.
      returned: always
      type: str
      sample: Log in by hand on the phone, then retry.
    count:
      description: How many tasks.
      returned: always
      type: int
      sample: 292
    oldest:
      description: When the oldest of them was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    first_expiry:
      description: When the service stops showing the first of them, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-30T01:02:03Z"
    task_ids:
      description: Their ids.
      returned: always
      type: list
      elements: str
      sample: ["571222333444555666"]
requests:
  description: What was sent to the service.
  returned: when the options were usable
  type: dict
  contains:
    sent:
      description: Requests in all.
      returned: always
      type: int
      sample: 13
    repeated:
      description: Those of them that repeated an earlier one.
      returned: always
      type: int
      sample: 1
    throttled:
      description: Those of them that were refused for coming too fast.
      returned: always
      type: int
      sample: 1
    seconds:
      description: Seconds that the requests took together, without the pauses between them.
      returned: always
      type: float
      sample: 1.042
"""

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.geelark import GEELARK
from ansible_collections.redrive.tasks.plugins.module_utils._module.info import run_info_module


def main() -> None:
    run_info_module(GEELARK)


if __name__ == "__main__":
    main()
