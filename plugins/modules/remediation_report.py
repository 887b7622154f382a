#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_report
short_description: Write what was planned or done, and say what is left for a person
version_added: 0.1.0
author:
  - redrive.tasks contributors (@redrive-tasks)
description:
  - Takes what M(redrive.tasks.target_info) and M(redrive.tasks.target_retry) were registered as on each host of the
    play, C(plan_found) and C(remediate_done), and makes one report of it.
  - Run it once for all hosts.
notes:
  - It is a piece of the roles, which are documented and tested as a whole. Use it through them.
options:
  json:
    description:
      - The file for the report in JSON. Empty for none.
    type: path
    default: ""
  markdown:
    description:
      - The file for the report in Markdown. Empty for none.
    type: path
    default: ""
  html:
    description:
      - The file for the report as a page. Empty for none.
    type: path
    default: ""
  user:
    description:
      - Who runs it.
    type: str
    default: ""
  reason:
    description:
      - Why.
    type: str
    default: ""
  fail_on:
    description:
      - Which outcomes are named as failures. The module itself does not fail of them.
    type: list
    elements: str
    choices: [missing, refused, unknown, not_attempted, failed_again, timed_out, held, left]
    default: []
  plan:
    description:
      - What M(redrive.tasks.remediation_plan) returned.
    type: dict
    default: {}
  gate:
    description:
      - What M(redrive.tasks.remediation_gate) returned. Without it, it is the report of a plan.
    type: dict
    default: {}
  only_check:
    description:
      - Only see that the files can be written.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done without doing it.
    support: full
    details:
      - The files are written in check mode as well, as a preview, beside those of the last real run.
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when in diff mode.
    support: N/A
  action:
    description: Indicates this has a corresponding action plugin, so it runs on the controller.
    support: full
"""

EXAMPLES = r"""
---
- name: See that the report can be written
  redrive.tasks.remediation_report:
    html: report.html
    only_check: true
"""

RETURN = r"""
msg:
  description: The report in one sentence.
  returned: always
  type: str
  sample: "14 of 19 failed tasks retried: 14 recovered, 0 failed again, 0 not seen to end."
files:
  description: The files that were written, by form.
  returned: success, unless only checked
  type: dict
  sample: {html: report.html}
summary:
  description: What is handed on, small enough for that.
  returned: success, unless only checked
  type: dict
  sample: {kind: run}
failures:
  description: By host, why the play fails.
  returned: success, unless only checked
  type: dict
  sample: {}
"""
