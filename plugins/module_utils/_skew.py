# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""A clock that is wrong here: measured by the Date of replies, corrected where calls are refused for it, and told."""

from __future__ import annotations

import threading
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Callable, NamedTuple

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Response

# From here on a clock that does no harm is told of, seconds.
_NOTICEABLE = 60.0
# Less than this explains no refusal: a window keeps clear of what the service does not show by 30 s, seconds.
_HARMLESS = 20.0
# A Date from before 2020 or after 2099 is no time that a service has. Epoch seconds.
_EARLIEST, _LATEST = 1_577_836_800.0, 4_102_444_800.0
# What a wrong clock can lead to: a signature that is not accepted, or a window that the service does not show.
_REFUSALS = (Kind.DENIED, Kind.EXPIRED, Kind.REJECTED)


def _ignore(_text: str) -> None:
    return


class Signed(NamedTuple):
    """When a request was signed.

    :ivar moment: by the time that signatures had, epoch seconds
    :ivar started: on the monotonic clock, seconds
    :ivar base: C(Clock.base) at that time
    """

    moment: float
    started: float
    base: float | None

    @classmethod
    def now(cls, clock: Clock) -> Signed:
        """A request that is sent right away."""
        base = clock.base
        return cls(clock.time(), clock.monotonic(), base)


class Reading(NamedTuple):
    """What one reply tells of the time.

    :ivar ahead: seconds by which the time of the signature was ahead of the service's; negative if it was behind
    :ivar unsure: by so many seconds it may be more or less, because the reply took its time
    :ivar now: the service's time as the reply came, epoch seconds
    :ivar base: C(Clock.base) as the request was signed
    """

    ahead: float
    unsure: float
    now: float
    base: float | None

    @property
    def noticeable(self) -> bool:
        """Whether the clock is off by so much that a person should know."""
        return abs(self.ahead) >= _NOTICEABLE

    @property
    def harmful(self) -> bool:
        """Whether the clock is surely off by so much that a call may be refused for it."""
        return abs(self.ahead) - self.unsure >= _HARMLESS

    @property
    def words(self) -> str:
        """By how much the clock is off, as part of a sentence."""
        return f"{abs(self.ahead):.0f} s {'ahead of' if self.ahead > 0 else 'behind'} the service's"


def read_date(response: Response, signed: Signed, clock: Clock) -> Reading | None:
    """What a reply that has just come tells of the time; None if that is nothing, or cannot be true."""
    date = http_date(response.headers.get("date", ""))
    if date is None or not _EARLIEST <= date < _LATEST:
        return None
    # The service took its time in the middle of the way there and back, and told whole seconds of it.
    half = (clock.monotonic() - signed.started) / 2
    then = date + 0.5
    return Reading(signed.moment + half - then, half, then + half, signed.base)


class Skew:
    """What a run does about a clock that is wrong; one for all its callers and threads.

    Once in a run, a refusal that a wrong clock can explain makes the run go by the service's time. What is refused all
    the same puts an end to that, as the Date may have been wrong. A reply that is no refusal never changes the clock.
    """

    def __init__(self, warn: Callable[[str], None] = _ignore) -> None:
        self._warn = warn
        self._lock = threading.Lock()
        self._corrected: Reading | None = None
        self._told: set[bool] = set()
        """Of what was told: of a corrected clock, which then has helped, and of one that is only off."""

    def correct(self, clock: Clock, reading: Reading) -> bool:
        """Go by the service's time, if that was not tried yet; whether to send what was refused again."""
        with self._lock:
            if clock.base != reading.base:  # another thread has done so since this one sent its request
                return True
            if self._corrected is not None:
                return False
            self._corrected = reading
            clock.follow(reading.now)
            return True

    def refused_again(self, clock: Clock) -> None:
        """What was sent again was refused all the same: go by the machine's clock, unless correcting it once helped."""
        with self._lock:
            if True not in self._told:
                clock.follow(None)

    def accepted(self, clock: Clock, response: Response, signed: Signed) -> None:
        """Tell of a clock that is off, now that a call has been answered well: once, and once that it was corrected."""
        corrected = signed.base is not None
        if corrected in self._told:
            return
        if clock.base != signed.base:  # changed by another thread since, perhaps before the signature
            return
        reading = self._corrected if corrected else read_date(response, signed, clock)
        if reading is None or not (corrected or reading.noticeable):
            return
        with self._lock:
            told, self._told = self._told, self._told | {corrected}
        if corrected in told:
            return
        if corrected:
            what = "Calls were refused for that, so this run goes by the service's time, in since and until as well."
        else:
            what = "since, until and what the service still shows were reckoned by the clock here all the same."
        self._warn(f"The clock here is {reading.words}: set it. {what}")


class Timing:
    """What one call does about a clock that is wrong, over all its attempts.

    :ivar codes: of refusals that a wrong clock can cause, in lower case
    """

    def __init__(self, skew: Skew, clock: Clock, codes: frozenset[str], *, changes: bool) -> None:
        self._skew = skew
        self._clock = clock
        self._codes = codes
        self._changes = changes
        self._signed = Signed.now(clock)
        self._reading: Reading | None = None
        self._corrected: Reading | None = None
        self._code = ""

    def begin(self) -> None:
        """An attempt begins: it is signed now."""
        self._signed = Signed.now(self._clock)
        self._reading = None

    def accepted(self, response: Response) -> None:
        """The reply that has just come is what was asked for."""
        self._skew.accepted(self._clock, response, self._signed)

    def failed(self, response: Response) -> None:
        """The reply that has just come is not."""
        self._reading = read_date(response, self._signed, self._clock)

    def correct(self, exc: CallError) -> bool:
        """Whether the attempt was refused for the clock, which is right now, so that it is worth another one.

        If not, and the clock is off, the error says so.
        """
        if exc.kind not in _REFUSALS:
            return False
        if self._corrected:
            if exc.kind is not Kind.REJECTED or exc.code == self._code:
                self._skew.refused_again(self._clock)
                found = f"The clock here is {self._corrected.words}: set it."
                exc.hint = f"{found} With the service's time the call was refused all the same. {exc.hint}"
            return False
        reading = self._reading
        if reading and reading.harmful and self._explains(exc) and self._skew.correct(self._clock, reading):
            self._corrected, self._code = reading, exc.code
            return True
        if reading and reading.noticeable:
            exc.hint = f"The clock here is {reading.words}: set it, then try again. {exc.hint}"
        return False

    def _explains(self, exc: CallError) -> bool:
        """Whether a wrong clock explains this refusal, of a call that was surely not carried out."""
        return exc.code.lower() in self._codes or (exc.kind is Kind.REJECTED and not self._changes)


def http_date(value: str) -> float | None:
    """Epoch seconds of a date as headers have it, which is in GMT whatever else it says; None for anything else."""
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
