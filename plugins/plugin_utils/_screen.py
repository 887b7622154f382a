# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""What a person at the terminal, or who reads the output of a job, is told beside the results of tasks."""

from __future__ import annotations

from collections.abc import Iterable

from ansible import constants
from ansible.utils.display import Display


def say(lines: Iterable[str]) -> None:
    """Show lines as they are. Where standard output is to be JSON, they go to standard error."""
    callback = str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))
    for line in lines:
        Display().display(line, stderr="json" in callback)
