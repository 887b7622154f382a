# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Time, handed in as an argument, so that no test waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


class Clock:
    """The machine's clock. Tests hand in one of their own."""

    def __init__(self, woken: threading.Event | None = None) -> None:
        """`woken` ends every sleep once it is set."""
        self._woken = woken or threading.Event()

    def time(self) -> float:
        """Seconds since the epoch, for signatures, windows and reports."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines and intervals."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds, or when somebody wants the run to end."""
        if seconds > 0:
            self._woken.wait(seconds)


@dataclass(frozen=True)
class Deadline:
    """A point on the monotonic clock."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(clock, clock.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0
