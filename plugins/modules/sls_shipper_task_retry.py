#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sls_shipper_task_retry
short_description: Retry failed log shipping tasks of Alibaba Cloud SLS, once each
version_added: 0.1.0
description:
  - Finds failed tasks that ship logs from SLS (Simple Log Service) to OSS or MaxCompute, judges which of them a retry
    can heal, retries those once, and reports what a person has to fix.
  - A task is retried only while the service shows it as failed. When the reply to a retry is lost, the state of its
    tasks is read again instead of sending it once more.
  - While waiting it looks every 10 seconds unless O(wait_interval) says otherwise. One call retries up to ten tasks of
    a shipping rule, and up to 16 calls are under way at a time unless O(concurrency) says otherwise.
author:
  - redrive.tasks contributors (@redrive-tasks)
extends_documentation_fragment:
  - redrive.tasks._sls
  - redrive.tasks._what
  - redrive.tasks._retry
  - redrive.tasks._how
  - redrive.tasks._attributes
  - redrive.tasks._attributes.retry
  - redrive.tasks._attributes.actiongroup_sls
seealso:
  - module: redrive.tasks.sls_shipper_task_info
  - name: Alibaba Cloud SLS, RetryShipperTask
    description: The call that retries up to ten tasks of a shipping rule.
    link: https://www.alibabacloud.com/help/en/sls/developer-reference/api-retryshippertask
"""

EXAMPLES = r"""
---
- name: Retry what can heal in one logstore, wait, and fail if anything did not heal
  redrive.tasks.sls_shipper_task_retry:
    project: shop
    logstore: access
    region: cn-hangzhou
    all_failed: true
    wait: true

- name: Retry two tasks by their ids
  redrive.tasks.sls_shipper_task_retry:
    project: shop
    logstore: access
    shipper: to-oss
    region: cn-hangzhou
    task_ids:
      - c1411eb7291c77560ba31fc65bc73c52
      - ed76e3a4faa56f48a150fa1364c9fdfd

- name: Retry what a missing bucket stopped, now that the bucket is back, but no more than 500 tasks
  redrive.tasks.sls_shipper_task_retry:
    project: shop
    region: cn-hangzhou
    all_failed: true
    codes: [InvalidOssBucket]
    retry_classes: [fix]
    max_tasks: 500

- name: Retry with a rule of your own, and report instead of failing
  redrive.tasks.sls_shipper_task_retry:
    project: shop
    region: cn-hangzhou
    all_failed: true
    rules:
      - match: quota of bucket .* reached
        class: fix
        remedy: Ask the storage team for a larger quota, then retry.
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
      sample: c1411eb7291c77560ba31fc65bc73c52
    scope:
      description: What the task belongs to, that is project, logstore and shipper. Empty for a missing task.
      returned: always
      type: dict
      sample: {project: shop, logstore: access, shipper: to-oss}
    status:
      description: The task's status before, in the vendor's own word. Empty for a missing task.
      returned: always
      type: str
      sample: fail
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
          sample: sls.invalid_oss_bucket
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: InvalidOssBucket
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: The specified bucket does not exist.
        remedy:
          description: What a person has to do.
          returned: always
          type: str
          sample: Create the bucket, then retry.
    created:
      description: When the task was created, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-23T01:02:03Z"
    expires:
      description: When the service stops showing the task, UTC, where known.
      returned: always
      type: str
      sample: "2026-11-25T01:02:03Z"
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
      sample: "failed (fix), which is not among retry_classes: Create the bucket, then retry."
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
          sample: sls.invalid_oss_bucket
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: InvalidOssBucket
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: The specified bucket does not exist.
        remedy:
          description: What a person has to do.
          returned: always
          type: str
          sample: Create the bucket, then retry.
    error:
      description: Why the retry was not accepted.
      returned: when it was not
      type: dict
      contains:
        code:
          description: The vendor's error code.
          returned: always
          type: str
          sample: Unauthorized
        message:
          description: What happened, in the vendor's words, and what to do.
          returned: always
          type: str
          sample: "PUT /logstores/access/shipper/to-oss/tasks failed: Unauthorized: The AccessKey is disabled."
        request_id:
          description: By which the vendor's support finds the call.
          returned: always
          type: str
          sample: 5B0A6B60BB6EE39764D458B5
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
      sample: sls.invalid_oss_bucket
    code:
      description: The vendor's failure code, empty where there is none.
      returned: always
      type: str
      sample: InvalidOssBucket
    message:
      description: The vendor's failure message.
      returned: always
      type: str
      sample: The specified bucket does not exist.
    remedy:
      description: What a person has to do.
      returned: always
      type: str
      sample: Create the bucket, then retry.
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
      sample: "2026-11-25T01:02:03Z"
    task_ids:
      description: Their ids.
      returned: always
      type: list
      elements: str
      sample: [c1411eb7291c77560ba31fc65bc73c52]
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
      sample: {c1411eb7291c77560ba31fc65bc73c52: failed}
    after:
      description: The states after; as expected, where they were not read again.
      returned: always
      type: dict
      sample: {c1411eb7291c77560ba31fc65bc73c52: running}
"""

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.sls import SLS
from ansible_collections.redrive.tasks.plugins.module_utils._module.retry import run_retry_module


def main() -> None:
    run_retry_module(SLS)


if __name__ == "__main__":
    main()
