#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cls_shipper_task_retry
short_description: Retry failed log shipping tasks of Tencent Cloud CLS, once each
version_added: 0.1.0
description:
  - Finds failed tasks that ship logs from CLS (Cloud Log Service) to COS, judges which of them a retry can heal,
    retries those once, and reports what a person has to fix.
  - A task is retried only while the service shows it as failed. When the reply to a retry is lost, the state of its
    task is read again instead of sending it once more.
  - While waiting it looks every 10 seconds unless O(wait_interval) says otherwise. One call retries one task, and up to
    16 calls are under way at a time unless O(concurrency) says otherwise.
author:
  - redrive.tasks contributors (@redrive-tasks)
extends_documentation_fragment:
  - redrive.tasks._cls
  - redrive.tasks._what
  - redrive.tasks._retry
  - redrive.tasks._how
  - redrive.tasks._attributes
  - redrive.tasks._attributes.retry
  - redrive.tasks._attributes.actiongroup_cls
seealso:
  - module: redrive.tasks.cls_shipper_task_info
  - name: Tencent Cloud CLS, RetryShipperTask
    description: The call that retries a task of a shipping rule.
    link: https://www.tencentcloud.com/document/product/614/42770
"""

EXAMPLES = r"""
---
- name: Retry what can heal in a whole region, wait, and fail if anything did not heal
  redrive.tasks.cls_shipper_task_retry:
    region: ap-guangzhou
    all_failed: true
    wait: true

- name: Retry two tasks by their ids
  redrive.tasks.cls_shipper_task_retry:
    shipper_id: 57f5808c-4a55-11eb-b378-0242ac130002
    region: ap-guangzhou
    task_ids:
      - 6ef60bec-0242-43af-bb20-270359fb54a7
      - 0a2f4d6c-9b1e-4f37-8c55-d1e0b7a39f42

- name: Retry what a missing bucket stopped, now that the bucket is back, but no more than 500 tasks
  redrive.tasks.cls_shipper_task_retry:
    region: ap-guangzhou
    all_failed: true
    message_regex: NoSuchBucket
    retry_classes: [fix]
    max_tasks: 500

- name: Retry with a rule of your own, and report instead of failing
  redrive.tasks.cls_shipper_task_retry:
    region: ap-guangzhou
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
      sample: 6ef60bec-0242-43af-bb20-270359fb54a7
    scope:
      description: What the task belongs to, that is shipper_id. Empty for a missing task.
      returned: always
      type: dict
      sample: {shipper_id: 57f5808c-4a55-11eb-b378-0242ac130002}
    status:
      description: The task's status before, in the vendor's own word. Empty for a missing task.
      returned: always
      type: str
      sample: failed
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
          sample: cls.cos_bucket
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: ""
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: NoSuchBucket
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
      sample: "2026-11-26T01:02:03Z"
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
          sample: cls.cos_bucket
        code:
          description: The vendor's failure code, empty where there is none.
          returned: always
          type: str
          sample: ""
        message:
          description: The vendor's failure message.
          returned: always
          type: str
          sample: NoSuchBucket
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
          sample: OperationDenied.AccountIsolate
        message:
          description: What happened, in the vendor's words, and what to do.
          returned: always
          type: str
          sample: "POST / (RetryShipperTask) failed: OperationDenied.AccountIsolate: The account has overdue payments."
        request_id:
          description: By which the vendor's support finds the call.
          returned: always
          type: str
          sample: 6ef60bec-0242-43af-bb20-270359fb54a7
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
      sample: cls.cos_bucket
    code:
      description: The vendor's failure code, empty where there is none.
      returned: always
      type: str
      sample: ""
    message:
      description: The vendor's failure message.
      returned: always
      type: str
      sample: NoSuchBucket
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
      sample: "2026-11-26T01:02:03Z"
    task_ids:
      description: Their ids.
      returned: always
      type: list
      elements: str
      sample: [6ef60bec-0242-43af-bb20-270359fb54a7]
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
      sample: {6ef60bec-0242-43af-bb20-270359fb54a7: failed}
    after:
      description: The states after; as expected, where they were not read again.
      returned: always
      type: dict
      sample: {6ef60bec-0242-43af-bb20-270359fb54a7: running}
"""

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.cls import CLS
from ansible_collections.redrive.tasks.plugins.module_utils._module.retry import run_retry_module


def main() -> None:
    run_retry_module(CLS)


if __name__ == "__main__":
    main()
