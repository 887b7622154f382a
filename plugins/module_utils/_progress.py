# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""How far a run has come, for somebody who waits for it: its last step, in a file that an action plugin has made."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple, Union

# Names the file in the environment of a module.
VARIABLE = "REDRIVE_TASKS_PROGRESS"
# Bytes. A step takes so many, each over the one before, so that the file never grows.
LENGTH = 100


class Sending(NamedTuple):
    """So many of so many tasks were sent, and so many of those were refused. All 0: it has not come to that yet."""

    sent: int
    of: int
    refused: int


class Waiting(NamedTuple):
    """What has become of the retried tasks. Those that are not settled run; seconds left, rounded up."""

    retried: int
    recovered: int
    failed_again: int
    running: int
    seconds_left: int


Step = Union[Sending, Waiting]


class Board:
    """Where the last step is shown. Without a file, and after any trouble with it, nowhere."""

    def __init__(self, path: str) -> None:
        """`path` of an empty file; "" for none."""
        self._file: int | None = None
        if not path:
            return
        try:
            # Not through a link, and without waiting for somebody at the other end of a pipe.
            file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode) and not found.st_size:
            self._file = file
        else:
            os.close(file)

    def show(self, step: Step) -> None:
        """Put this step in the place of the last one."""
        if self._file is None:
            return
        line = " ".join([type(step).__name__, *map(str, step)])
        try:
            os.pwrite(self._file, line.ljust(LENGTH - 1).encode() + b"\n", 0)
        except OSError:
            os.close(self._file)
            self._file = None
