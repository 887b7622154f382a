#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drs_job_info
short_description: Find failed jobs of the Data Replication Service (DRS) and judge what can heal them
version_added: 0.1.0
description:
  - Finds the migration, synchronisation and disaster recovery jobs of DRS, the Data Replication Service of Open Telekom
    Cloud and Huawei Cloud, in one project.
  - Judges each failed one, whether a retry can heal it or what a person has to do first, and folds them by cause.
  - RV(tasks[].action) is what M(redrive.tasks.drs_job_retry) would do with the same options.
author:
  - redrive.tasks contributors (@redrive-tasks)
extends_documentation_fragment:
  - redrive.tasks._drs
  - redrive.tasks._what
  - redrive.tasks._info
  - redrive.tasks._how
  - redrive.tasks._attributes
  - redrive.tasks._attributes.info
  - redrive.tasks._attributes.actiongroup_drs
seealso:
  - module: redrive.tasks.drs_job_retry
  - name: Open Telekom Cloud, querying the task list
    description: The call that lists the jobs of a project.
    link: https://docs.otc.t-systems.com/data-replication-service/api-ref/
"""

EXAMPLES = r"""
---
- name: Show what failed in a project, by cause
  redrive.tasks.drs_job_info:
    project_name: eu-de_shop
    region: eu-de
  register: failed

- name: Print each cause, how many jobs it stopped, and what to do
  ansible.builtin.debug:
    msg: "{{ item.count }} x {{ item.code }}: {{ item.remedy }}"
  loop: "{{ failed.causes }}"
  loop_control:
    label: "{{ item.rule }}"

- name: Look at the failed and the paused synchronisations of a cloud of clouds.yaml
  redrive.tasks.drs_job_info:
    cloud: otc
    db_use_type: [sync]
    states: [failed, paused]

- name: Look at one job, whatever its state, with an access key
  redrive.tasks.drs_job_info:
    access_key: "{{ lookup('ansible.builtin.env', 'HUAWEICLOUD_SDK_AK') }}"
    secret_key: "{{ lookup('ansible.builtin.env', 'HUAWEICLOUD_SDK_SK') }}"
    project_id: 054babbbde80d4602f5cc0043a40ed8c
    region: eu-de
    job_ids:
      - 140b5236-88ad-43c8-811c-1268453jb101
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
      sample: 140b5236-88ad-43c8-811c-1268453jb101
    scope:
      description: What the job belongs to, that is project_id. Empty for a missing job.
      returned: always
      type: dict
      sample: {project_id: 054babbbde80d4602f5cc0043a40ed8c}
    status:
      description: The task's status before, in the vendor's own word. Empty for a missing task.
      returned: always
      type: str
      sample: FULL_TRANSFER_FAILED
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
          sample: drs.database_login
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: DRS.KE0002
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: Incorrect database user name or password.
        remedy:
          description: What a person has to do.
          returned: always
          type: str
          sample: Correct user or password in the job, then retry.
    created:
      description: When the task was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    expires:
      description: When the service stops showing the task, UTC, where known.
      returned: always
      type: str
      sample: null
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
      sample: "failed (fix), which is not among retry_classes: Correct user or password in the job, then retry."
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
      sample: drs.database_login
    code:
      description: The vendor's failure code, empty where there is none.
      returned: always
      type: str
      sample: DRS.KE0002
    message:
      description: The vendor's failure message.
      returned: always
      type: str
      sample: Incorrect database user name or password.
    remedy:
      description: What a person has to do.
      returned: always
      type: str
      sample: Correct user or password in the job, then retry.
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
      sample: null
    task_ids:
      description: Their ids.
      returned: always
      type: list
      elements: str
      sample: [140b5236-88ad-43c8-811c-1268453jb101]
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

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.drs import DRS
from ansible_collections.redrive.tasks.plugins.module_utils._module.info import run_info_module


def main() -> None:
    run_info_module(DRS)


if __name__ == "__main__":
    main()
