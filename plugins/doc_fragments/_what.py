# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Which tasks, and how they are judged: module_utils/_argspec.py, what_spec.
    DOCUMENTATION = r"""
options:
  since:
    description:
      - The oldest tasks to look at, by the time of their creation.
      - A duration back from now (V(90m), V(36h), V(2d)), an ISO 8601 time (V(2026-11-23T01:02:03Z), UTC unless it
        says otherwise), or epoch seconds.
      - Leave it out for all that the service shows. A time beyond that is clamped, with a warning.
    type: str
  until:
    description:
      - The newest tasks to look at, by the time of their creation, written as O(since). Leave it out for now.
    type: str
  codes:
    description:
      - Keep only failed tasks with one of these failure codes. Case does not matter.
    type: list
    elements: str
  message_regex:
    description:
      - Keep only failed tasks in whose message this regular expression is found. Case does not matter.
      - The first 4096 characters of a message are searched. Nothing bounds the time that a pattern takes, and one with
        repetitions within repetitions can take hours on a single message. Use no pattern of somebody whom you do not
        trust.
    type: str
  retry_classes:
    description:
      - The classes of failure that may be retried. Tasks of other classes are reported with a remedy and left alone.
      - V(transient) can heal by itself, V(unclassified) is met by no rule, V(fix) needs a person first, V(exhausted)
        has used up its attempts, V(gone) can never succeed.
      - Add V(fix) once the cause is repaired, together with O(codes) or O(message_regex) for just that cause.
    type: list
    elements: str
    choices: [transient, unclassified, fix, exhausted, gone]
    default: [transient, unclassified]
  rules:
    description:
      - Rules of your own, tried before the built-in ones. The first rule that a failed task meets decides its class.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description:
          - The failure code must be equal to this. Case does not matter.
          - A rule needs O(rules[].code) or O(rules[].match). With both, a task must meet both.
        type: str
      match:
        description:
          - This regular expression must be found in the failure message. Case does not matter.
          - It is searched as O(message_regex) is, with the same limits.
        type: str
      class:
        description:
          - The class of the tasks that meet the rule.
        type: str
        required: true
        choices: [transient, unclassified, fix, exhausted, gone]
      remedy:
        description:
          - What a person has to do, returned with each such task.
        type: str
  max_tasks:
    description:
      - Refuse to start, in check mode too, when more tasks than this would be retried.
      - An info module only warns.
      - Leave it out for no limit.
    type: int
"""
