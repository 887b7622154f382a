# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Time, handed in as an argument, so that no test waits for it."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

# Enough for one request to the other end of the world over a new connection (assumed), seconds.
_LEAST_PATIENCE = 2.0


class Clock:
    """The machine's clock, or the service's once it `follow`s that. Tests hand in one of their own."""

    base: float | None = None
    """The service's time when the monotonic clock stood at 0, epoch seconds; None while the machine's own time counts.

    Not by how much the machine's clock is off, because that may be set while the run is under way.
    """

    def __init__(self, woken: threading.Event | None = None) -> None:
        """`woken` ends every sleep once it is set."""
        self._woken = woken or threading.Event()

    def time(self) -> float:
        """Seconds since the epoch, for signatures, windows and reports."""
        base = self.base
        return self.machine_time() if base is None else base + self.monotonic()

    def machine_time(self) -> float:
        """Seconds since the epoch as this machine has them."""
        return time.time()

    def follow(self, now: float | None) -> None:
        """From now on tell the time of a clock that says `now`, epoch seconds; None for the machine's own."""
        self.base = None if now is None else now - self.monotonic()

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines and intervals."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds, or when somebody wants the run to end."""
        if seconds > 0:
            self._woken.wait(seconds)


class Deadline(NamedTuple):
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


class Patience:
    """For how long replies are waited for, where the run as a whole must not wait longer."""

    def __init__(self) -> None:
        self.deadline: Deadline | None = None
        """None as long as only the calls themselves are bounded."""

    def seconds(self, usual: float) -> float:
        """For how long one call may take that has `usual` seconds; a moment even if no time is left."""
        return usual if self.deadline is None else min(usual, max(self.deadline.remaining, _LEAST_PATIENCE))

    def ends_within(self, seconds: float) -> bool:
        """Whether no time will be left after so many seconds."""
        return self.deadline is not None and self.deadline.remaining <= seconds
