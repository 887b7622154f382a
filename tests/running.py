# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting Ansible's commands so that nothing the caller has set decides what a test finds."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_FOREIGN = re.compile(
    r"^(ALIBABA|ALICLOUD|TENCENTCLOUD|TCCLI|HUAWEICLOUD|OS_|GEELARK"
    r"|REQUESTS_CA|CURL_CA|SSL_CERT|ANSIBLE_(?!COLLECTIONS_PATH|HOME)|.*_PROXY$)",
    re.IGNORECASE,
)


def environ(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without foreign credentials, certificates, proxies and settings of Ansible.

    Runs with different homes do not know of each other: what they lock and note is in the temporary directory.
    """
    own = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    places = {"HOME": str(home), "TMPDIR": str(home)}
    return {**own, **places, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", **(extra or {})}


def run(
    command: Sequence[str], home: Path, extra: Mapping[str, str] | None = None, *, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with its output as text."""
    return subprocess.run(
        command, env=environ(home, extra), cwd=cwd, capture_output=True, text=True, timeout=180, check=False
    )
