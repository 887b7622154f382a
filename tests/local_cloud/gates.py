# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates: a request is held at one moment of its life, so that a test can do something just then. Knows no vendor."""

from __future__ import annotations

import asyncio
import threading
from enum import Enum


class Moment(str, Enum):
    ARRIVED = "arrived"  # the service has it, and has not begun to carry it out
    EXECUTED = "executed"  # it was carried out, and the answer has not left
    ANSWERED = "answered"  # the answer has left


# Between two looks at a gate that is shut, seconds.
_INTERVAL = 0.002


class Gate:
    """Holds one request. Everything may be used from any thread.

    :ivar reached: set when the request is there
    """

    def __init__(self, moment: Moment, *, number: int = 1, operation: str = "*") -> None:
        """`number`: which of the requests that come from now on, the first is 1; of the operation, if one is named."""
        self.moment = moment
        self.reached = threading.Event()
        self._operation = operation
        self._left = number
        self._open = threading.Event()
        self._lost = False

    def open(self) -> None:
        """Let the request go on."""
        self._open.set()

    def lose(self) -> None:
        """Forget the request, as if it had never come; of one that was carried out, the answer."""
        self._lost = True
        self._open.set()

    def counts(self, operation: str) -> bool:
        """Whether this request is the one. To be asked once for each request."""
        if self._operation in ("*", operation):
            self._left -= 1
            return self._left == 0
        return False

    async def hold(self) -> bool:
        """Return when it is open; whether the request goes on."""
        self.reached.set()
        while not self._open.is_set():
            await asyncio.sleep(_INTERVAL)
        return not self._lost
