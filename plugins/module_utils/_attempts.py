# Copyright (c) 2026 redrive.tasks contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the redrive.tasks collection: it can change at any time.

"""Calling an API: may this be sent again, when, and how often was it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Callable, TypeVar

from ansible_collections.redrive.tasks.plugins.module_utils._clock import Clock
from ansible_collections.redrive.tasks.plugins.module_utils._errors import CallError, Kind
from ansible_collections.redrive.tasks.plugins.module_utils._http import Transport
from ansible_collections.redrive.tasks.plugins.module_utils._redact import Masker
from ansible_collections.redrive.tasks.plugins.module_utils._wire import Request, Response

T = TypeVar("T")

Signer = Callable[[Request], Request]
"""Adds what proves who sends the request, at the time of the call."""

_LONGEST_RETRY_AFTER = 60.0
_NOTICEABLE_SKEW = 60.0
# A changing call is repeated only when it surely was not carried out.
_REPEAT_CHANGE = (Kind.UNREACHED, Kind.THROTTLED)


@dataclass(frozen=True)
class Backoff:
    """How long to wait before attempt number n + 1: exponential, with half of it jittered, seconds."""

    base: float = 0.5
    cap: float = 20.0

    def pause(self, attempt: int, random: Callable[[], float], retry_after: float | None = None) -> float:
        """Seconds to wait after failed attempt number `attempt`; what the service asks for is a minimum."""
        ceiling = min(self.cap, self.base * 2.0 ** (attempt - 1))
        return max(ceiling * (0.5 + random() / 2), min(retry_after or 0.0, _LONGEST_RETRY_AFTER))


class Counters:
    """What was sent, counted over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent = 0
        self.repeated = 0
        self.throttled = 0
        self.seconds = 0.0

    def add(self, *, seconds: float, repeated: bool, throttled: bool) -> None:
        """Count one request that was sent."""
        with self._lock:
            self.sent += 1
            self.repeated += repeated
            self.throttled += throttled
            self.seconds += seconds


class RateLimiter:
    """Spaces requests evenly, over all threads. A rate of None means no limit."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        """`rate` is in requests a second."""
        self._interval = 1.0 / rate if rate else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic()

    def wait(self) -> None:
        """Return when the next request may be sent."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._next)
            self._next = start + self._interval
        self._clock.sleep(start - now)


@dataclass(frozen=True)
class Caller:
    """Makes API calls within a rate limit, each with a bounded number of attempts, each attempt signed anew.

    :ivar random: a number from 0 to 1, for the jitter of pauses
    """

    transport: Transport
    sign: Signer
    max_attempts: int
    limiter: RateLimiter
    clock: Clock
    random: Callable[[], float]
    counters: Counters
    masker: Masker
    backoff: Backoff = Backoff()

    def read(self, make: Callable[[], Request], parse: Callable[[Response], T]) -> T:
        """Make a call that changes nothing; it is repeated after every failure that may pass.

        :param make: makes the request anew for each attempt, because what it asks for may depend on the time
        :raises CallError: from `parse` or the transport, when it will not pass or no attempt is left
        """
        return self._call(make, parse, changes=False)

    def change(self, request: Request, parse: Callable[[Response], T]) -> T:
        """Make a call that changes something; it is repeated only when it surely was not carried out.

        :raises CallError: as `read`; when its kind says C(may_have_run), the state has to be read
        """
        return self._call(lambda: request, parse, changes=True)

    def _call(self, make: Callable[[], Request], parse: Callable[[Response], T], *, changes: bool) -> T:
        attempt = 1
        while True:
            request = make()
            try:
                return self._attempt(request, parse, repeated=attempt > 1, changes=changes)
            except CallError as exc:
                exc.call, exc.attempts = request.call, attempt
                may_repeat = exc.kind in _REPEAT_CHANGE if changes else exc.kind.passing
                if attempt >= self.max_attempts or not may_repeat:
                    raise
                self.clock.sleep(self.backoff.pause(attempt, self.random, exc.retry_after))
            attempt += 1

    def _attempt(self, request: Request, parse: Callable[[Response], T], *, repeated: bool, changes: bool) -> T:
        self.limiter.wait()
        started = self.clock.monotonic()
        throttled = False
        response: Response | None = None
        masker = self.masker
        try:
            signed = self.sign(request)
            masker = self.masker.also(signed.signature)
            response = replace(self.transport.send(signed, fresh=changes), mask=masker.text)
            _refuse_redirect(response)
            return parse(response)
        except CallError as exc:
            exc.text, exc.code, exc.request_id = map(masker.text, (exc.text, exc.code, exc.request_id))
            throttled = exc.kind is Kind.THROTTLED
            if response is not None:
                exc.retry_after = self._retry_after(response)
                self._explain_skew(exc, response)
            raise
        finally:
            self.counters.add(seconds=self.clock.monotonic() - started, repeated=repeated, throttled=throttled)

    def _retry_after(self, response: Response) -> float | None:
        """The header's value in seconds; it may be a number or a date."""
        value = response.headers.get("retry-after", "").strip()
        if value.isdecimal():
            return float(value)
        moment = _http_date(value)
        return None if moment is None else max(0.0, moment - self.clock.time())

    def _explain_skew(self, exc: CallError, response: Response) -> None:
        moment = _http_date(response.headers.get("date", ""))
        if exc.kind not in (Kind.DENIED, Kind.REJECTED) or moment is None:
            return
        skew = self.clock.time() - moment
        if abs(skew) >= _NOTICEABLE_SKEW:
            behind = "ahead of" if skew > 0 else "behind"
            exc.hint = f"The clock here is {abs(skew):.0f} s {behind} the service's: set it, then try again. {exc.hint}"


def _refuse_redirect(response: Response) -> None:
    if not 300 <= response.status < 400:
        return
    target = response.headers.get("location", "").split("?")[0]
    raise CallError(
        Kind.DENIED,
        f"the service answered with a redirect to {target or 'nowhere'}",
        code="redirect_refused",
        status=response.status,
        hint="A signed request is never sent on to another address. Check the endpoint and its scheme.",
    )


def _http_date(value: str) -> float | None:
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
