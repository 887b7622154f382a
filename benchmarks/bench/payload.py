# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes of modules what Ansible sends to a host. Run as a script, because it takes all of Ansible to do so.

Its argument is a JSON list of jobs, each with the `module`, its `arguments`, and the `file` to write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar


def main(jobs: list[dict[str, Any]]) -> None:
    init_plugin_loader()
    for job in jobs:
        found = module_loader.find_plugin_with_context(job["module"])
        made = modify_module(
            module_name=job["module"],
            module_path=found.plugin_resolved_path,
            module_args=job["arguments"],
            templar=Templar(DataLoader()),
            task_vars={"ansible_python_interpreter": sys.executable},
            module_compression="ZIP_DEFLATED",  # as Ansible does by default
        )
        Path(job["file"]).write_bytes(made[0] if isinstance(made, tuple) else made.b_module_data)


main(json.loads(sys.argv[1]))
