#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: target_info
short_description: Find and judge the failed tasks of one target, whatever its service
version_added: 0.1.0
author:
  - redrive.tasks contributors (@redrive-tasks)
description:
  - Runs the module of the target's service that looks, such as M(redrive.tasks.sls_shipper_task_info), with the
    target's options.
  - With O(approved) it compares what it finds with a plan that was approved, and leaves to be retried what is in the
    plan and still fails of the same.
notes:
  - It is a piece of the roles, which are documented and tested as a whole. Use it through them.
options:
  target:
    description:
      - The service, a name, and options of the service's modules, as O(redrive.tasks.plan#role:main:plan_target).
    type: dict
    required: true
  policy:
    description:
      - C(since), C(until), C(codes), C(message_regex), C(retry_classes), C(rules) and C(max_tasks), for where the
        target says nothing itself. Empty ones count as not given.
    type: dict
    default: {}
  services:
    description:
      - Skip the target unless its service is one of these. Empty for all.
    type: list
    elements: str
    default: []
  any_state:
    description:
      - Count tasks in all states, and not only failed ones.
    type: bool
    default: false
  approved:
    description:
      - The file of an approved plan.
    type: path
    default: ""
  approved_digest:
    description:
      - The digest of the approved plan, for a file that is not trusted to hold the right one.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done without doing it.
    support: full
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when in diff mode.
    support: N/A
  action:
    description: Indicates this has a corresponding action plugin, so it runs on the controller.
    support: full
"""

EXAMPLES = r"""
---
- name: Look at one logstore
  redrive.tasks.target_info:
    target:
      service: sls
      project: shop
      logstore: access
      region: cn-hangzhou
  register: plan_found
"""

RETURN = r"""
name:
  description: What the target is called.
  returned: when the target is usable
  type: str
  sample: sls shop access
service:
  description: Its service.
  returned: when the target is usable
  type: str
  sample: sls
place:
  description: Where it is, in the options that say so.
  returned: when the target is usable
  type: dict
  sample: {region: cn-hangzhou, project: shop, logstore: access}
started:
  description: When the look began, epoch seconds.
  returned: when the target is usable
  type: float
  sample: 1795395600.5
selection:
  description: Which tasks were meant and what may be done about them. Times are absolute.
  returned: when the service showed its tasks
  type: dict
  sample: {since: "1795309200", retry_classes: [transient, unclassified]}
drift:
  description: Ids by what became of them since the plan was approved, C(healed), C(gone), C(changed) and C(new).
  returned: with O(approved)
  type: dict
  sample: {healed: [c1411eb7291c77560ba31fc65bc73c52], gone: [], changed: [], new: []}
tasks:
  description: As M(redrive.tasks.sls_shipper_task_info) returns it.
  returned: when the service showed its tasks
  type: list
  elements: dict
  sample: []
counts:
  description: As M(redrive.tasks.sls_shipper_task_info) returns it.
  returned: when the service showed its tasks
  type: dict
  sample: {found: 3, selected: 3, retry: 3}
warned:
  description: The warnings of the module.
  returned: when the service showed its tasks
  type: list
  elements: str
  sample: []
"""
