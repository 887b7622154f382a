# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""The options C(since) and C(until) as a window of creation times. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Callable

from ansible_collections.redrive.tasks.plugins.module_utils._errors import InputError
from ansible_collections.redrive.tasks.plugins.module_utils._task import Window

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_ISO = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})?)?)?"
)
_EPOCH = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")


def resolve_window(
    since: str | None,
    until: str | None,
    *,
    now: float,
    horizon: int | None,
    margin: int,
    warn: Callable[[str], None],
) -> Window:
    """The window that is asked of the service.

    :param now: epoch seconds
    :param horizon: seconds for which the service shows a task
    :param margin: seconds by which the window keeps clear of the horizon's edge, so that a slow request or a
        clock that is a little off does not push it over
    :raises InputError: a time is unreadable, in the future, or the window is empty
    """
    end = int(now) if until is None else parse_moment("until", until, now)
    if end > now:
        warn(f"until is in the future and was clamped to now, {_iso(now)}.")
        end = int(now)
    earliest = 0 if horizon is None else int(now) - horizon + margin
    start = earliest if since is None else parse_moment("since", since, now)
    if start < earliest:
        # Who asks for exactly the horizon gets it, less the margin, without a word.
        if start < earliest - margin:
            warn(
                f"since reaches past the {_hours(horizon)} for which the service shows tasks:"
                f" clamped to {_iso(earliest)}."
            )
        start = earliest
    if start >= end:
        raise InputError(
            f"The window is empty: it would begin at {_iso(start)} and end at {_iso(end)}. Check since and until."
        )
    return Window(start, end)


def parse_moment(option: str, text: str, now: float) -> int:
    """Epoch seconds of a duration back from now, an ISO 8601 time, or epoch seconds.

    A time without a zone is taken as UTC.

    :raises InputError: it is none of them
    """
    value = str(text).strip()
    duration = _DURATION.fullmatch(value.lower())
    if duration:
        return int(now) - int(duration.group(1)) * _UNITS[duration.group(2)]
    if _EPOCH.fullmatch(value):
        return int(float(value))
    match = _ISO.fullmatch(value)
    try:
        if match is None:
            raise ValueError("not ISO 8601")
        return int(_iso_moment(match).timestamp())
    except (ValueError, OverflowError) as exc:
        raise InputError(
            f"{option} is not a time: {value!r}. Give a duration back from now (90m, 36h, 2d), an ISO 8601 time"
            " (2026-11-23T01:02:03Z) or epoch seconds."
        ) from exc


def _iso_moment(match: re.Match[str]) -> datetime:
    """The parts by hand: before Python 3.11, fromisoformat reads few of the forms that the standard has."""
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3, 4, 5, 6))
    sign, hours, minutes = match.group("sign", "hours", "minutes")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _iso(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s from 1970"


def _hours(horizon: int | None) -> str:
    return f"{(horizon or 0) // 3600} hours"
