#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_retry
short_description: Retry what was found for one target, whatever its service
version_added: 0.1.0
author:
  - redrive.tasks contributors (@redrive-tasks)
description:
  - Runs the module of the target's service that acts, such as M(redrive.tasks.sls_shipper_task_retry), for exactly
    those tasks that M(redrive.tasks.target_info) decided to be retried.
  - With O(canary) it does so for one task of each cause first.
notes:
  - It is a piece of the roles, which are documented and tested as a whole. Use it through them.
options:
  target:
    description:
      - The same as that of M(redrive.tasks.target_info).
    type: dict
    required: true
  found:
    description:
      - The name of the variable as which the result of M(redrive.tasks.target_info) was registered.
    type: str
    default: plan_found
  canary:
    description:
      - Retry one task of each cause first and wait for it, and go on with a cause only where it healed.
    type: raw
    default: false
  wait:
    description:
      - Wait until the retried tasks have settled.
    type: raw
    default: true
  wait_timeout:
    description:
      - Seconds after which waiting ends. Empty for the module's default.
    type: raw
  wait_interval:
    description:
      - Seconds between two looks. Empty for the module's default.
    type: raw
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done without doing it.
    support: full
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when in diff mode.
    support: full
  action:
    description: Indicates this has a corresponding action plugin, so it runs on the controller.
    support: full
"""

EXAMPLES = r"""
---
- name: Look at one logstore
  redrive.tasks.target_info:
    target: &target
      service: sls
      project: shop
      logstore: access
      region: cn-hangzhou
  register: plan_found

- name: Retry what was found, one task of each cause first
  redrive.tasks.target_retry:
    target: *target
    canary: true
"""

RETURN = r"""
msg:
  description: What came of it.
  returned: always
  type: str
  sample: "Retried 3 of 3 tasks: 3 recovered, 0 failed again, 0 not settled."
error:
  description:
    - Why the retry ended early. That is no failure of this module, because the other targets go on, and what was done
      is in the result. M(redrive.tasks.remediation_report) tells it as one.
  returned: when it did
  type: str
  sample: "The credentials were refused."
tasks:
  description: Those that were found, as M(redrive.tasks.sls_shipper_task_retry) returns them.
  returned: when the service showed its tasks
  type: list
  elements: dict
  sample: []
counts:
  description: As M(redrive.tasks.sls_shipper_task_retry) returns it.
  returned: when the service showed its tasks
  type: dict
  sample: {found: 3, selected: 3, retry: 3, accepted: 3, recovered: 3}
problems:
  description: As M(redrive.tasks.sls_shipper_task_retry) returns it.
  returned: when the service showed its tasks
  type: dict
  sample: {failed_again: 0, timed_out: 0}
warned:
  description: The warnings of the modules.
  returned: when the service showed its tasks
  type: list
  elements: str
  sample: []
"""
