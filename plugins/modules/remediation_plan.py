#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_plan
short_description: Hold guard rails to what was found for all targets, and show the plan
version_added: 0.1.0
author:
  - redrive.tasks contributors (@redrive-tasks)
description:
  - Takes what M(redrive.tasks.target_info) was registered as on each host of the play, C(plan_found), holds the guard
    rails to all of it, and shows the plan. It sends nothing.
  - Run it once for all hosts.
notes:
  - It is a piece of the roles, which are documented and tested as a whole. Use it through them.
options:
  max_total:
    description:
      - Hold back everything when more tasks than this would be retried. Empty for no limit.
    type: raw
  max_percent:
    description:
      - Hold back a target when more than this many of a hundred of its tasks would be retried. Empty for no limit.
    type: raw
  expiry_warning:
    description:
      - Point out tasks that the service stops showing within this many hours.
    type: raw
    default: 6
  preview:
    description:
      - Speak as of a run that sends nothing, and let the run be one. In check mode it is one anyhow.
    type: raw
    default: false
  approved:
    description:
      - With O(only_check), the file of an approved plan.
    type: path
    default: ""
  approved_digest:
    description:
      - The digest of the approved plan, for a file that is not trusted to hold the right one.
    type: str
    default: ""
  only_check:
    description:
      - Only see that the approved plan is as it was written.
    type: bool
    default: false
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

- name: Plan
  redrive.tasks.remediation_plan:
    max_total: 500
  register: plan_result
  run_once: true
"""

RETURN = r"""
msg:
  description: The plan in one sentence.
  returned: always
  type: str
  sample: "19 failed tasks in 2 targets: 14 will be retried, 5 left for a person."
held:
  description: By host, why a guard rail holds it back.
  returned: success
  type: dict
  sample: {}
totals:
  description: The numbers of all targets together, as in the report.
  returned: success
  type: dict
  sample: {targets: 2, failed: 19, retry: 14, left: 5}
expiry_warning:
  description: The option of that name, in hours.
  returned: success
  type: float
  sample: 6.0
preview:
  description: Whether nothing is to be sent.
  returned: success
  type: bool
  sample: false
drawn_up:
  description: When it was drawn up, epoch seconds, by which what follows belongs to this plan.
  returned: success
  type: float
  sample: 1795395600.5
"""
