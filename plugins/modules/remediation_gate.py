#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_gate
short_description: Say whether retries may be sent now
version_added: 0.1.0
author:
  - redrive.tasks contributors (@redrive-tasks)
description:
  - Looks at the maintenance window and the freeze dates, and asks a person, where one is at the terminal.
  - It does not fail when nothing may be sent, and says why.
notes:
  - It is a piece of the roles, which are documented and tested as a whole. Use it through them.
options:
  plan:
    description:
      - What M(redrive.tasks.remediation_plan) returned.
    type: dict
    default: {}
  confirm:
    description:
      - Ask. In check mode, and where nobody can answer, it does not.
    type: raw
    default: true
  window:
    description:
      - Maintenance windows, as O(redrive.tasks.remediate#role:main:remediate_window).
    type: list
    elements: dict
    default: []
  freeze:
    description:
      - Days on which nothing is sent, as O(redrive.tasks.remediate#role:main:remediate_freeze).
    type: list
    elements: raw
    default: []
  timezone:
    description:
      - The time zone of both.
    type: str
    default: UTC
  dry_run:
    description:
      - What is to decide about a run that sends nothing; here it is only seen to be understood.
    type: raw
    default: false
  only_check:
    description:
      - Only see that the other options can be understood.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done without doing it.
    support: full
    details:
      - In check mode nobody is asked.
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
  register: plan_result

- name: See whether it is night in Berlin
  redrive.tasks.remediation_gate:
    plan: "{{ plan_result }}"
    window: [{from: '22:00', to: '05:00'}]
    timezone: Europe/Berlin
"""

RETURN = r"""
msg:
  description: The answer in one sentence.
  returned: always
  type: str
  sample: Retries may be sent now.
held:
  description: Why nothing may be sent now, or empty.
  returned: success
  type: str
  sample: ""
drawn_up:
  description: That of the plan.
  returned: success
  type: float
  sample: 1795395600.5
"""
