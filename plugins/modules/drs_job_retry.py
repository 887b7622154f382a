#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drs_job_retry
short_description: Retry failed jobs of the Data Replication Service (DRS), once each
version_added: 0.1.0
description:
  - Finds failed jobs of DRS, the Data Replication Service of Open Telekom Cloud and Huawei Cloud, judges which of them
    a retry can heal, retries those once, and reports what a person has to fix.
  - A job is retried only while the service shows it as failed, or as paused with O(include_paused=true), and it is
    looked at again just before, because the service resumes jobs by itself. When the reply to a retry is lost or does
    not speak of a job, its state is read again instead of sending it once more.
  - A retry continues from the recorded position. It is no reset, which would do the full load again; these modules
    never reset a job.
  - While waiting it looks every 20 seconds unless O(wait_interval) says otherwise. One call retries up to ten jobs, and
    up to four calls are under way at a time unless O(concurrency) says otherwise.
notes:
  - A job that replicates does not end by itself. While waiting it counts as recovered when two looks in a row find it
    transferring.
  - A resumed job may write rows anew that it has written before. In tables without a primary key they may then be there
    twice, says the vendor.
  - The parent of a dual-active disaster recovery cannot be retried, only its children. It is left alone, and its remedy
    names them.
author:
  - redrive.tasks contributors (@redrive-tasks)
extends_documentation_fragment:
  - redrive.tasks._drs
  - redrive.tasks._what
  - redrive.tasks._retry
  - redrive.tasks._how
  - redrive.tasks._attributes
  - redrive.tasks._attributes.retry
  - redrive.tasks._attributes.actiongroup_drs
seealso:
  - module: redrive.tasks.drs_job_info
  - name: Open Telekom Cloud, resuming or retrying tasks in batches
    description: The call that retries jobs.
    link: https://docs.otc.t-systems.com/data-replication-service/api-ref/
"""

EXAMPLES = r"""
---
- name: Retry what can heal in a project, wait, and fail if anything did not heal
  redrive.tasks.drs_job_retry:
    project_name: eu-de_shop
    region: eu-de
    all_failed: true
    wait: true

- name: Retry two jobs by their ids, in a cloud of clouds.yaml
  redrive.tasks.drs_job_retry:
    cloud: otc
    job_ids:
      - 140b5236-88ad-43c8-811c-1268453jb101
      - 9a470239-2308-4bb5-a6bc-1040402fjb21

- name: Retry what a changed database password stopped, now that it is corrected, but no more than five jobs
  redrive.tasks.drs_job_retry:
    project_name: eu-de_shop
    region: eu-de
    all_failed: true
    codes: [DRS.KE0002]
    retry_classes: [fix]
    max_tasks: 5

- name: Resume a job that a person paused
  redrive.tasks.drs_job_retry:
    project_name: eu-de_shop
    region: eu-de
    job_ids: [3f1d4f2c-7a30-4c52-9f0e-2267112jb201]
    include_paused: true

- name: Retry synchronisations with a rule of your own, and report instead of failing
  redrive.tasks.drs_job_retry:
    project_name: eu-de_shop
    region: eu-de
    db_use_type: [sync]
    all_failed: true
    rules:
      - match: nightly load of .* is running
        class: fix
        remedy: Wait until the nightly load is done, then retry.
    fail_on: []
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: Retried 120 of 412 tasks; 292 left alone (see causes).
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
    state_after:
      description: The task's state when it was last read after the retry.
      returned: when it was read again, because of O(wait) or after a lost reply
      type: str
      sample: succeeded
    recovered:
      description: Whether the retry was seen to heal the task.
      returned: when it was accepted, and RV(tasks[].state_after) is there
      type: bool
      sample: true
    failure_after:
      description: Why the task failed once more, and what can heal it.
      returned: when it was seen to do so
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
    error:
      description: Why the retry was not accepted.
      returned: when it was not
      type: dict
      contains:
        code:
          description: The vendor's error code.
          returned: always
          type: str
          sample: DRS.M00304
        message:
          description: What happened, in the vendor's words, and what to do.
          returned: always
          type: str
          sample: "This API cannot be called in the current task status."
        request_id:
          description: By which the vendor's support finds the call.
          returned: always
          type: str
          sample: 6b6ea5f0b1d2b7c7d7fa4f9f2d0b3c11
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
      sample: 120
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
problems:
  description: How many tasks had each of the outcomes that O(fail_on) can name, whether or not it names them.
  returned: when the service showed its tasks
  type: dict
  contains:
    missing:
      description: Tasks that were not found, or no longer shown after their retry.
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
    failed_again:
      description: Retried tasks that were seen to fail once more.
      returned: always
      type: int
      sample: 0
    timed_out:
      description: Retried tasks that had not settled when waiting ended.
      returned: always
      type: int
      sample: 0
diff:
  description: States by task id, of the tasks that change.
  returned: when the service showed its tasks
  type: dict
  contains:
    before:
      description: The states before.
      returned: always
      type: dict
      sample: {140b5236-88ad-43c8-811c-1268453jb101: failed}
    after:
      description: The states after; as expected, where they were not read again.
      returned: always
      type: dict
      sample: {140b5236-88ad-43c8-811c-1268453jb101: waiting}
"""

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.drs import DRS
from ansible_collections.redrive.tasks.plugins.module_utils._module.retry import run_retry_module


def main() -> None:
    run_retry_module(DRS)


if __name__ == "__main__":
    main()
