# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Ending a run early: what may still be sent once something has shown that no more should be."""

from __future__ import annotations

import threading

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Patience
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind


class Brake:
    """Shared by all who send. Once pulled, no call begins that changes something; once interrupted, none at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.interrupted = threading.Event()
        """Set when somebody wants the run to end."""
        self.reason = ""
        """Why it was pulled first; empty until then."""
        self.patience = Patience()
        """For how long calls may take, once the time for the whole run is bounded."""

    def stop(self, reason: str) -> None:
        """Let no further call begin that changes something."""
        with self._lock:
            self.reason = self.reason or reason

    def interrupt(self, reason: str) -> None:
        """Let no further call begin at all. Takes no lock, because a signal may come at any time."""
        self.reason = self.reason or reason
        self.interrupted.set()

    def check(self, *, changes: bool) -> None:
        """Return if such a call may begin.

        :raises CallError: it may not; it was not sent
        """
        if self.interrupted.is_set() or (changes and self.reason):
            raise CallError(Kind.STOPPED, self.reason, code="stopped")
