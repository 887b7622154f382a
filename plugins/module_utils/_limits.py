# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""How fast a service may be asked, as data. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Rate(NamedTuple):
    """So many calls in so many seconds: one call in 0.1 s paces, 180 in 60 s are a budget to be spent as it comes.

    :ivar counted: the limit as the service counts it, where that is over any span of so many seconds. A call that is
        late on its way must not make one too many there, so a call counts from its start until so long after its end,
        less most of the time that the quickest call took: by so much, any next one will arrive after its own start.
    """

    calls: int
    seconds: float
    counted: Rate | None = None


class Backoff(NamedTuple):
    """How long to wait before attempt number n + 1: exponential, with half of it jittered, seconds."""

    base: float = 0.5
    cap: float = 20.0
    factor: float = 2.0


USUAL_BACKOFF = Backoff()
