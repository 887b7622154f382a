#!/usr/bin/python

# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sls_shipper_task_retry
short_description: x
description: x
author: x
"""

EXAMPLES = r"""
"""

RETURN = r"""
"""

from ansible_collections.redrive.tasks.plugins.module_utils._fronts.sls import SLS
from ansible_collections.redrive.tasks.plugins.module_utils._module.retry import run_retry_module


def main() -> None:
    run_retry_module(SLS)


if __name__ == "__main__":
    main()
