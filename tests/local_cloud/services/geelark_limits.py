# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GeeLark's limits: so many calls of one API in a minute, so many in an hour, and a lock for who overruns the latter.

Windows are the minutes and hours of the clock, not spans since the first call: 40007 is "lifted the next minute".
Every genuine call counts, the refused ones included (assumed): otherwise 200 a minute could never make 24,000 an hour.
The lock is one for all APIs of the team (assumed). It lasts two hours; calls meanwhile do not lengthen it (assumed).
"""

from __future__ import annotations

from collections import Counter

MINUTE, HOUR = 60, 3600
LOCK = 2 * HOUR


class Limits:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int, int]] = Counter()
        self._locked_until: dict[str, float] = {}

    def locked(self, team: str, now: float) -> bool:
        return now < self._locked_until.get(team, now)

    def count(self, team: str, api: str, now: float, *, per_minute: int, per_hour: int) -> int | None:
        """Counts one call; 40014 or 40007 if it is one too many."""
        if self._enter(team, api, now, HOUR) > per_hour:
            self._locked_until[team] = now + LOCK
            return 40014
        return 40007 if self._enter(team, api, now, MINUTE) > per_minute else None

    def _enter(self, team: str, api: str, now: float, window: int) -> int:
        key = (team, api, window, int(now // window))
        self._counts[key] += 1
        return self._counts[key]
