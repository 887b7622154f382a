# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand of the module tests, with ears: it keeps what goes to the system's log, and trips the module up on request.
No pause is waited for.

A job's environment may name what happens at the first request: STAND_TRIP=raise or STAND_TRIP=SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ansible.module_utils import basic

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from modules import stand

_send = Transport.send


def _log(*arguments: Any) -> None:
    with Path(os.environ["STAND_SYSLOG"]).open("a", encoding="utf-8") as file:
        file.write(f"{arguments}\n")


def _tripped(self: Transport, request: Any, **more: Any) -> Any:
    trip = os.environ.get("STAND_TRIP")
    if trip == "raise":
        raise ValueError(f"{request.headers} {request.body!r}") from KeyError(str(vars(request)))
    if trip:
        os.kill(os.getpid(), signal.Signals[trip])
    return _send(self, request, **more)


class _Quick:
    """Time that passes as soon as somebody waits for it."""

    passed = 0.0

    def sleep(self, seconds: float) -> None:
        _Quick.passed += max(0.0, seconds)

    def monotonic(self) -> float:
        return time.monotonic() + _Quick.passed


if __name__ == "__main__":
    Clock.sleep, Clock.monotonic = _Quick.sleep, _Quick.monotonic  # type: ignore[assignment,method-assign]
    basic.has_journal = False
    basic.syslog.syslog = _log
    Transport.send = _tripped  # type: ignore[method-assign]
    sys.exit(stand.main())  # type: ignore[func-returns-value]
