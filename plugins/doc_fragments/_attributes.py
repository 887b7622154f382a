# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be done without doing it.
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description: Running it again with the same options, while the service stays as it is, changes nothing more.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module never changes anything.
  diff_mode:
    support: N/A
    details:
      - This module never changes anything.
  idempotent:
    support: full
    details:
      - This module never changes anything.
"""

    RETRY = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Runs the same code up to the first call that changes something. It reads the same, decides the same, and
        returns the same RV(tasks[].action) and the same C(changed) as the real run at that moment.
  diff_mode:
    support: full
    details:
      - Shows the states of the tasks that change. Unless the module waits, the state after is what the service
        is expected to show next.
  idempotent:
    support: full
    details:
      - A task is retried only while the service shows it as failed, and at most once in one run.
      - A task that fails again is failed, so the next run retries it again if O(retry_classes) allows that.
"""

    ACTIONGROUP_ALL = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/redrive.tasks.all) in C(module_defaults) to set defaults for all modules at once.
    support: full
    membership:
      - redrive.tasks.all
"""

    ACTIONGROUP_CLS = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/redrive.tasks.cls) in C(module_defaults) to set defaults for this module and its sibling,
        or C(group/redrive.tasks.all) for all modules at once.
    support: full
    membership:
      - redrive.tasks.all
      - redrive.tasks.cls
"""

    ACTIONGROUP_DRS = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/redrive.tasks.drs) in C(module_defaults) to set defaults for this module and its sibling,
        or C(group/redrive.tasks.all) for all modules at once.
    support: full
    membership:
      - redrive.tasks.all
      - redrive.tasks.drs
"""

    ACTIONGROUP_SLS = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/redrive.tasks.sls) in C(module_defaults) to set defaults for this module and its sibling,
        or C(group/redrive.tasks.all) for all modules at once.
    support: full
    membership:
      - redrive.tasks.all
      - redrive.tasks.sls
"""

    ACTIONGROUP_GEELARK = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/redrive.tasks.geelark) in C(module_defaults) to set defaults for this module and its sibling,
        or C(group/redrive.tasks.all) for all modules at once.
    support: full
    membership:
      - redrive.tasks.all
      - redrive.tasks.geelark
"""
