# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # Options of info modules only: module_utils/_argspec.py, info_spec.
    DOCUMENTATION = r"""
options:
  states:
    description:
      - The states of the tasks to return. Tasks that are asked for by id are returned in any state.
    type: list
    elements: str
    choices: [waiting, running, succeeded, failed, cancelled, paused, unknown]
    default: [failed]
"""
