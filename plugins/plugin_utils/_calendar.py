# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""When retries may be sent: maintenance windows and freeze dates, in one time zone. Pure, but for the zone's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_MINUTES_OF_AN_HOUR = 60
_MINUTES_OF_A_DAY = 24 * 60
# So far ahead the next window is looked for.
_LONGEST_FREEZE = 400


class CalendarError(Exception):
    """What cannot be read, and how it is written."""


class Opening(NamedTuple):
    """A window that opens on some days of the week. It may end on the next day."""

    days: frozenset[int]
    start: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """Whether the moment is in it. Local time, without a zone."""
        now, today = moment.time(), moment.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        return (today in self.days and now >= self.start) or ((today - 1) % 7 in self.days and now < self.end)


class Calendar(NamedTuple):
    """When something may be done. Without openings, always; never on a frozen day."""

    zone: ZoneInfo
    openings: tuple[Opening, ...] = ()
    frozen: tuple[tuple[date, date], ...] = ()

    def closed(self, now: datetime) -> str:
        """Why nothing may be done now, and from when on it may; empty when it may.

        :param now: with any zone
        """
        here = now.astimezone(self.zone).replace(tzinfo=None)
        if self._is_frozen(here.date()):
            why = "it is a day on which nothing is changed (remediate_freeze)"
        elif self.openings and not any(opening.holds(here) for opening in self.openings):
            why = "it is outside the maintenance window (remediate_window)"
        else:
            return ""
        following = self._next(here)
        said = f"may be sent again from {_day(following)} on" if following else "may not be sent again within a year"
        return f"Nothing was retried, because {why}: it is {_day(here)}, {self.zone.key}. Retries {said}."

    def _is_frozen(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.frozen)

    def _next(self, here: datetime) -> datetime | None:
        openings = self.openings or (Opening(frozenset(range(7)), time(0), time(0)),)
        for ahead in range(_LONGEST_FREEZE):
            day = here.date() + timedelta(days=ahead)
            midnight = datetime.combine(day, time(0))
            starts = [datetime.combine(day, one.start) for one in openings if day.weekday() in one.days]
            # One that began on a frozen day opens when that ends.
            starts += [midnight for one in openings if one.holds(midnight)]
            later = [start for start in starts if start > here and not self._is_frozen(day)]
            if later:
                return min(later)
        return None


def _day(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()].capitalize()} {moment:%Y-%m-%d %H:%M}"


def calendar_of(zone: str, windows: Iterable[Any], freeze: Iterable[Any]) -> Calendar:
    """The calendar that a user wrote.

    :param zone: as in the IANA data, such as Europe/Berlin
    :param windows: each with `from`, `to` (HH:MM), and perhaps `days`
    :param freeze: dates, or two with a slash between them, both included
    :raises CalendarError: one of them cannot be read
    """
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise CalendarError(
            f"remediate_timezone: {zone!r} is not known here. Write it as in Europe/Berlin; where no zone is known,"
            " install the system's tzdata."
        ) from exc
    return Calendar(known, tuple(_opening(one) for one in windows), tuple(_freeze(one) for one in freeze))


def _opening(window: Any) -> Opening:
    if not isinstance(window, dict) or not {"from", "to"} <= set(window) <= {"from", "to", "days"}:
        raise CalendarError(
            f"remediate_window: {window!r} is not a window."
            " Write it as {days: [sat, sun], from: '22:00', to: '05:00'}."
        )
    return Opening(_days(window.get("days") or list(DAYS)), _time(window["from"]), _time(window["to"]))


def _days(names: Any) -> frozenset[int]:
    listed: Sequence[Any] = names.split(",") if isinstance(names, str) else names
    numbers = [_weekday(str(name).strip().lower()) for name in listed]
    if -1 in numbers:
        raise CalendarError(f"remediate_window: days {names!r} must be some of {', '.join(DAYS)}.")
    return frozenset(numbers)


def _weekday(name: str) -> int:
    """From 0 for Monday, which may be written as mon, monday or anything between; -1 when it is no day."""
    found = [number for number, day in enumerate(_LONG_DAYS) if len(name) >= 3 and day.startswith(name)]
    return found[0] if found else -1


def _time(value: Any) -> time:
    # YAML takes 22:00 without quotes for a number, of minutes here; a lower one is an hour that somebody meant.
    if isinstance(value, int) and not isinstance(value, bool) and _MINUTES_OF_AN_HOUR <= value < _MINUTES_OF_A_DAY:
        return time(value // 60, value % 60)
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise CalendarError(f"remediate_window: {value!r} is not a time of the day. Write it as '22:00'.")
    return time(int(match.group(1)), int(match.group(2)))


def _freeze(value: Any) -> tuple[date, date]:
    first, slash, last = str(value).partition("/")
    try:
        span = (date.fromisoformat(first.strip()), date.fromisoformat((last if slash else first).strip()))
    except ValueError as exc:
        raise CalendarError(
            f"remediate_freeze: {value!r} is not a date. Write 2026-12-24, or 2026-12-20/2027-01-03 for all from the"
            " first to the last."
        ) from exc
    if span[0] > span[1]:
        raise CalendarError(f"remediate_freeze: {value!r} ends before it begins.")
    return span
