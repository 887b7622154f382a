# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Options of retry modules only: module_utils/_argspec.py, retry_spec.
    DOCUMENTATION = r"""
options:
  all_failed:
    description:
      - Look at every failed task of the scope in the window.
      - Without it the tasks must be named, because an empty selection never means everything.
    type: bool
    default: false
  wait:
    description:
      - Wait until every retried task has settled, and say what became of it.
      - >-
        A run that takes longer than five seconds says on the screen how far it has come, with this option and without,
        for example C(shop-front: 45 of 120 recovered, 2 failed again, 73 running; at most 9 min left). A line comes
        every ten seconds while anything changes, and every minute while nothing does.
      - There are no such lines in check mode, with C(async) or C(no_log), when the module runs on another machine than
        the controller, or as a user who cannot write the controller's temporary files. The result is the same.
      - Where the output of C(ansible-playbook) goes into a pipe, set E(PYTHONUNBUFFERED) to V(1), or Python keeps what
        is said back.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds after which waiting ends. From then on only a look that is under way goes on, as long as the service
        answers each of its requests within two seconds; no request is sent again after it failed.
    type: int
    default: 600
  wait_interval:
    description:
      - Seconds between two looks at the tasks while waiting. The default depends on the service.
    type: float
  lock_timeout:
    description:
      - Seconds to wait for another run on this machine that retries in the same account and scope. V(0) means not to
        wait.
      - When they are over, the module fails and says which run that is, and nothing was retried.
      - A run is waited for until it has sent its last retry, and not while it waits for its tasks with O(wait).
      - Runs that do not share a temporary directory do not know of each other. The guide to decisions and outcomes says
        what holds then.
    type: int
    default: 300
  stop_at_refusals:
    description:
      - Send nothing more when the retries of so many tasks in a row, over all calls, were refused with the same code.
        The rest is V(not_attempted), with that as the reason.
      - By default only what concerns every task ends a run, such as refused credentials.
    type: int
  fail_on:
    description:
      - The outcomes that make the module fail. It fails only after everything else was done, and a failed result
        carries everything that a successful one does.
      - V(missing), a task that was asked for was not found; V(refused), the service refused a retry; V(unknown),
        a retry may or may not have been accepted; V(not_attempted), the run ended before it; V(failed_again),
        a retried task failed once more; V(timed_out), a retried task had not settled when O(wait_timeout) was over.
      - Set it to V([]) never to fail on an outcome. Unusable options or credentials and a service that cannot be
        reached always fail.
    type: list
    elements: str
    choices: [missing, refused, unknown, not_attempted, failed_again, timed_out]
    default: [missing, refused, unknown, not_attempted, failed_again, timed_out]
"""
